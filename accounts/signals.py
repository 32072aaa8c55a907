"""Signals of accounts, sent inside the transaction of what they tell.

Receivers run in the order of INSTALLED_APPS, the lowest app first, which is the order in which everything locks rows:
users, clubs, books, reviews.
"""

from django.dispatch import Signal

# Something happened to an account. `event`: an `accounts.events.AccountEvent`.
account_event = Signal()

# An account is being deleted; its row is locked. Receivers detach or delete what refers to it. `user`, and `anonymise`:
# whether content that everybody may read stays, without its author.
account_deleted = Signal()

# Sent after all receivers of `account_deleted`, with the same arguments: nothing more is recorded about the account.
account_detached = Signal()
