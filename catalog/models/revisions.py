"""Revisions of books."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from core.api.exceptions import Conflict
from core.audit import log_audit_event
from core.db.transactions import atomic_with_retry

if TYPE_CHECKING:
    from accounts.models import User


class Revision(models.Model):
    """A change of a book: its fields with old and new values, and the editor."""

    book = models.ForeignKey("catalog.Book", models.CASCADE, related_name="revisions", verbose_name=_("book"))
    number = models.PositiveIntegerField(help_text=_("Counts from 1 for each book."), verbose_name=_("number"))
    editor = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+", verbose_name=_("editor")
    )
    created_at = models.DateTimeField(default=timezone.now, verbose_name=_("created at"))
    changes = models.JSONField(help_text="Changed fields as {field: {before, after}}.", verbose_name=_("changes"))

    class Meta:
        verbose_name = _("revision")
        verbose_name_plural = _("revisions")
        ordering = ["-id"]
        constraints = [models.UniqueConstraint(fields=["book", "number"], name="catalog_revision_once")]

    def __str__(self) -> str:
        return f"{self.number}: {', '.join(self.changes)}"

    @atomic_with_retry
    def revert(self, *, by: User | None, reason: str = "") -> Revision | None:
        """Restore the old values as a new revision and return it, None if the book already has them.

        Raises Conflict `changed_since`, with the fields, if any was changed again; `duplicate_isbn` if another book has
        the old ISBN by now; `book_merged` if the book was merged into another one.
        """
        self.book.lock()
        current = {name: getattr(self.book, name) for name in self.changes}
        changed_since = [
            name for name, change in self.changes.items() if current[name] not in (change["before"], change["after"])
        ]
        if changed_since:
            text = _("These fields have been changed again: %(fields)s.") % {"fields": ", ".join(changed_since)}
            raise Conflict("changed_since", text, fields=changed_since)
        revision = self.book.update_book(by=by, **{name: change["before"] for name, change in self.changes.items()})
        if revision:
            pairs = {name: (change["before"], change["after"]) for name, change in revision.changes.items()}
            log_audit_event(
                "book.reverted", by=by, target=self.book, reason=reason, detail=f"{self.number}", changes=pairs
            )
        return revision
