from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("clubs", "0023_entry_reading_unique")]

    operations = [migrations.RemoveConstraint("entry", "clubs_entry_once")]
