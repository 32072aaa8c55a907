from django.db import migrations, models


class Migration(migrations.Migration):
    """Let a club list a book again.

    The new constraint comes first, because the databases need an index for the foreign key.
    """

    dependencies = [("clubs", "0022_entry_reading_number")]

    operations = [
        migrations.AddConstraint(
            "entry",
            models.UniqueConstraint(fields=["club", "book", "reading_number"], name="clubs_entry_reading"),
        ),
    ]
