"""Permission matrix of the admin: every page must be in the table.

Forbidden pages give 403 at their URL, whatever the menu shows. Other users are redirected to the login page.
"""

import itertools
from contextlib import suppress

import pytest
from django.contrib import admin
from django.contrib.auth.models import Group, Permission
from django.test import Client
from django.urls import NoReverseMatch, URLPattern, reverse

from accounts.roles import ADMINISTRATORS, CATALOG_EDITORS, MODERATORS

pytestmark = pytest.mark.django_db

A, M, C = ADMINISTRATORS, MODERATORS, CATALOG_EDITORS
VIEW = "view"

# Model -> role -> permissions. Superusers have the permissions of administrators, and may change groups.
PAGES: dict[str, dict[str, str]] = {
    "accounts.authsession": {A: VIEW},
    "accounts.user": {A: "view add change delete case", M: "view case"},
    "activity.event": {A: VIEW},
    "core.auditentry": {A: VIEW},
    "core.queuedtask": {A: VIEW},
    "auth.group": {A: VIEW},
    "catalog.book": {A: "view add change delete merge case", C: "view add change delete merge", M: "view case"},
    "catalog.merge": {A: "view change", C: "view change"},
    "catalog.proposededition": {A: VIEW, C: VIEW},
    "catalog.revision": {A: "view change", C: "view change"},
    "ballots.ballot": {A: VIEW},
    "meetings.datepoll": {A: VIEW},
    "clubs.club": {A: "view change delete case", M: "view case"},
    "clubs.entry": {A: VIEW},
    "clubs.entrychange": {A: VIEW},
    "clubs.invitation": {A: VIEW},
    "meetings.meeting": {A: VIEW},
    "clubs.membership": {A: VIEW, M: VIEW},
    "clubs.milestone": {A: VIEW},
    "clubs.progress": {A: VIEW},
    "discussions.thread": {A: VIEW, M: VIEW},
    "moderation.case": {A: "view decide", M: "view decide"},
    "moderation.decision": {A: VIEW, M: VIEW},
    "moderation.caseview": {A: VIEW, M: VIEW},
    "reviews.review": {A: "view delete case", M: "view case"},
}
# Permissions required by additional admin URLs.
EXTRA_PERMISSIONS = {
    "auth_user_password_change": "change",
    "activity_event_export": "view",
    "core_auditentry_export": "view",
    "catalog_book_duplicates": "merge",
    "catalog_book_merge": "merge",
    "moderation_case_open": "decide",
    "moderation_case_next": "view",
    "accounts_user_open_case": "case",
    "catalog_book_open_case": "case",
    "clubs_club_open_case": "case",
    "reviews_review_open_case": "case",
}
# Open to all staff; these pages show no data of other users.
ALL_STAFF = (
    "index",
    "two_factor_settings",
    "password_change",
    "password_change_done",
    "jsi18n",
    "search",
    "logout",
    "app_list",
)
# Open to everyone.
PUBLIC = ("login", "two_factor_setup")
# Permission depends on the requested object.
BY_OBJECT = ("view_on_site", "autocomplete")


def patterns():
    """Yield the name and the model of each admin URL."""
    model_of = {}
    for model, page in admin.site._registry.items():
        for pattern in page.get_urls():
            model_of[pattern.name] = model._meta.label_lower
    for pattern in itertools.chain.from_iterable(
        [found] if isinstance(found, URLPattern) else found.url_patterns for found in admin.site.get_urls()
    ):
        yield pattern.name, model_of.get(pattern.name)


def required_permission(name, label):
    """Return the permission that a page requires."""
    own = name.removeprefix(f"{label.replace('.', '_')}_")
    return {"changelist": "view", "change": "view", "history": "view", "add": "add", "delete": "delete"}.get(
        own
    ) or EXTRA_PERMISSIONS[name]


def admin_url(name):
    """Return the URL for a missing object, since permissions are checked first."""
    for arguments in ([], [987654321]):
        with suppress(NoReverseMatch):
            return reverse(f"admin:{name}", args=arguments)
    return reverse(f"admin:{name}", args=["review", 987654321])


@pytest.fixture
def as_role(make_user):
    clients = {}
    for n, role in enumerate((A, M, C, "nobody")):
        user = make_user(f"role{n}", is_staff=True)
        if role != "nobody":
            user.groups.add(Group.objects.get(name=role))
        clients[role] = Client()
        clients[role].force_login(user)
    return clients


def test_all_pages_are_in_the_matrix():
    assert {model._meta.label_lower for model in admin.site._registry} == set(PAGES)


def test_pages_are_limited_to_their_roles(as_role):
    wrong = []
    for name, label in patterns():
        if label is None or name is None:
            continue
        wanted, path = required_permission(name, label), admin_url(name)
        for role, client in as_role.items():
            allowed = wanted in PAGES[label].get(role, "").split()
            for method in ("get", "post"):
                status = getattr(client, method)(path).status_code
                # A visible list accepts POST for its actions, which have permissions of their own.
                if (status == 403) is allowed and not (allowed and (method, wanted) == ("post", "view")):
                    wrong.append((name, role, method, status))
    assert not wrong


def test_view_permission_does_not_allow_changes(as_role):
    wrong = []
    for label, row in PAGES.items():
        path = reverse(f"admin:{label.replace('.', '_')}_change", args=[987654321])
        for role, client in as_role.items():
            writes = {"change", "decide"} & set(row.get(role, "").split())
            if not writes and client.post(path).status_code != 403:
                wrong.append((label, role))
    assert not wrong


def test_view_permission_offers_no_actions(make_user):
    user, client = make_user("looker", is_staff=True), Client()
    user.user_permissions.set(Permission.objects.filter(codename__startswith="view_"))
    client.force_login(user)
    for label in PAGES:
        page = client.get(reverse(f"admin:{label.replace('.', '_')}_changelist"))
        assert (page.status_code, page.context["action_form"]) == (200, None), label


@pytest.mark.parametrize("chosen", ["x", "-1", ""])
def test_action_with_invalid_ids_is_rejected(as_role, chosen):
    for path in ("/admin/moderation/case/", "/admin/accounts/user/", "/admin/catalog/book/"):
        response = as_role[A].post(path, {"action": "delete_selected", "_selected_action": chosen})
        assert response.status_code == 400, path


def test_menu_shows_the_pages_of_each_role(as_role):
    for role, client in as_role.items():
        page = client.get("/admin/")
        shown = {f"{model['model']._meta.label_lower}" for app in page.context["app_list"] for model in app["models"]}
        assert shown == {label for label, row in PAGES.items() if role in row}, role


def test_non_staff_are_redirected_to_login(alice):
    reader = Client()
    reader.force_login(alice)
    for client in (Client(), reader):
        for name, label in patterns():
            if name is None or name in PUBLIC:
                continue
            path = admin_url(name) if label or name not in BY_OBJECT + ("app_list",) else "/admin/"
            response = client.get(path)
            assert response.status_code == 302, name
            assert response["Location"].startswith(("/admin/login/", "/admin/")), name
            assert client.post(path).status_code == 302, name


def test_all_pages_without_model_are_listed():
    names = {name for name, label in patterns() if label is None}
    assert names - {None} == {*ALL_STAFF, *PUBLIC, *BY_OBJECT}
