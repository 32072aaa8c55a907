"""The admin shows no text written in private clubs, except through a report.

Pages, models and columns are read from the running site, so that later additions are tested too.
"""

import itertools

import pytest
from django.apps import apps
from django.contrib import admin
from django.contrib.auth.models import Group
from django.db import models
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import User
from accounts.roles import ADMINISTRATORS, CATALOG_EDITORS, MODERATORS
from catalog.models import Book
from core.tasks.worker import run_pending
from moderation.models import CaseView
from tests.ballots.helpers import later
from tests.meetings.helpers import ok

pytestmark = pytest.mark.django_db(transaction=True)

# A unique word for each text field that members write.
SECRETS = {
    "thread": "zephyrine",
    "post": "quixotry",
    "changed post": "marzipan",
    "meeting": "obsidian",
    "place": "wisteria",
    "url": "https://talk.example/juniper",
    "agenda": "calabash",
    "notes": "vermilion",
    "ballot": "tamarisk",
    "date poll": "sandalwood",
    "date poll place": "persimmon",
    "date poll url": "https://talk.example/oleander",
    "request": "halcyon",
    "note": "palimpsest",
    "former note": "sassafras",
    "milestone": "gossamer",
}
WORDS = [word.rpartition("/")[2].encode() for word in SECRETS.values()]
TEXTS = (models.CharField, models.TextField)
ROLES = [MODERATORS, CATALOG_EDITORS, ADMINISTRATORS, "superuser"]


@pytest.fixture
def world(alice, bob, charlie, make_user, make_club, client_of):
    """Create a club with all kinds of content and make it private. Bob is the author of the post."""
    club = make_club("Quiet readers", join_policy="request")
    as_alice, as_bob = client_of(alice), client_of(bob)
    base = f"/api/v1/clubs/{club.pk}/"
    ok(client_of(charlie).post(f"{base}join/", {"message": SECRETS["request"]}), 202)
    books = [Book.create_book(by=alice, title=title, authors=["Jane Austen"]) for title in ("Emma", "Sanditon")]
    body = {"book": books[0].pk, "note": SECRETS["former note"]}
    entry = ok(as_alice.post(f"{base}books/", body), 201)["id"]
    ok(as_alice.patch(f"{base}books/{entry}/", {"note": SECRETS["note"]}))
    other = ok(as_alice.post(f"{base}books/", {"book": books[1].pk}), 201)["id"]
    milestone = {"title": SECRETS["milestone"], "up_to_percent": 50, "due_on": "2027-01-01"}
    ok(as_alice.post(f"{base}books/{entry}/milestones/", milestone), 201)
    ballot = {"title": SECRETS["ballot"], "method": "approval", "candidates": [entry, other]}
    ok(as_alice.post(f"{base}ballots/", ballot | {"closes_at": later(days=7)}), 201)
    poll = {"title": SECRETS["date poll"], "place": SECRETS["date poll place"], "url": SECRETS["date poll url"]}
    dates = [later(days=8), later(days=9)]
    ok(as_alice.post(f"{base}date-polls/", poll | {"options": dates, "closes_at": later(days=7)}), 201)
    meeting = {name: SECRETS[name] for name in ("place", "url", "agenda", "notes")} | {"title": SECRETS["meeting"]}
    meeting |= {"starts_at": later(days=7), "duration_minutes": 60}
    for _n in range(2):
        made = ok(as_alice.post(f"{base}meetings/", meeting), 201)["id"]
        ok(as_bob.put(f"{base}meetings/{made}/rsvp/", {"answer": "yes"}))
    thread = ok(as_bob.post(f"{base}threads/", {"title": SECRETS["thread"], "body": SECRETS["post"]}), 201)["id"]
    post = ok(as_bob.get(f"{base}threads/{thread}/posts/"))["results"][0]["id"]
    ok(as_bob.patch(f"{base}posts/{post}/", {"body": f"{SECRETS['post']}, {SECRETS['changed post']}"}))
    ok(as_alice.post(f"{base}threads/{thread}/posts/", {"body": f"@bob {SECRETS['post']}", "reply_to": post}), 201)
    club.refresh_from_db()
    club.update_club(by=alice, visibility="private")
    run_pending()
    return {"club": club, "post": post, "meeting": made, "entry": other, "books": books, "base": base}


