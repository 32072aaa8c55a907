"""Archive of rows removed when two entries of a list were merged (`clubs.reading.merges`)."""

from django.conf import settings
from django.db import models

from clubs.reading.rules import Unit


class EntryAside(models.Model):
    """An entry merged into another entry of the same list, with its original values.

    `stays` is the id of the remaining entry. `changes` are the values it took over: {field: [before, after]}.
    """

    merge = models.ForeignKey("catalog.Merge", models.CASCADE, related_name="+")
    club = models.ForeignKey("clubs.Club", models.CASCADE, related_name="+")
    stays = models.BigIntegerField()
    changes = models.JSONField(default=dict)
    entry_id = models.BigIntegerField(unique=True)
    status = models.CharField(max_length=10)
    position = models.IntegerField()
    added_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+", db_constraint=False
    )
    starts_on = models.DateField(null=True)
    ends_on = models.DateField(null=True)
    note = models.TextField(blank=True)
    created_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True)

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return f"{self.entry_id}"


class MarkAside(models.Model):
    """The older of a user's two progress rows, with its original entry. Deleted with the account."""

    of = models.ForeignKey(EntryAside, models.CASCADE, related_name="marks")
    entry_id = models.BigIntegerField()
    # No database constraint, because it would lock the user after the entries, against the lock order.
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+", db_constraint=False)
    percent = models.DecimalField(max_digits=5, decimal_places=2)
    unit = models.CharField(max_length=10, choices=Unit.choices)
    amount = models.DecimalField(max_digits=8, decimal_places=2)
    total = models.PositiveIntegerField()
    hidden = models.BooleanField(default=False)
    updated_at = models.DateTimeField()

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return f"{self.user_id}: {self.percent} %"
