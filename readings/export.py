"""The section of a user's data export."""

from accounts.export import Section, iter_rows
from accounts.models import User
from readings.models import Reading

FIELDS = ("book", "entry", "state", "percent", "started_on", "finished_on", "source", "hidden", "created_at")


def readings(user: User) -> Section:
    """Return the user's readings."""
    return iter_rows(Reading.objects.filter(user=user), *FIELDS, book_title="book__title")
