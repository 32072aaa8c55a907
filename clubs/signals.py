"""Signals of clubs, sent inside the transaction of the change.

Receivers run in the order of INSTALLED_APPS. Unless stated otherwise, the club is locked. Arguments are in backticks.
"""

from django.dispatch import Signal

# The visibility of `club` has changed. The first receiver locks the books and entries of its reading list.
club_visibility_changed = Signal()

# `club` is about to be deleted. Receivers lock its content, subtract it from counters and delete it.
club_deleted = Signal()

# A membership of the user `user_id` in `club` has become active (`sign` 1) or is no longer active (-1). The user is
# locked too.
membership_changed = Signal()

# The user `user_id` has left the club `club_id`, was removed or banned. Sent after `membership_changed`.
member_left = Signal()

# The dates of `entry` from the day `since` on move by `days`, on behalf of `by`. Its book is locked too. Receivers move
# what belongs to the entry, and return how many objects these are.
entry_shifted = Signal()

# `entry` was added to a reading list. The book is locked too.
entry_added = Signal()

# `entry` is about to be deleted. Objects that refer to it stay.
entry_removed = Signal()

# Entry `source` is merged into entry `target` of the same list and about to be deleted. Receivers move the objects that
# refer to it and record them in `merge`.
entry_merged = Signal()

# The merge of two entries is undone. Receivers move the objects recorded in `merge` from `target` back to `restored`.
entry_unmerged = Signal()

# The counters of `entries` (ids of locked rows) must be recomputed.
entry_counters_outdated = Signal()

# The progress of the member `user` in `entry` was saved: `before` (None for the first) and `after` (None if it was
# deleted). Membership and entry are locked, but not the club.
progress_changed = Signal()
