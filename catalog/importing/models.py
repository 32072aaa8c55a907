"""What imports keep in the database beside the books: names to resolve, second origins, and where they stand."""

from django.db import models
from django.utils import timezone

from bookbridge.api.fields import KeyField


class ImportedAuthor(models.Model):
    """The name of an author of Open Library, for works that refer to it by its key."""

    key = KeyField(max_length=40, unique=True)
    name = models.CharField(max_length=200)

    def __str__(self) -> str:
        return self.name


class OtherOrigin(models.Model):
    """A further origin of a book (see Book.origin): two files have it, and it is one book here."""

    origin = KeyField(max_length=191, unique=True)
    book = models.ForeignKey("catalog.Book", models.CASCADE, related_name="other_origins")

    def __str__(self) -> str:
        return self.origin


class ImportCheckpoint(models.Model):
    """How far a file has come in. It moves in the transaction of the rows, and goes when the file is finished."""

    file = KeyField(max_length=64, unique=True, help_text="LineFile.identity().")
    name = models.CharField(max_length=255)
    stage = models.PositiveSmallIntegerField(default=0)
    next_line = models.PositiveBigIntegerField(default=1)
    counts = models.JSONField(default=dict)
    rejects_path = models.TextField(blank=True)
    rejects_size = models.PositiveBigIntegerField(default=0, help_text="Bytes of the rejects file that are settled.")
    updated_at = models.DateTimeField(default=timezone.now)

    def __str__(self) -> str:
        return f"{self.name}, line {self.next_line}"
