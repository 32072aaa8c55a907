"""Signals of clubs, sent inside the transaction of what they tell, while the sender holds the club's row.

Receivers run in the order of INSTALLED_APPS, the lowest app first.
"""

from django.dispatch import Signal

# A club has become public or private. `club`, as it is now.
club_visibility_changed = Signal()

# A club is about to be deleted. Receivers lock, uncount and delete what is in it. `club`.
club_deleted = Signal()

# A membership has become active (`sign` 1) or is active no more (-1); the user's row is locked too. `club`, `user` (an
# id), `sign`.
membership_changed = Signal()

# Somebody has left a club, was removed or banned; sent after `membership_changed`. `club` and `user` (ids).
member_left = Signal()

# A book has been put on a reading list; the book's row is locked too. `entry`.
entry_added = Signal()

# Two entries of one list become one: `gone` is about to be deleted, `kept` stays. Receivers move what refers to the
# first and note that in the `merge`.
entry_merged = Signal()

# They become two again. Receivers move what the `merge` has noted from the entry `kept` to the entry `again`.
entry_unmerged = Signal()

# The counters of some entries must be computed anew. `entries` (ids), whose rows are locked.
entry_counters_outdated = Signal()

# A member's progress has been saved; the membership and the entry are locked, not the club. `before` (None for the
# first) and `after`.
progress_changed = Signal()
