from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("clubs", "0013_aside"),
    ]

    operations = [
        migrations.AddIndex(
            model_name="post",
            index=models.Index(fields=["club", "author", "created_at"], name="clubs_post_of_author"),
        ),
    ]
