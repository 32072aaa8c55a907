"""Models of catalog imports: author names, additional origins of books, and checkpoints."""

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from catalog.models.names import NAME_LENGTH
from core.db.fields import BinaryCollationCharField


class ImportedAuthor(models.Model):
    """The name of an Open Library author, to which works refer by key."""

    key = BinaryCollationCharField(max_length=40, unique=True, verbose_name=_("key"))
    name = models.CharField(max_length=NAME_LENGTH, verbose_name=_("name"))

    def __str__(self) -> str:
        return self.name


class AlternateOrigin(models.Model):
    """An additional origin of a book that several sources contain (see `Book.origin`)."""

    origin = BinaryCollationCharField(max_length=191, unique=True, verbose_name=_("origin"))
    book = models.ForeignKey("catalog.Book", models.CASCADE, related_name="other_origins", verbose_name=_("book"))

    def __str__(self) -> str:
        return self.origin


class ImportCheckpoint(models.Model):
    """The progress of an import, saved in the transaction of each batch and deleted when the file is finished."""

    file = BinaryCollationCharField(max_length=64, unique=True, help_text="Fingerprint of the file.")
    name = models.CharField(max_length=255, verbose_name=_("name"))
    stage = models.PositiveSmallIntegerField(default=0)
    next_line = models.PositiveBigIntegerField(default=1)
    counts = models.JSONField(default=dict)
    rejects_path = models.TextField(blank=True)
    rejects_size = models.PositiveBigIntegerField(default=0, help_text="Committed size of the rejects file in bytes.")
    updated_at = models.DateTimeField(default=timezone.now, verbose_name=_("updated at"))

    def __str__(self) -> str:
        return f"{self.name}, line {self.next_line}"
