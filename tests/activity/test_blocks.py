"""A block suppresses personal notifications and hides the actor of the others."""

import pytest

from accounts.blocks import Block
from activity.kinds import PERSONAL, Kind
from activity.models import Notification, Thing
from activity.services import notify

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("kind", [Kind.REVIEW_LIKED, Kind.REPLY, Kind.MENTION, Kind.JOIN_REQUEST, Kind.MEETING_NEW])
def test_notifications_across_a_block(alice, bob, charlie, mallory, kind):
    Block.objects.place(on=mallory, by=alice)
    Block.objects.place(on=bob, by=mallory)
    notify(kind, [alice.pk, bob.pk, charlie.pk], actor=mallory.pk, thing=Thing("review", 1, "Emma"))
    actors = dict(Notification.objects.values_list("user", "actor"))
    across = {} if kind in PERSONAL else {alice.pk: None, bob.pk: None}
    assert actors == across | {charlie.pk: mallory.pk}
