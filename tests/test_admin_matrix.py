"""Every page of the admin for every role: a page that is not in the table fails the suite.

What a row does not allow a role is 403 at its address, whatever the menu shows; who is no staff is led to the sign-in.
"""

import itertools
from contextlib import suppress

import pytest
from django.contrib import admin
from django.contrib.auth.models import Group, Permission
from django.test import Client
from django.urls import NoReverseMatch, URLPattern, reverse

from accounts.staff.roles import ADMINISTRATORS, CATALOGUE_EDITORS, MODERATORS

pytestmark = pytest.mark.django_db

A, M, C = ADMINISTRATORS, MODERATORS, CATALOGUE_EDITORS
SEES = "view"

# A page: of each role what it may there. Superusers may what administrators may, and write groups.
PAGES: dict[str, dict[str, str]] = {
    "accounts.authsession": {A: SEES},
    "accounts.user": {A: "view add change delete case", M: "view case"},
    "activity.event": {A: SEES},
    "api.auditentry": {A: SEES},
    "api.queuedtask": {A: SEES},
    "auth.group": {A: SEES},
    "catalog.book": {A: "view add change delete merge case", C: "view add change delete merge", M: "view case"},
    "catalog.merge": {A: "view change", C: "view change"},
    "catalog.revision": {A: "view change", C: "view change"},
    "clubs.ballot": {A: SEES},
    "clubs.club": {A: "view change delete case", M: "view case"},
    "clubs.entry": {A: SEES},
    "clubs.entrychange": {A: SEES},
    "clubs.invitation": {A: SEES},
    "clubs.meeting": {A: SEES},
    "clubs.membership": {A: SEES, M: SEES},
    "clubs.milestone": {A: SEES},
    "clubs.progress": {A: SEES},
    "clubs.thread": {A: SEES, M: SEES},
    "moderation.case": {A: "view decide", M: "view decide"},
    "moderation.decision": {A: SEES, M: SEES},
    "moderation.opening": {A: SEES, M: SEES},
    "reviews.review": {A: "view delete case", M: "view case"},
}
# What the addresses beside Django's own ask for.
FURTHER = {
    "auth_user_password_change": "change",
    "activity_event_export": "view",
    "api_auditentry_export": "view",
    "catalog_book_duplicates": "merge",
    "catalog_book_merge": "merge",
    "moderation_case_about": "decide",
    "accounts_user_open_a_case": "case",
    "catalog_book_open_a_case": "case",
    "clubs_club_open_a_case": "case",
    "reviews_review_open_a_case": "case",
}
# Open to all staff: nothing of anybody else is on them.
FOR_ALL = (
    "index",
    "second_factor",
    "password_change",
    "password_change_done",
    "jsi18n",
    "search",
    "logout",
    "app_list",
)
# Open to everybody: the door.
DOOR = ("login", "enrol")
# Their own views look further, at what is asked for.
BY_OBJECT = ("view_on_site", "autocomplete")


def patterns():
    """Each address of the admin: its name, its pattern, and the model it is of."""
    of_model = {}
    for model, page in admin.site._registry.items():
        for pattern in page.get_urls():
            of_model[pattern.name] = model._meta.label_lower
    for pattern in itertools.chain.from_iterable(
        [found] if isinstance(found, URLPattern) else found.url_patterns for found in admin.site.get_urls()
    ):
        yield pattern.name, of_model.get(pattern.name)


def need(name, label):
    """What a page asks for, by its name."""
    own = name.removeprefix(f"{label.replace('.', '_')}_")
    return {"changelist": "view", "change": "view", "history": "view", "add": "add", "delete": "delete"}.get(
        own
    ) or FURTHER[name]


def address(name):
    """Its path, for an object that is not there: rights are asked for first."""
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


def test_each_page_is_in_the_table():
    assert {model._meta.label_lower for model in admin.site._registry} == set(PAGES)


def test_each_page_opens_to_the_roles_of_its_row(as_role):
    wrong = []
    for name, label in patterns():
        if label is None or name is None:
            continue
        wanted, path = need(name, label), address(name)
        for role, client in as_role.items():
            allowed = wanted in PAGES[label].get(role, "").split()
            for method in ("get", "post"):
                status = getattr(client, method)(path).status_code
                # A list that may be seen takes a POST for its actions, each with rights of its own.
                if (status == 403) is allowed and not (allowed and (method, wanted) == ("post", "view")):
                    wrong.append((name, role, method, status))
    assert not wrong


def test_what_may_only_be_seen_is_not_written(as_role):
    wrong = []
    for label, row in PAGES.items():
        path = reverse(f"admin:{label.replace('.', '_')}_change", args=[987654321])
        for role, client in as_role.items():
            writes = {"change", "decide"} & set(row.get(role, "").split())
            if not writes and client.post(path).status_code != 403:
                wrong.append((label, role))
    assert not wrong


def test_who_may_only_look_has_no_action(make_user):
    user, client = make_user("looker", is_staff=True), Client()
    user.user_permissions.set(Permission.objects.filter(codename__startswith="view_"))
    client.force_login(user)
    for label in PAGES:
        page = client.get(reverse(f"admin:{label.replace('.', '_')}_changelist"))
        assert (page.status_code, page.context["action_form"]) == (200, None), label


@pytest.mark.parametrize("chosen", ["x", "-1", ""])
def test_an_action_takes_ids_alone(as_role, chosen):
    for path in ("/admin/moderation/case/", "/admin/accounts/user/", "/admin/catalog/book/"):
        answer = as_role[A].post(path, {"action": "delete_selected", "_selected_action": chosen})
        assert answer.status_code == 400, path


def test_the_menu_shows_each_role_its_pages(as_role):
    for role, client in as_role.items():
        page = client.get("/admin/")
        shown = {f"{model['model']._meta.label_lower}" for app in page.context["app_list"] for model in app["models"]}
        assert shown == {label for label, row in PAGES.items() if role in row}, role


def test_who_is_no_staff_is_led_to_the_sign_in(alice):
    reader = Client()
    reader.force_login(alice)
    for client in (Client(), reader):
        for name, label in patterns():
            if name is None or name in DOOR:
                continue
            path = address(name) if label or name not in BY_OBJECT + ("app_list",) else "/admin/"
            answer = client.get(path)
            assert answer.status_code == 302, name
            assert answer["Location"].startswith(("/admin/login/", "/admin/")), name
            assert client.post(path).status_code == 302, name


def test_pages_of_no_model_are_known():
    names = {name for name, label in patterns() if label is None}
    assert names - {None} == {*FOR_ALL, *DOOR, *BY_OBJECT}
