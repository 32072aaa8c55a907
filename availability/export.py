"""Section of a user's data export about the books that they can get."""

from accounts.export import Section, iter_rows
from accounts.models import User
from availability.models import Availability


def answers(user: User) -> Section:
    """Return the user's answers."""
    rows = Availability.objects.filter(user=user)
    return iter_rows(rows, "entry", "answer", "format", "lends", "lent_to", club="entry__club")


def borrowed(user: User) -> Section:
    """Return what other members have lent to the user."""
    return iter_rows(Availability.objects.filter(lent_to=user), "entry", "format", "user", club="entry__club")


EXPORT_SECTIONS = {"access_answers": answers, "books_borrowed": borrowed}
