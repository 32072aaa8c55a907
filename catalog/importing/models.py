"""Tables of the import: author names, alternate origins and checkpoints."""

from django.db import models
from django.utils import timezone

from bookbridge.api.fields import KeyField


class ImportedAuthor(models.Model):
    """The name of an Open Library author, to which works refer by key."""

    key = KeyField(max_length=40, unique=True)
    name = models.CharField(max_length=200)

    def __str__(self) -> str:
        return self.name


class OtherOrigin(models.Model):
    """A further origin of a book (see `Book.origin`) that is in more than one source."""

    origin = KeyField(max_length=191, unique=True)
    book = models.ForeignKey("catalog.Book", models.CASCADE, related_name="other_origins")

    def __str__(self) -> str:
        return self.origin


class ImportCheckpoint(models.Model):
    """The progress of an import, saved in the transaction of each batch and deleted when the file is finished."""

    file = KeyField(max_length=64, unique=True, help_text="Fingerprint of the file.")
    name = models.CharField(max_length=255)
    stage = models.PositiveSmallIntegerField(default=0)
    next_line = models.PositiveBigIntegerField(default=1)
    counts = models.JSONField(default=dict)
    rejects_path = models.TextField(blank=True)
    rejects_size = models.PositiveBigIntegerField(default=0, help_text="Committed size of the rejects file in bytes.")
    updated_at = models.DateTimeField(default=timezone.now)

    def __str__(self) -> str:
        return f"{self.name}, line {self.next_line}"
