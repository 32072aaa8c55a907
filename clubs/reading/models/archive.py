"""Archive of rows removed when two entries of a list were merged (`clubs.reading.merges`)."""

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from clubs.reading.choices import Unit


class ArchivedEntry(models.Model):
    """An entry merged into another entry of the same list, with its original values.

    `kept_entry_id` is the entry it was merged into, `changes` are the values that entry took over:
    `{field: [before, after]}`.
    """

    merge = models.ForeignKey("catalog.Merge", models.CASCADE, related_name="+")
    club = models.ForeignKey("clubs.Club", models.CASCADE, related_name="+", verbose_name=_("club"))
    kept_entry_id = models.BigIntegerField()
    changes = models.JSONField(default=dict, verbose_name=_("changes"))
    entry_id = models.BigIntegerField(unique=True)
    status = models.CharField(max_length=10, verbose_name=_("status"))
    position = models.IntegerField(verbose_name=_("position"))
    added_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.SET_NULL,
        null=True,
        related_name="+",
        db_constraint=False,
        verbose_name=_("added by"),
    )
    starts_on = models.DateField(null=True, verbose_name=_("starts on"))
    ends_on = models.DateField(null=True, verbose_name=_("ends on"))
    note = models.TextField(blank=True, verbose_name=_("note"))
    created_at = models.DateTimeField(verbose_name=_("created at"))
    finished_on = models.DateField(null=True, verbose_name=_("finished on"))
    reading_number = models.PositiveSmallIntegerField(default=1, db_default=1, verbose_name=_("reading number"))
    # `[[title, percent], ...]`, unless the other entry took them over.
    sections = models.JSONField(null=True, verbose_name=_("sections"))

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return f"{self.entry_id}"


class ArchivedProgress(models.Model):
    """The older of a user's two progress rows, with its original entry. Deleted with the account."""

    archived_entry = models.ForeignKey(ArchivedEntry, models.CASCADE, related_name="progress")
    entry_id = models.BigIntegerField()
    # No database constraint, because it would lock the user after the entries, against the lock order.
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.CASCADE, related_name="+", db_constraint=False, verbose_name=_("user")
    )
    percent = models.DecimalField(max_digits=5, decimal_places=2, verbose_name=_("percent"))
    unit = models.CharField(max_length=10, choices=Unit.choices, verbose_name=_("unit"))
    amount = models.DecimalField(max_digits=8, decimal_places=2, verbose_name=_("amount"))
    total = models.PositiveIntegerField(verbose_name=_("total"))
    hidden = models.BooleanField(default=False, verbose_name=_("hidden"))
    updated_at = models.DateTimeField(verbose_name=_("updated at"))
    finished_on = models.DateField(null=True, verbose_name=_("finished on"))
    stopped = models.BooleanField(default=False, db_default=False, verbose_name=_("stopped"))

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return f"{self.user_id}: {self.percent} %"
