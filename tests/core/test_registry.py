"""Contributions of apps, and the order in which apps receive signals."""

import pytest
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.dispatch import Signal

from accounts.signals import account_deleted
from clubs.signals import club_deleted
from core.registry import Registry, admin_panels, merge_handlers


def test_registry_keeps_order_of_registration():
    registry: Registry[int] = Registry()
    registry.register("b", 2)
    registry.register_all({"a": 1, "c": 3})
    registry.register("z", 26, first=True)
    assert list(registry.items()) == [("z", 26), ("b", 2), ("a", 1), ("c", 3)]


def test_registry_name_taken_is_refused():
    registry: Registry[int] = Registry()
    registry.register("a", 1)
    for first in (False, True):
        with pytest.raises(ImproperlyConfigured):
            registry.register("a", 2, first=first)
    assert registry == {"a": 1}


def test_panels_begin_with_what_waits_for_staff():
    assert list(admin_panels)[:2] == ["moderation", "tasks"]


def test_merges_move_lists_before_reviews():
    names = list(merge_handlers)
    assert names.index("entries") < names.index("reviews")


# Rows are locked in this order everywhere: users, clubs, books, reviews.
@pytest.mark.parametrize("signal", [account_deleted, club_deleted], ids=["account_deleted", "club_deleted"])
def test_receivers_run_in_order_of_layers(signal: Signal):
    found = [receiver().__module__.partition(".")[0] for _key, receiver, *_rest in signal.receivers]
    assert {"clubs", "meetings", "discussions"} <= set(found)
    assert found == sorted(found, key=settings.INSTALLED_APPS.index)
