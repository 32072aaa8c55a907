"""Editions that users propose for books of others, until an editor accepts or rejects them."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from rest_framework.exceptions import NotAuthenticated

from accounts.models import User
from catalog.models.books import Book
from catalog.models.editions import DuplicateISBN, Edition, EditionBase
from core.api.exceptions import Conflict
from core.audit import log_audit_event
from core.db.fields import BinaryCollationCharField
from core.db.locking import lock_rows
from core.db.transactions import atomic_with_retry, conflict_on_integrity_error

# Per user.
MAX_PROPOSALS = 100


class ProposedEdition(EditionBase):
    """An edition in the queue of the editors. Several users may propose the same ISBN."""

    book = models.ForeignKey("catalog.Book", models.CASCADE, related_name="proposed_editions", verbose_name=_("book"))
    isbn13 = BinaryCollationCharField(max_length=13, verbose_name=_("isbn13"))
    proposed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.CASCADE, related_name="+", db_index=False, verbose_name=_("proposed by")
    )
    created_at = models.DateTimeField(default=timezone.now, editable=False, verbose_name=_("created at"))

    class Meta:
        verbose_name = _("proposed edition")
        verbose_name_plural = _("proposed editions")
        ordering = ["id"]
        indexes = [models.Index(fields=["isbn13"], name="catalog_proposal_by_isbn")]
        constraints = [models.UniqueConstraint(fields=["proposed_by", "isbn13"], name="catalog_proposal_once")]

    def __str__(self) -> str:
        return self.isbn13

    @classmethod
    @atomic_with_retry
    def create_proposal(cls, *, book: Book, by: User, isbn13: str, **fields: Any) -> ProposedEdition:
        """Propose an edition. Raises DuplicateISBN, and Conflict `already_proposed` or `too_many_proposals`."""
        if not lock_rows(User, [by.pk]):
            raise NotAuthenticated
        book.lock()
        existing = Edition.objects.filter(isbn13=isbn13).select_related("book").first()
        if existing:
            raise DuplicateISBN(existing.book)
        text = _("You have already proposed an edition with this ISBN.")
        with conflict_on_integrity_error(Conflict("already_proposed", text, book=book.summary)):
            proposal = cls.objects.create(book=book, proposed_by=by, isbn13=isbn13, **fields)
        if cls.objects.filter(proposed_by=by).count() > MAX_PROPOSALS:
            text = _("You have proposed too many editions; wait until the editors have looked at them.")
            raise Conflict("too_many_proposals", text, book=book.summary)
        return proposal

    @atomic_with_retry
    def accept(self, *, by: User) -> Edition:
        """Add the edition on behalf of the user who proposed it, and close all proposals with its ISBN.

        Raises Conflict `already_decided` if another editor has decided first, and DuplicateISBN if a book has
        the ISBN by now.
        """
        book = Book.objects.merge_target(self.book_id)
        book.lock()
        self._lock(book)
        names = [field.name for field in EditionBase._meta.local_fields]
        fields = {name: getattr(self, name) for name in names}
        edition = book.add_edition(by=self.proposed_by, isbn13=self.isbn13, **fields)
        log_audit_event("edition.accepted", by=by, target=book, detail=self.isbn13)
        ProposedEdition.objects.filter(isbn13=self.isbn13).delete()
        return edition

    @atomic_with_retry
    def reject(self, *, by: User) -> None:
        """Remove the proposal from the queue. Raises Conflict `already_decided`."""
        self._lock(self.book)
        log_audit_event("edition.rejected", by=by, target=self.book, detail=self.isbn13)
        ProposedEdition.objects.filter(pk=self.pk).delete()

    def _lock(self, book: Book) -> None:
        if not ProposedEdition.objects.select_for_update().filter(pk=self.pk).exists():
            text = _("Another editor has already decided on this edition.")
            raise Conflict("already_decided", text, book=book.summary)
