import datetime
import re

import pytest
from django.contrib.auth.models import Group, Permission
from django.core.management import call_command
from django.test import Client
from django.utils import timezone

from accounts import tokens
from accounts.models import AuthSession, User
from accounts.roles import ADMINISTRATORS, CATALOG_EDITORS, MODERATORS, ROLES
from accounts.two_factor.models import TOTPDevice
from core.api.exceptions import PermissionDeniedProblem

pytestmark = pytest.mark.django_db

USERS, GROUPS, SESSIONS = "/admin/accounts/user/", "/admin/auth/group/", "/admin/accounts/authsession/"
NEW = "a new horse battery"


def make_staff_user(make_user, name, role):
    user = make_user(name, is_staff=True)
    user.groups.add(Group.objects.get(name=role))
    return user


def client_as(user):
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def administrator(make_user):
    return make_staff_user(make_user, "ada", ADMINISTRATORS)


@pytest.fixture
def moderator(make_user):
    return make_staff_user(make_user, "moe", MODERATORS)


def page_of(user):
    return f"{USERS}{user.pk}/change/"


def form_of(user, **changes):
    page = {name: getattr(user, name) for name in ("username", "display_name", "bio", "language", "timezone", "email")}
    page |= {"is_active": "on"}
    return page | ({"is_staff": "on"} if user.is_staff else {}) | changes


def permissions(name):
    group = Group.objects.get(name=name)
    return {f"{app}.{code}" for app, code in group.permissions.values_list("content_type__app_label", "codename")}


def test_roles_exist_after_migrate():
    assert set(Group.objects.values_list("name", flat=True)) >= set(ROLES)
    assert "accounts.appoint_staff" in permissions(ADMINISTRATORS)
    assert "core.view_auditentry" in permissions(ADMINISTRATORS)
    assert not any(code.startswith(("auth.add", "auth.change", "auth.delete")) for code in permissions(ADMINISTRATORS))
    assert permissions(CATALOG_EDITORS) > {"catalog.change_book", "catalog.view_revision"}
    assert {code.partition(".")[0] for code in permissions(CATALOG_EDITORS)} == {"catalog"}
    others = {code for code in permissions(MODERATORS) if not code.startswith("moderation.")}
    assert "accounts.view_user" in others
    assert all(code.partition(".")[2].startswith("view_") for code in others)


def test_migrate_restores_role_permissions():
    group = Group.objects.get(name=MODERATORS)
    right = permissions(MODERATORS)
    group.permissions.set(Permission.objects.filter(codename="change_user"))
    Group.objects.filter(name=ADMINISTRATORS).delete()
    call_command("migrate", verbosity=0)
    assert permissions(MODERATORS) == right
    assert permissions(ADMINISTRATORS)


def test_migrate_keeps_custom_groups():
    own = Group.objects.create(name="Helpers")
    own.permissions.set(Permission.objects.filter(codename="view_user"))
    call_command("migrate", verbosity=0)
    assert permissions("Helpers") == {"accounts.view_user"}


def test_administrator_assigns_roles(administrator, alice):
    client = client_as(administrator)
    group = Group.objects.get(name=MODERATORS)
    assert client.post(page_of(alice), form_of(alice, is_staff="on", groups=[group.pk])).status_code == 302
    alice.refresh_from_db()
    assert alice.is_staff
    assert list(alice.groups.all()) == [group]
    assert client_as(alice).get(USERS).status_code == 200


def test_administrator_cannot_create_superusers(administrator, alice):
    client = client_as(administrator)
    for user in (alice, administrator):
        assert client.post(page_of(user), form_of(user, is_superuser="on")).status_code == 302
        user.refresh_from_db()
        assert not user.is_superuser


def test_superuser_is_changed_only_by_superusers(administrator, staff, alice):
    client = client_as(administrator)
    password = {"password1": NEW, "password2": NEW, "usable_password": "true"}
    assert client.get(page_of(staff)).status_code == 200  # read-only
    assert client.post(page_of(staff), form_of(staff)).status_code == 403
    assert client.post(f"{USERS}{staff.pk}/password/", password).status_code == 403
    assert client.post(f"{USERS}{staff.pk}/delete/", {"post": "yes"}).status_code == 403
    both = {"action": "delete_selected", "_selected_action": [staff.pk, alice.pk], "post": "yes"}
    assert client.post(USERS, both).status_code == 403
    TOTPDevice.objects.create(user=staff, secret="x", last_step=0)
    client.post(USERS, {"action": "reset_two_factor", "_selected_action": [staff.pk]})
    assert TOTPDevice.objects.filter(user=staff).exists()
    assert User.objects.filter(pk__in=[staff.pk, alice.pk]).count() == 2
    assert client_as(staff).post(page_of(staff), form_of(staff, is_superuser="on", bio="x")).status_code == 302


@pytest.fixture
def helper(make_user):
    """A staff user in a custom group that may only view, change and delete users."""
    group = Group.objects.create(name="Helpers")
    group.permissions.set(Permission.objects.filter(codename__in=["view_user", "change_user", "delete_user"]))
    user = make_user("helper", is_staff=True)
    user.groups.add(group)
    return user


