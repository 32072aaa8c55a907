"""What becomes of the clubs of an account that goes."""

import pytest
from django.utils import timezone

from accounts.models import User
from clubs.models import Club, Membership
from tests.clubs.helpers import bring_in, check_invariants

pytestmark = pytest.mark.django_db


def heir_of(club, gone):
    Membership.objects.end_all(gone)
    check_invariants()
    club = Club.objects.filter(pk=club.pk).first()
    return club and club.owner.username


def test_the_longest_serving_moderator_inherits(make_club, make_user, alice):
    club = make_club()
    newer, older = make_user("newer"), make_user("older")
    for user, days in ((newer, 1), (older, 400)):
        bring_in(club, user, role="moderator")
        joined = timezone.now() - timezone.timedelta(days=days)
        Membership.objects.filter(user=user).update(joined_at=joined)
    assert heir_of(club, alice) == "older"
    club.refresh_from_db()
    assert club.members_count == 4


def test_else_the_longest_serving_member(make_club, make_user, alice, charlie):
    club = make_club(alone=True)
    for status, name in (("pending", "asker"), ("banned", "banned"), ("left", "leaver")):
        bring_in(club, make_user(name), status=status)
    bring_in(club, charlie)
    bring_in(club, make_user("later"))
    assert heir_of(club, alice) == "charlie"


def test_else_the_club_goes_too(make_club, make_user, alice):
    club = make_club(alone=True)
    bring_in(club, make_user("asker"), status="pending")
    assert heir_of(club, alice) is None


def test_nothing_of_the_reader_stays_anywhere(club, make_user, bob, charlie):
    owned = Club.found(by=charlie, name="Charlie's")
    bring_in(owned, bob, status="pending")
    banned = Club.found(by=charlie, name="Other")
    bring_in(banned, bob, status="banned")
    Membership.objects.end_all(bob)
    check_invariants()
    assert not Membership.objects.filter(user=bob).exists()
    bob.sessions.all().delete()
    bob.delete()
    assert not User.objects.filter(username="bob").exists()


def test_two_who_go_one_after_the_other(make_club, alice, bob, moe):
    club = make_club()
    assert heir_of(club, alice) == "moe"
    assert heir_of(club, moe) == "bob"
    assert heir_of(club, bob) is None