@pytest.fixture
def staff_client(make_user):
    """Return a client for a staff user with a role."""

    def sign_in(role):
        user = make_user(f"staff{ROLES.index(role)}", is_staff=True, is_superuser=role == "superuser")
        user.groups.set(Group.objects.filter(name=role))
        client = Client()
        client.force_login(user)
        return client

    return sign_in


def content(response):
    body = response.getvalue()
    response.close()
    return body + "".join(f"\n{name}: {value}" for name, value in response.headers.items()).encode()


def name_of(model, page):
    return f"admin:{model._meta.app_label}_{model._meta.model_name}_{page}"


@pytest.fixture
def hide_menu(monkeypatch):
    """Return a function that empties the menu of all later pages: it is the same on each, and slow."""
    return lambda: monkeypatch.setattr(admin.site, "get_app_list", lambda *args: [])


def pages(world):
    """Yield the URL of every admin page: plain, searched, filtered, sorted, and of single rows."""
    yield from (reverse(f"admin:{name}") for name in ("index", "password_change", "two_factor_settings"))
    first, second = (book.pk for book in world["books"])
    yield reverse("admin:catalog_book_merge") + f"?book={first}&book={second}"
    yield reverse("admin:catalog_book_duplicates")
    for path, what in itertools.product(("activity_event_export", "core_auditentry_export"), ("", "?q=alice")):
        yield reverse(f"admin:{path}") + what
    yield reverse("admin:search") + "?s=a"
    for model, page in admin.site._registry.items():
        listed = reverse(name_of(model, "changelist"))
        yield from (f"{listed}{query}" for query in ("", "?all=&o=1.2.3.4&e=1"))
        yield from (f"{listed}?q={word}" for word in ("alice", "quiet", world["club"].pk))
        # Custom filters.
        for listed_filter in page.list_filter:
            parameter = getattr(listed_filter, "parameter_name", None)
            yield from (f"{listed}?{parameter}={word}" for word in ("all", "yes", world["club"].pk) if parameter)
        yield from pages_of_rows(model, "change", "history", "delete")
    for model in apps.get_models():
        for field in model._meta.fields:
            if field.remote_field:
                asked = f"app_label={model._meta.app_label}&model_name={model._meta.model_name}&field_name={field.name}"
                yield reverse("admin:autocomplete") + f"?{asked}&term="


def pages_of_rows(model, *views):
    """Yield these pages of the five newest rows."""
    for pk in model._base_manager.order_by("-pk").values_list("pk", flat=True)[:5]:
        yield from (reverse(name_of(model, view), args=[pk]) for view in views)


def confirmations(client, world):
    """Yield the confirmation page of the delete action for each model."""
    for model, page in admin.site._registry.items():
        ids = list(page.model._base_manager.order_by("-pk").values_list("pk", flat=True)[:20])
        form = {"action": "delete_selected", "_selected_action": ids}
        yield f"delete {model.__name__}", client.post(reverse(name_of(model, "changelist")), form)


@pytest.mark.parametrize("role", ROLES)
def test_private_content_is_on_no_admin_page(world, staff_client, hide_menu, role):
    client, leaks, pages_seen = staff_client(role), [], 0
    if role in (ADMINISTRATORS, "superuser"):
        # These actions create log entries, which are checked below.
        for page, action, pk in (("meetings_meeting", "cancel", "meeting"), ("clubs_entry", "remove", "entry")):
            form = {"action": action, "_selected_action": [world[pk]]}
            assert client.post(reverse(f"admin:{page}_changelist"), form).status_code == 302
        run_pending()
    asked = ((path, client.get(path)) for path in pages(world))
    for call, response in itertools.chain(asked, confirmations(client, world)):
        assert response.status_code in (200, 302, 400, 403, 404), call
        pages_seen += response.status_code == 200
        text = content(response)
        leaks += [(call, word) for word in WORDS if word in text]
        hide_menu()
    assert leaks == []
    assert pages_seen > {MODERATORS: 100, CATALOG_EDITORS: 40, ADMINISTRATORS: 300, "superuser": 300}[role]


