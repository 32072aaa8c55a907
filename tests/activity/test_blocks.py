"""A block suppresses personal notifications and hides the actor of the others."""

import pytest

from accounts.blocks import Block
from activity.choices import HIDDEN_BY_BLOCK, NotificationKind
from activity.models import Notification, ObjectRef
from activity.services import notify

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    "kind",
    [
        NotificationKind.REVIEW_LIKED,
        NotificationKind.REPLY,
        NotificationKind.MENTION,
        NotificationKind.JOIN_REQUEST,
        NotificationKind.MEETING_NEW,
    ],
)
def test_notifications_across_a_block(alice, bob, charlie, mallory, kind):
    Block.objects.block(on=mallory, by=alice)
    Block.objects.block(on=bob, by=mallory)
    notify(kind, [alice.pk, bob.pk, charlie.pk], actor=mallory.pk, object_ref=ObjectRef("review", 1, "Emma"))
    actors = dict(Notification.objects.values_list("user", "actor"))
    across = {} if kind in HIDDEN_BY_BLOCK else {alice.pk: None, bob.pk: None}
    assert actors == across | {charlie.pk: mallory.pk}
