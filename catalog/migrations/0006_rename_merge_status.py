from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("catalog", "0005_normalized_words")]

    operations = [
        migrations.RemoveIndex("merge", "catalog_merge_by_state"),
        migrations.RenameField("merge", "state", "status"),
        migrations.AddIndex("merge", models.Index(fields=["status", "id"], name="catalog_merge_by_status")),
    ]