def test_private_content_is_not_found_by_admin_search(world, rf, staff):
    found = {}
    for page in admin.site._registry.values():
        for name, word in (SECRETS | {"user": "alice"}).items() if page.search_fields else ():
            request = rf.get("/", {"q": word})
            request.user = staff
            if rows := list(page.get_changelist_instance(request).result_list):
                found.setdefault(name, set()).add(type(rows[0]))
    assert User in found.pop("user")
    assert found == {}


def test_lookups_on_hidden_text_columns_are_rejected(world, staff_client):
    """Otherwise filtering by prefix would reveal the text letter by letter."""
    client, allowed = staff_client("superuser"), []
    for model, page in admin.site._registry.items():
        texts = [(field.name, field) for field in model._meta.fields if isinstance(field, TEXTS)]
        for field in model._meta.fields:
            there = field.remote_field.model._meta.fields if field.remote_field else ()
            texts += [(f"{field.name}__{other.name}", other) for other in there if isinstance(other, TEXTS)]
        for (column, _field), how in itertools.product(texts, ("startswith", "contains", "gt", "regex", "in__in")):
            if page.lookup_allowed(f"{column}__{how}", "z", None):
                allowed.append(f"{model.__name__}.{column}__{how}")
    assert allowed == []
    for page, column in (
        ("meetings_meeting", "agenda"),
        ("discussions_thread", "title"),
        ("clubs_membership", "message"),
        ("discussions_thread", "posts__body"),
    ):
        response = client.get(reverse(f"admin:{page}_changelist"), {f"{column}__startswith": "z"})
        assert response.status_code == 400, column


def test_public_content_is_on_the_same_pages(world, staff_client, hide_menu):
    """Otherwise the other tests would prove nothing."""
    world["club"].update_club(by=world["club"].owner, visibility="public")
    client, responses = staff_client(ADMINISTRATORS), []
    hide_menu()
    for model in admin.site._registry:
        paths = itertools.chain([reverse(name_of(model, "changelist"))], pages_of_rows(model, "change", "history"))
        responses += [content(client.get(path)) for path in paths]
    found = {word for word in WORDS if any(word in response for response in responses)}
    # The text of posts is only on case pages.
    assert found == {*WORDS} - {SECRETS["post"].encode(), SECRETS["changed post"].encode()}


@pytest.mark.parametrize("role", [MODERATORS, ADMINISTRATORS])
def test_report_reveals_the_post_and_logs_the_view(world, staff_client, client_of, moe, role):
    client = staff_client(role)
    about = reverse("admin:moderation_case_open", args=["post", world["post"]])
    assert client.get(about).status_code == 404
    report = {"target_type": "post", "target_id": world["post"], "reason": "abuse", "note": ""}
    ok(client_of(moe).post("/api/v1/reports/", report), 201)
    began = timezone.now()
    queue = content(client.get(reverse("admin:moderation_case_changelist")))
    # The queue shows the reported text, and nothing else of the club.
    assert {word for word in WORDS if word in queue} == {SECRETS["post"].encode(), SECRETS["changed post"].encode()}
    assert not CaseView.objects.exists()
    page = client.get(about, follow=True)
    text = content(page)
    # The post, its thread title and neighboring posts; nothing else of the club.
    assert {word for word in WORDS if word in text} == {SECRETS[n].encode() for n in ("thread", "post", "changed post")}
    opening = CaseView.objects.get()
    assert (opening.by, opening.case_id, opening.by_name) == (
        page.context["user"],
        page.context["case"].pk,
        "staff" + str(ROLES.index(role)),
    )
    assert opening.created_at >= began
    log = client.get(reverse("admin:moderation_caseview_changelist"))
    assert [row.by_name for row in log.context["cl"].result_list] == [opening.by_name]
    assert not [word for word in WORDS if word in content(log)]


def test_case_page_requires_moderation_permission(world, staff_client, client_of, moe):
    report = {"target_type": "post", "target_id": world["post"], "reason": "abuse", "note": ""}
    ok(client_of(moe).post("/api/v1/reports/", report), 201)
    client = staff_client(CATALOG_EDITORS)
    assert client.get(reverse("admin:moderation_case_open", args=["post", world["post"]])).status_code == 403
    assert not CaseView.objects.exists()
