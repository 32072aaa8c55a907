import django.core.validators
import django.db.models.deletion
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("catalog", "0001_initial"),
        ("clubs", "0001_initial"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="Reading",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "state",
                    models.CharField(
                        choices=[("reading", "reading"), ("finished", "finished"), ("stopped", "stopped")],
                        max_length=10,
                        verbose_name="state",
                    ),
                ),
                (
                    "percent",
                    models.DecimalField(
                        decimal_places=2,
                        default=0,
                        max_digits=5,
                        validators=[
                            django.core.validators.MinValueValidator(0),
                            django.core.validators.MaxValueValidator(100),
                        ],
                        verbose_name="percent",
                    ),
                ),
                ("started_on", models.DateField(blank=True, null=True, verbose_name="started on")),
                ("finished_on", models.DateField(blank=True, null=True, verbose_name="finished on")),
                (
                    "source",
                    models.CharField(
                        choices=[
                            ("club", "progress in a club"),
                            ("import", "import"),
                            ("own", "entered by the user"),
                        ],
                        default="own",
                        max_length=10,
                        verbose_name="source",
                    ),
                ),
                ("hidden", models.BooleanField(default=False, editable=False, verbose_name="hidden")),
                (
                    "created_at",
                    models.DateTimeField(
                        default=django.utils.timezone.now, editable=False, verbose_name="created at"
                    ),
                ),
                (
                    "book",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="readings",
                        to="catalog.book",
                        verbose_name="book",
                    ),
                ),
                (
                    "entry",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="readings",
                        to="clubs.entry",
                        verbose_name="entry",
                    ),
                ),
                (
                    "user",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="readings",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="user",
                    ),
                ),
            ],
            options={
                "verbose_name": "reading",
                "verbose_name_plural": "readings",
                "default_permissions": (),
                "indexes": [
                    models.Index(fields=["user", "id"], name="readings_reading_of_user"),
                    models.Index(fields=["user", "book", "state"], name="readings_reading_of_book"),
                    models.Index(fields=["user", "state", "finished_on"], name="readings_reading_by_day"),
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("percent__range", (0, 100))), name="readings_reading_percent"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("started_on__isnull", True),
                            ("finished_on__isnull", True),
                            ("finished_on__gte", models.F("started_on")),
                            _connector="OR",
                        ),
                        name="readings_reading_dates",
                    ),
                ],
            },
        ),
    ]
