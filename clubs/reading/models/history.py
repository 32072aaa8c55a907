"""History of reading lists."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

if TYPE_CHECKING:
    from accounts.models import User
    from clubs.reading.models.entries import Entry

NOTE_LENGTH = 1000


class EntryChange(models.Model):
    """A change of a reading list. It outlives the entry.

    An addition is a `status` that was empty before, a removal one that is empty after.
    """

    club = models.ForeignKey("clubs.Club", models.CASCADE, related_name="entry_changes", verbose_name=_("club"))
    book = models.ForeignKey("catalog.Book", models.CASCADE, related_name="+", verbose_name=_("book"))
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+", verbose_name=_("actor")
    )
    created_at = models.DateTimeField(default=timezone.now, verbose_name=_("created at"))
    field = models.CharField(max_length=20, verbose_name=_("field"))
    old = models.TextField(max_length=NOTE_LENGTH, blank=True, verbose_name=_("old"))
    new = models.TextField(max_length=NOTE_LENGTH, blank=True, verbose_name=_("new"))

    class Meta:
        verbose_name = _("reading list change")
        verbose_name_plural = _("reading list changes")
        indexes = [models.Index(fields=["club", "book", "created_at"], name="clubs_entrychange_of_entry")]

    def __str__(self) -> str:
        return f"#{self.pk}: {self.field}"

    @classmethod
    def record(cls, entry: Entry, *, by: User | None, **changes: tuple[Any, Any]) -> None:
        """Save one row per change, given as field name -> (old, new)."""
        where = {"club_id": entry.club_id, "book_id": entry.book_id}
        EntryChange.objects.bulk_create(
            EntryChange(**where, actor=by, field=name, old=_text(old), new=_text(new))
            for name, (old, new) in changes.items()
        )


def _text(value: Any) -> str:
    return "" if value is None else str(value)
