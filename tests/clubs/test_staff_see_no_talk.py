"""The staff's room under attack: of what members of a private club write no page shows a word, until a report does.

Pages, tables and columns are those of the server, so that one added later is attacked too.
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

from accounts.staff.roles import ADMINISTRATORS, CATALOGUE_EDITORS, MODERATORS
from bookbridge.api.tasks.worker import run_pending
from catalog.models import Book
from moderation.models import Opening
from tests.clubs.ballots.helpers import later
from tests.clubs.meetings.helpers import ok

pytestmark = pytest.mark.django_db(transaction=True)

# A word in each text that members write.
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
    "request": "halcyon",
    "note": "palimpsest",
    "former note": "sassafras",
    "milestone": "gossamer",
}
WORDS = [word.rpartition("/")[2].encode() for word in SECRETS.values()]
TEXTS = (models.CharField, models.TextField)
ROLES = [MODERATORS, CATALOGUE_EDITORS, ADMINISTRATORS, "superuser"]


@pytest.fixture
def world(alice, bob, charlie, make_user, make_club, client_of):
    """A club in which everything is written that can be, and which then turns private; Bob has written the post."""
    club = make_club("Quiet readers", join_policy="request")
    as_alice, as_bob = client_of(alice), client_of(bob)
    room = f"/api/v1/clubs/{club.pk}/"
    ok(client_of(charlie).post(f"{room}join/", {"message": SECRETS["request"]}), 202)
    books = [Book.add(by=alice, title=title, authors=["Jane Austen"]) for title in ("Emma", "Sanditon")]
    body = {"book": books[0].pk, "note": SECRETS["former note"]}
    entry = ok(as_alice.post(f"{room}books/", body), 201)["id"]
    ok(as_alice.patch(f"{room}books/{entry}/", {"note": SECRETS["note"]}))
    other = ok(as_alice.post(f"{room}books/", {"book": books[1].pk}), 201)["id"]
    milestone = {"title": SECRETS["milestone"], "up_to_percent": 50, "due_on": "2027-01-01"}
    ok(as_alice.post(f"{room}books/{entry}/milestones/", milestone), 201)
    ballot = {"title": SECRETS["ballot"], "method": "approval", "candidates": [entry, other]}
    ok(as_alice.post(f"{room}ballots/", ballot | {"closes_at": later(days=7)}), 201)
    meeting = {name: SECRETS[name] for name in ("place", "url", "agenda", "notes")} | {"title": SECRETS["meeting"]}
    meeting |= {"starts_at": later(days=7), "duration_minutes": 60}
    for _n in range(2):
        made = ok(as_alice.post(f"{room}meetings/", meeting), 201)["id"]
        ok(as_bob.put(f"{room}meetings/{made}/rsvp/", {"answer": "yes"}))
    thread = ok(as_bob.post(f"{room}threads/", {"title": SECRETS["thread"], "body": SECRETS["post"]}), 201)["id"]
    post = ok(as_bob.get(f"{room}threads/{thread}/posts/"))["results"][0]["id"]
    ok(as_bob.patch(f"{room}posts/{post}/", {"body": f"{SECRETS['post']}, {SECRETS['changed post']}"}))
    ok(as_alice.post(f"{room}threads/{thread}/posts/", {"body": f"@bob {SECRETS['post']}", "reply_to": post}), 201)
    club.refresh_from_db()
    club.change(by=alice, visibility="private")
    run_pending()
    return {"club": club, "post": post, "meeting": made, "entry": other, "books": books, "room": room}


@pytest.fixture
def come_in(make_user):
    """A client of somebody of the staff by their role."""

    def sign_in(role):
        user = make_user(f"staff{ROLES.index(role)}", is_staff=True, is_superuser=role == "superuser")
        user.groups.set(Group.objects.filter(name=role))
        client = Client()
        client.force_login(user)
        return client

    return sign_in


def content(answer):
    body = answer.getvalue()
    answer.close()
    return body + "".join(f"\n{name}: {value}" for name, value in answer.headers.items()).encode()


def name_of(model, page):
    return f"admin:{model._meta.app_label}_{model._meta.model_name}_{page}"


def pages(world):
    """Each page there is: as it is, searched, sorted, of each row, and what leads to it."""
    yield from (reverse(f"admin:{name}") for name in ("index", "password_change", "second_factor"))
    first, second = (book.pk for book in world["books"])
    yield reverse("admin:catalog_book_merge") + f"?book={first}&book={second}"
    yield reverse("admin:catalog_book_duplicates")
    for path, what in itertools.product(("activity_event_export", "api_auditentry_export"), ("", "?q=alice")):
        yield reverse(f"admin:{path}") + what
    yield reverse("admin:search") + "?s=a"
    for model, page in admin.site._registry.items():
        listed = reverse(name_of(model, "changelist"))
        yield from (f"{listed}{query}" for query in ("", "?all=", "?o=1.2.3.4", "?e=1"))
        yield from (f"{listed}?q={word}" for word in ("alice", "quiet", world["club"].pk))
        # Whatever a page answers to those who have filters of their own.
        for listed_filter in page.list_filter:
            parameter = getattr(listed_filter, "parameter_name", None)
            yield from (f"{listed}?{parameter}={word}" for word in ("all", "yes", world["club"].pk) if parameter)
        for row in page.model._base_manager.order_by("-pk")[:5]:
            yield from (reverse(name_of(model, view), args=[row.pk]) for view in ("change", "history", "delete"))
    for model in apps.get_models():
        for field in model._meta.fields:
            if field.remote_field:
                asked = f"app_label={model._meta.app_label}&model_name={model._meta.model_name}&field_name={field.name}"
                yield reverse("admin:autocomplete") + f"?{asked}&term="


def confirmations(client, world):
    """What is asked before several rows go, and what the actions answer."""
    for model, page in admin.site._registry.items():
        ids = list(page.model._base_manager.order_by("-pk").values_list("pk", flat=True)[:20])
        form = {"action": "delete_selected", "_selected_action": ids}
        yield f"delete {model.__name__}", client.post(reverse(name_of(model, "changelist")), form)


@pytest.mark.parametrize("role", ROLES)
def test_no_page_shows_a_word_of_it(world, come_in, role):
    client, told, seen = come_in(role), [], 0
    if role in (ADMINISTRATORS, "superuser"):
        # What they do to it leaves entries, which are read below.
        for page, action, pk in (("meeting", "cancel", "meeting"), ("entry", "remove", "entry")):
            form = {"action": action, "_selected_action": [world[pk]]}
            assert client.post(reverse(f"admin:clubs_{page}_changelist"), form).status_code == 302
        run_pending()
    asked = ((path, client.get(path)) for path in pages(world))
    for call, answer in itertools.chain(asked, confirmations(client, world)):
        assert answer.status_code in (200, 302, 400, 403, 404), call
        seen += answer.status_code == 200
        shown = content(answer)
        told += [(call, word) for word in WORDS if word in shown]
    assert told == []
    assert seen > {MODERATORS: 100, CATALOGUE_EDITORS: 40, ADMINISTRATORS: 300, "superuser": 300}[role]


def test_no_search_finds_it(world, come_in):
    client, found = come_in("superuser"), []
    for model, page in admin.site._registry.items():
        for name, word in SECRETS.items() if page.search_fields else ():
            answer = client.get(reverse(name_of(model, "changelist")), {"q": word})
            found += [(model.__name__, name) for _row in answer.context["cl"].result_list]
    assert found == []


def test_no_list_can_be_asked_about_a_column_that_it_does_not_show(world, come_in):
    """A list that is shorter for some letters than for others would tell the text, letter by letter."""
    client, allowed = come_in("superuser"), []
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
        ("meeting", "agenda"),
        ("thread", "title"),
        ("membership", "message"),
        ("thread", "posts__body"),
    ):
        answer = client.get(reverse(f"admin:clubs_{page}_changelist"), {f"{column}__startswith": "z"})
        assert answer.status_code == 400, column


def test_the_same_pages_show_it_where_the_club_is_public(world, come_in):
    """Else the attack would prove nothing."""
    world["club"].change(by=world["club"].owner, visibility="public")
    client = come_in(ADMINISTRATORS)
    answers = [content(client.get(path)) for path in pages(world)]
    told = {word for word in WORDS if any(word in answer for answer in answers)}
    # Of posts the desk alone has the text.
    assert told == {*WORDS} - {SECRETS["post"].encode(), SECRETS["changed post"].encode()}


@pytest.mark.parametrize("role", [MODERATORS, ADMINISTRATORS])
def test_a_report_opens_the_post_it_is_about_and_each_opening_is_written_down(world, come_in, client_of, moe, role):
    client = come_in(role)
    about = reverse("admin:moderation_case_about", args=["post", world["post"]])
    assert client.get(about).status_code == 404
    report = {"target_type": "post", "target_id": world["post"], "reason": "abuse", "note": ""}
    ok(client_of(moe).post("/api/v1/reports/", report), 201)
    began = timezone.now()
    queue = content(client.get(reverse("admin:moderation_case_changelist")))
    assert not [word for word in WORDS if word in queue]
    assert not Opening.objects.exists()
    page = client.get(about, follow=True)
    shown = content(page)
    # The post, its thread's title and what stands beside it; nothing else of the club.
    assert {word for word in WORDS if word in shown} == {
        SECRETS[n].encode() for n in ("thread", "post", "changed post")
    }
    opening = Opening.objects.get()
    assert (opening.by, opening.case_id, opening.by_name) == (
        page.context["user"],
        page.context["case"].pk,
        "staff" + str(ROLES.index(role)),
    )
    assert opening.at >= began
    log = client.get(reverse("admin:moderation_opening_changelist"))
    assert [row.by_name for row in log.context["cl"].result_list] == [opening.by_name]
    assert not [word for word in WORDS if word in content(log)]


def test_a_case_is_opened_by_nobody_but_those_who_see_cases(world, come_in, client_of, moe):
    report = {"target_type": "post", "target_id": world["post"], "reason": "abuse", "note": ""}
    ok(client_of(moe).post("/api/v1/reports/", report), 201)
    client = come_in(CATALOGUE_EDITORS)
    assert client.get(reverse("admin:moderation_case_about", args=["post", world["post"]])).status_code == 403
    assert not Opening.objects.exists()
