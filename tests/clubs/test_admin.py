"""Admin of clubs, memberships and invitations."""

import pytest
from django.contrib.auth.models import Permission
from django.test import Client
from django.urls import reverse

from accounts.models import User
from clubs.models import Club, Invitation, Membership
from tests.clubs.helpers import bring_in, check_invariants

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def invariants(db):
    yield
    check_invariants()


def page(as_staff, name, *args, **parameters):
    response = as_staff.get(reverse(f"admin:clubs_{name}", args=args), parameters)
    assert response.status_code == 200
    return response.content.decode()


def act(as_staff, model, action, rows):
    body = {"action": action, "_selected_action": [row.pk for row in rows]}
    response = as_staff.post(reverse(f"admin:clubs_{model}_changelist"), body, follow=True)
    assert response.status_code == 200
    return response.content.decode()


@pytest.mark.django_db(transaction=True)
def test_club_search_by_words_and_id(as_staff, make_club):
    club = make_club("Círculo", description="à noite")
    make_club("Day readers", alone=True)
    for query in ("circulo noite", str(club.pk)):
        found = page(as_staff, "club_changelist", q=query)
        assert "Círculo" in found
        assert "Day readers" not in found
    assert "Day readers" not in page(as_staff, "club_changelist", visibility__exact="private")


@pytest.mark.parametrize("many", [1, 1_000])
def test_membership_search_by_club_and_username(as_staff, club, make_club, many, monkeypatch):
    # Covers both search strategies: by user ids, and in list order if there are too many.
    monkeypatch.setattr("core.admin.filters.MAX_USER_IDS_IN_FILTER", many)
    other = make_club("Other", alone=True)
    for parameters in ({"q": str(club.pk)}, {"club__id__exact": club.pk}):
        found = page(as_staff, "membership_changelist", **parameters)
        assert "Night readers" in found
        assert "Other" not in found
    found = page(as_staff, "membership_changelist", q="MO")
    assert "moe" in found
    assert ">bob<" not in found
    assert other.name in page(as_staff, "membership_changelist", q="alice")
    assert ">bob<" not in page(as_staff, "membership_changelist", q="nobody")


def test_club_update_is_validated(as_staff, club):
    url = reverse("admin:clubs_club_change", args=[club.pk])
    form = {"name": "Renamed", "description": "", "visibility": "private", "join_policy": "open", "timezone": "UTC"}
    assert as_staff.post(url, {**form, "language": "PT-br", "member_limit": "2"}).status_code == 200
    club.refresh_from_db()
    assert club.name == "Night readers"
    assert as_staff.post(url, {**form, "language": "PT-br", "member_limit": "3"}).status_code == 302
    club.refresh_from_db()
    assert (club.name, club.name_key, club.visibility, club.join_policy) == ("Renamed", "renamed", "private", "invite")
    assert (club.language, club.member_limit, club.members_count) == ("pt-br", 3, 3)


def test_club_delete(as_staff, club, make_club):
    url = reverse("admin:clubs_club_delete", args=[club.pk])
    assert as_staff.get(url).status_code == 200
    assert as_staff.post(url, {"post": "yes"}).status_code == 302
    make_club("Second")
    body = {"action": "delete_selected", "_selected_action": [Club.objects.get().pk], "post": "yes"}
    assert as_staff.post(reverse("admin:clubs_club_changelist"), body).status_code == 302
    assert not Club.objects.exists()


def test_club_add_and_membership_change_are_forbidden(as_staff, club, bob):
    assert as_staff.get(reverse("admin:clubs_club_add")).status_code == 403
    row = club.get_membership(bob)
    assert "bob" in page(as_staff, "membership_change", row.pk)
    url = reverse("admin:clubs_membership_change", args=[row.pk])
    assert as_staff.post(url, {"status": "banned"}).status_code == 403


def test_remove_and_ban_actions_skip_the_owner(as_staff, club, alice, bob, moe):
    rows = {user.username: club.get_membership(user) for user in (alice, bob, moe)}
    content = act(as_staff, "membership", "remove", [rows["alice"], rows["bob"]])
    assert "with a lower role" in content
    act(as_staff, "membership", "ban", [rows["moe"]])
    found = {row.user.username: row.status for row in Membership.objects.all()}
    assert found == {"alice": "active", "bob": "left", "moe": "banned"}


def test_actions_require_change_permission(club, bob, make_user):
    viewer = make_user("looker", is_staff=True)
    viewer.user_permissions.set(Permission.objects.filter(codename__in=["view_membership", "view_invitation"]))
    client = Client()
    client.force_login(User.objects.get(pk=viewer.pk))
    act(client, "membership", "remove", [club.get_membership(bob)])
    assert club.get_membership(bob).status == "active"


def test_invitations_can_be_revoked_and_hide_the_code(as_staff, club, alice):
    invitation, code = Invitation.create_with_code(club, by=alice, expires_in_hours=1, max_uses=1)
    pages = page(as_staff, "invitation_changelist", q="alice"), page(as_staff, "invitation_change", invitation.pk)
    for found in pages:
        assert code not in found
        assert invitation.digest not in found
        assert invitation.digest[:12] not in found
    act(as_staff, "invitation", "revoke", [invitation])
    invitation.refresh_from_db()
    assert invitation.revoked_at is not None


@pytest.mark.parametrize("count", [3, 40])
def test_admin_query_count_is_constant(as_staff, club, make_user, count, django_assert_max_num_queries):
    for n in range(count):
        user = make_user(f"user{n}")
        bring_in(club, user)
        Club.create_club(by=user, name=f"Club {n}")
    # Warm up the content type cache, which lives as long as the process.
    page(as_staff, "club_change", club.pk)
    # Session, user with permissions, capped count, page.
    for name in ("club_changelist", "membership_changelist", "invitation_changelist"):
        with django_assert_max_num_queries(8):
            page(as_staff, name)
    with django_assert_max_num_queries(8):
        found = page(as_staff, "club_change", club.pk)
    assert "<option" not in found or "user1" not in found
