"""Signals of accounts, sent inside the transaction of the change.

Receivers run in the order of INSTALLED_APPS, lowest app first. This is also the order in which all code locks rows:
users, clubs, books, reviews.
"""

from django.dispatch import Signal

# An event of an account. Argument: `event`, an `accounts.events.AccountEvent`.
account_event = Signal()

# An account is being created with the code of an invitation. Arguments: `user` and `code`. The receiver accepts the
# invitation and returns the summary of the club; it raises Http404 for an invalid code.
account_invited = Signal()

# An account is being deleted; its row is locked. Receivers detach or delete the rows that refer to it. Arguments:
# `user`, and `anonymize`: whether to keep reviews without their author instead of deleting them.
account_deleted = Signal()

# Sent after all receivers of `account_deleted`, with the same arguments. No more events are recorded about the account.
account_detached = Signal()
