"""Signals of meetings, sent inside the transaction of the change.

Receivers run in the order of INSTALLED_APPS. The club is locked. Arguments are in backticks.
"""

from django.dispatch import Signal

# `meetings` were changed, cancelled or deleted.
meetings_changed = Signal()
