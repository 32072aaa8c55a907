"""What changed in a book, and by whom."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from bookbridge.api.audit import audit
from bookbridge.api.errors import Conflict
from bookbridge.api.transactions import retrying_atomic

if TYPE_CHECKING:
    from accounts.models import User


class Revision(models.Model):
    """One change of a book: which fields, from what to what, by whom."""

    book = models.ForeignKey("catalog.Book", models.CASCADE, related_name="revisions")
    number = models.PositiveIntegerField(help_text=_("From 1 for each book."))
    editor = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    at = models.DateTimeField(default=timezone.now)
    changes = models.JSONField(help_text="{field: {before, after}} of the fields that changed.")

    class Meta:
        ordering = ["-id"]
        constraints = [models.UniqueConstraint(fields=["book", "number"], name="catalog_revision_once")]

    def __str__(self) -> str:
        return f"{self.number}: {', '.join(self.changes)}"

    @retrying_atomic
    def undo(self, *, by: User | None, reason: str = "") -> Revision | None:
        """Give the fields it changed their former values, which is a revision too; None where they have them already.

        Raises Conflict `changed_since`, with the fields, where any has been given yet another value; `duplicate_isbn`
        where another book has got the former ISBN since; `book_merged` where the book is part of another one.
        """
        self.book.lock()
        now = {name: getattr(self.book, name) for name in self.changes}
        since = [name for name, change in self.changes.items() if now[name] not in (change["before"], change["after"])]
        if since:
            text = _("Changed again since: %(fields)s.") % {"fields": ", ".join(since)}
            raise Conflict("changed_since", text, fields=since)
        made = self.book.change(by=by, **{name: change["before"] for name, change in self.changes.items()})
        if made:
            pairs = {name: (change["before"], change["after"]) for name, change in made.changes.items()}
            audit("book.reverted", by=by, target=self.book, reason=reason, detail=f"{self.number}", changes=pairs)
        return made
