"""Signals of reviews, sent inside the transaction of what they tell."""

from django.dispatch import Signal

# Public ratings have been added or removed; the rows of their authors and books are locked. `changes`: (author's id,
# book's id, half-stars) -> how many more.
ratings_changed = Signal()
