from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("meetings", "0002_verbose_names")]

    operations = [migrations.RenameIndex("rsvp", new_name="meetings_rsvp_waitlist", old_name="meetings_rsvp_in_line")]