def test_support_staff_cannot_escalate_privileges(helper, administrator, moderator, alice):
    client = client_as(helper)
    every = {"is_superuser": "on", "is_staff": "on", "groups": list(Group.objects.values_list("pk", flat=True))}
    every |= {"user_permissions": list(Permission.objects.values_list("pk", flat=True))}
    for user in (helper, alice):
        was = (user.is_staff, list(user.groups.all()))
        assert client.post(page_of(user), form_of(user, bio="Changed.", **every)).status_code == 302
        user = User.objects.get(pk=user.pk)
        assert (user.bio, user.is_superuser) == ("Changed.", False)
        assert (user.is_staff, list(user.groups.all())) == was
        assert not user.user_permissions.exists()
    password = {"password1": NEW, "password2": NEW, "usable_password": "true"}
    for user in (administrator, moderator):
        assert client.post(page_of(user), form_of(user, is_active="")).status_code == 403
        assert client.post(f"{USERS}{user.pk}/password/", password).status_code == 403
        assert client.post(f"{USERS}{user.pk}/delete/", {"post": "yes"}).status_code == 403
    TOTPDevice.objects.get_or_create(user=moderator, defaults={"secret": "x", "last_step": 0})
    client.post(USERS, {"action": "reset_two_factor", "_selected_action": [moderator.pk]})
    assert TOTPDevice.objects.filter(user=moderator).exists()


def test_actions_skip_unmanageable_accounts(helper, administrator, moderator, staff, alice):
    User.objects.update(avatar="a.webp")
    helper.user_permissions.add(Permission.objects.get(codename="view_authsession"))
    for by, others in {helper: (moderator, administrator, staff), administrator: (staff,)}.items():
        client, ids = client_as(by), [user.pk for user in (*others, alice)]
        for path, action in ((USERS, "end_sessions"), (SESSIONS, "end")):
            for user in (*others, alice):
                tokens.sign_in(user, device="Phone")
            live = AuthSession.objects.filter(user__in=ids).active()
            chosen = ids if path == USERS else list(live.values_list("pk", flat=True))
            client.post(path, {"action": action, "_selected_action": chosen})
            assert set(live.values_list("user", flat=True)) == {user.pk for user in others}, (by, action)
        client.post(USERS, {"action": "remove_avatars", "_selected_action": ids})
        assert set(User.objects.filter(pk__in=ids).exclude(avatar="").values_list("pk", flat=True)) == set(ids[:-1]), by


def test_moderator_cannot_change_accounts(moderator, alice):
    client = client_as(moderator)
    assert client.get(page_of(alice)).status_code == 200
    for user in (moderator, alice):
        assert client.post(page_of(user), form_of(user, is_superuser="on")).status_code == 403
        assert client.post(f"{USERS}{user.pk}/password/", {"password1": NEW, "password2": NEW}).status_code == 403
    assert client.post(f"{USERS}add/", {"username": "x"}).status_code == 403
    assert "reset_two_factor" not in client.get(USERS).content.decode()


def test_roles_are_read_only_and_groups_need_superuser(administrator, staff):
    own = Group.objects.create(name="Helpers")
    role = Group.objects.get(name=MODERATORS)
    for client, statuses in (
        (client_as(administrator), (200, 403, 403, 403)),
        (client_as(staff), (200, 403, 302, 302)),
    ):
        found = (
            client.get(f"{GROUPS}{role.pk}/change/").status_code,
            client.post(f"{GROUPS}{role.pk}/change/", {"name": "x"}).status_code,
            client.post(f"{GROUPS}{own.pk}/change/", {"name": "Helpers"}).status_code,
            client.post(f"{GROUPS}add/", {"name": f"by {statuses[3]}"}).status_code,
        )
        assert found == statuses


def test_suspending_staff_requires_higher_rank(moderator, administrator, alice, staff):
    until = timezone.now() + datetime.timedelta(days=1)
    alice.suspend(until, by=moderator)
    for by, user in ((moderator, administrator), (administrator, staff)):
        with pytest.raises(PermissionDeniedProblem):
            user.suspend(until, by=by)
    moderator.suspend(until, by=administrator)
    administrator.suspend(until, by=staff)
    assert User.objects.filter(suspended_until=until).count() == 3


def test_role_without_is_staff_gives_no_access(make_user):
    reader = make_user("reader")
    reader.groups.add(Group.objects.get(name=ADMINISTRATORS))
    assert client_as(reader).get(USERS).status_code == 302


def test_role_permissions_are_translated(administrator, make_user):
    roles, other = Group.objects.get(name=MODERATORS), Group.objects.create(name="Book friends")
    boss = client_as(make_user("root", is_staff=True, is_superuser=True, language="pt-BR"))
    read = client_as(administrator).get(f"{GROUPS}{roles.pk}/change/").content.decode()
    assert "Case: Can decide cases, View" in re.findall(r"([^<>]*)<br>", read)
    assert "Review: View" in read
    assert "token" not in read.replace("csrfmiddlewaretoken", "")
    # Superusers can change the permissions of custom groups, but not of roles.
    read = boss.get(f"{GROUPS}{roles.pk}/change/", HTTP_ACCEPT_LANGUAGE="pt-BR").content.decode()
    assert "Caso: Pode decidir casos, Visualizar" in re.findall(r"([^<>]*)<br>", read)
    assert 'name="permissions"' not in read
    read = boss.get(f"{GROUPS}{other.pk}/change/", HTTP_ACCEPT_LANGUAGE="pt-BR").content.decode()
    assert "Caso: Pode decidir casos" in read
    assert 'name="permissions"' in read
    assert "Can " not in read
