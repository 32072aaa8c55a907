"""Clubs of a deleted account."""

import pytest
from django.utils import timezone

from accounts.models import User
from clubs.models import Club, Membership
from tests.clubs.helpers import bring_in, check_invariants

pytestmark = pytest.mark.django_db


def delete_and_get_owner(club, user):
    Membership.objects.remove_user_everywhere(user)
    check_invariants()
    club = Club.objects.filter(pk=club.pk).first()
    return club and club.owner.username


def test_club_passes_to_longest_serving_moderator(make_club, make_user, alice):
    club = make_club()
    newer, older = make_user("newer"), make_user("older")
    for user, days in ((newer, 1), (older, 400)):
        bring_in(club, user, role="moderator")
        joined = timezone.now() - timezone.timedelta(days=days)
        Membership.objects.filter(user=user).update(joined_at=joined)
    assert delete_and_get_owner(club, alice) == "older"
    club.refresh_from_db()
    assert club.members_count == 4


def test_club_without_moderators_passes_to_member(make_club, make_user, alice, charlie):
    club = make_club(alone=True)
    for status, name in (("pending", "asker"), ("banned", "banned"), ("left", "leaver")):
        bring_in(club, make_user(name), status=status)
    bring_in(club, charlie)
    bring_in(club, make_user("later"))
    assert delete_and_get_owner(club, alice) == "charlie"


def test_club_without_members_is_deleted(make_club, make_user, alice):
    club = make_club(alone=True)
    bring_in(club, make_user("asker"), status="pending")
    assert delete_and_get_owner(club, alice) is None


def test_deletion_removes_all_memberships(club, make_user, bob, charlie):
    owned = Club.create_club(by=charlie, name="Charlie's")
    bring_in(owned, bob, status="pending")
    banned = Club.create_club(by=charlie, name="Other")
    bring_in(banned, bob, status="banned")
    Membership.objects.remove_user_everywhere(bob)
    check_invariants()
    assert not Membership.objects.filter(user=bob).exists()
    bob.sessions.all().delete()
    bob.delete()
    assert not User.objects.filter(username="bob").exists()


def test_consecutive_deletions_pass_the_club_on(make_club, alice, bob, moe):
    club = make_club()
    assert delete_and_get_owner(club, alice) == "moe"
    assert delete_and_get_owner(club, moe) == "bob"
    assert delete_and_get_owner(club, bob) is None
