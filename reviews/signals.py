"""Signals of reviews, sent inside the transaction of the change."""

from django.dispatch import Signal

# Ratings that are public or shared with clubs were added or removed. `changes` maps (author id, book id, half-stars,
# whether public) to the difference in number. The authors and books are locked.
ratings_changed = Signal()
