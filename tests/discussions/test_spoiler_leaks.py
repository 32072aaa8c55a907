"""No response of any route contains or depends on a locked text.

The routes are taken from the URL configuration, so that new ones are tested too.
"""

import logging
import re
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from urllib.parse import quote

import pytest
import time_machine
from django.apps import apps
from django.conf import settings
from django.contrib import admin as django_admin
from django.db import models, transaction
from django.test import Client
from django.urls import URLPattern, get_resolver, reverse
from django.utils import timezone

from accounts.signals import account_event
from clubs.models import Membership
from core.search.fields import build_search_text
from core.tasks.worker import run_pending
from discussions.models import Post, Thread
from tests.clubs.helpers import bring_in
from tests.discussions.helpers import posts, threads

# InnoDB's full-text index contains committed rows only.
pytestmark = pytest.mark.django_db(transaction=True)

METHODS = ("get", "post", "put", "patch", "delete")
# Words of the locked texts: original, edited, reply, first post of a thread, deleted post.
SECRETS = ("zephyrine", "quixotry", "marzipan", "obsidian", "wisteria")
KEY = {"Idempotency-Key": "the-key-of-wren"}
# The only route that unlocks a text, at the user's request.
REVEAL_ROUTE = "reveal"


@pytest.fixture
def wren(make_user, club):
    """The author of the locked posts."""
    wren = make_user("wren", display_name="Wren")
    bring_in(club, wren)
    return wren


@pytest.fixture
def params(club, entry, wren, alice, bob, set_progress, client_of, anonymous, settings):
    """A thread with locked posts that mention and reply to the callers, who have a little progress."""
    as_wren, secrets = client_of(wren), list(SECRETS)
    for user in (alice, bob):
        set_progress(user, 10)
    thread = Thread.create_thread(club=club, by=bob, title="Hartfield", body="What do you think?", entry=entry)
    url, question = threads(club, thread, "posts/"), thread.posts.get()
    sent = {"body": f"@bob @alice {secrets[0]} kills him", "spoiler_percent": 90, "reply_to": question.pk}
    post = as_wren.post(url, sent, headers=KEY).json()
    as_wren.patch(posts(club, post["id"]), {"body": f"@bob @alice @moe {secrets[1]} and {secrets[0]} kill him"})
    as_wren.post(url, {"body": f"With {secrets[2]}", "reply_to": post["id"]})
    opened = {"title": "The end", "body": f"An {secrets[3]} knife, @bob", "entry": entry.pk, "spoiler_percent": 100}
    as_wren.post(threads(club), opened)
    gone = as_wren.post(url, {"body": f"Under the {secrets[4]}", "spoiler_percent": 90}).json()
    as_wren.delete(posts(club, gone["id"]))
    as_wren.put(posts(club, post["id"], f"reactions/{quote('🔪')}/"))
    run_pending()
    return {
        "clubs": club.pk,
        "threads": thread.pk,
        "posts": post["id"],
        "clubs/books": entry.pk,
        "books": entry.book_id,
        "members": wren.pk,
        "user_id": wren.pk,
        "username": "wren",
        "emoji": "🔪",
    }


def routes(patterns=None, prefix: str = "") -> Iterator[tuple[str, str, set[str]]]:
    """Yield pattern, name and methods of each route outside of the admin."""
    for pattern in get_resolver().url_patterns if patterns is None else patterns:
        path = prefix + str(pattern.pattern)
        if path.startswith("admin/"):
            continue
        if isinstance(pattern, URLPattern):
            view = pattern.callback
            actions = getattr(view, "actions", None)
            cls = getattr(view, "cls", None) or getattr(view, "view_class", None)
            offered = set(actions or (m for m in METHODS if cls is None or hasattr(cls, m)))
            yield path, pattern.name or "", offered & set(METHODS)
        else:
            yield from routes(pattern.url_patterns, path)


def url_for(pattern: str, params: dict) -> str:
    """Fill in the parameters of a route by their names or by the path before them; else with the post."""

    def fill(match: re.Match[str]) -> str:
        kind, name = match.group("kind"), match.group("name")
        before = [part for part in pattern[: match.start()].split("/") if part and not part.startswith("<")]
        part = before[-1] if before else ""
        found = params.get(name) or params.get(f"{before[2]}/{part}" if len(before) > 2 else "") or params.get(part)
        return quote(str(found or (params["posts"] if kind in (None, "int") else "wren")), safe="")

    path = re.sub(r"<(?:(?P<kind>\w+):)?(?P<name>\w+)>", fill, pattern)
    return "/" + re.sub(r"[$^]|\\Z", "", path)


ROUTES = sorted((pattern, name, sorted(methods)) for pattern, name, methods in routes())


def full_body(params: dict) -> dict:
    """Return a value for every existing and plausible field."""
    return {
        **dict.fromkeys(("body", "title", "name", "text", "note", "message", "bio"), "Mine"),
        **dict.fromkeys(("post", "reply_to", "target_id", "id", "parent", "quote"), params["posts"]),
        **{"target_type": "post", "reason": "spoiler", "percent": 10, "spoiler_percent": 0, "ids": [params["posts"]]},
        **{"entry": params["clubs/books"], "thread": params["threads"], "user": params["user_id"], "all": True},
    }


def responses(client, params: dict) -> Iterator[tuple[str, object]]:
    """Yield the responses of each route to valid, invalid and repeated requests."""
    for pattern, name, methods in ROUTES:
        url = url_for(pattern, params)
        if REVEAL_ROUTE in name:
            continue
        yield f"options {url}", client.options(url)
        if "get" in methods:
            yield from _get_all(client, url, ("?page_size=100", "?search=kil&page_size=1", "?ordering=body"))
            yield f"head {url}", client.head(url)
        for method in set(methods) - {"get"}:
            whole, bad = full_body(params), {"body": "x" * 20_000, "reply_to": "x"}
            for sent, headers in ((whole, KEY), (bad, {}), (whole, {"If-Match": '"nonsense"'})):
                yield f"{method} {url}", _rolled_back(getattr(client, method), url, sent, headers)


def _get_all(client, url: str, queries: tuple[str, ...], **options) -> Iterator[tuple[str, object]]:
    """Yield the response without a query and, if it is a list, those with each query."""
    plain = client.get(url, **options)
    yield f"get {url}", plain
    if not plain.streaming and plain.content.startswith(b'{"next":'):
        for query in queries:
            yield f"get {url}{query}", client.get(url + query, **options)


def _rolled_back(send, url, sent, headers):
    with transaction.atomic():
        response = send(url, sent, headers=headers)
        transaction.set_rollback(True)
    return response


def bytes_of(response) -> bytes:
    body = b"".join(response.streaming_content) if response.streaming else response.content
    return body + "".join(f"\n{name}: {value}" for name, value in response.headers.items()).encode()


@pytest.mark.parametrize("who", ["alice", "moe", "bob", "charlie", None])
def test_no_response_contains_locked_text(params, who, request, client_of, caplog):
    """For the owner, a moderator, a member, an outsider and anonymous users."""
    caplog.set_level(logging.DEBUG)
    client = client_of(request.getfixturevalue(who) if who else None)
    client.raise_request_exception = False
    leaks = {}
    seen = 0
    for call, response in responses(client, params):
        seen += response.status_code < 300
        assert response.status_code != 500, (call, response.content)
        if any(secret.encode() in bytes_of(response) for secret in SECRETS):
            leaks[call] = response.content
    assert leaks == {}
    assert seen > 50
    assert not any(secret in record.getMessage() for record in caplog.records for secret in SECRETS)
    for log in Path(settings.LOG_DIR).glob("*"):
        text = log.read_text()
        assert not any(secret in text for secret in SECRETS), log


QUERIES = ("?search=zephyrine", "?ordering=-created_at&page_size=2")


def _read_all(client, params: dict) -> dict[str, tuple[int, bytes]]:
    """Return all GET responses, also of searches for the words of the text."""
    # With a fixed clock, since some responses contain the current time.
    with time_machine.travel(params["now"], tick=False):
        found = dict(_read(client, params))
    assert sum(status == 200 for status, _content in found.values()) > 40
    return found


def _read(client, params: dict, queries=QUERIES) -> Iterator[tuple[str, tuple[int, bytes]]]:
    for pattern, _name, methods in ROUTES:
        url = url_for(pattern, params)
        if "get" not in methods or url in ("/metrics", "/readyz"):  # they depend on the time
            continue
        for call, response in _get_all(client, url, queries, headers={"X-Request-ID": "the-same-id"}):
            yield call, (response.status_code, bytes_of(response))


def test_responses_to_the_author_contain_the_text(params, wren, client_of):
    """Check that the other tests would find a leak."""
    client = client_of(wren)
    found = [call for call, response in responses(client, params) if SECRETS[1].encode() in bytes_of(response)]
    club, post = f"/api/v1/clubs/{params['clubs']}/", f"/api/v1/clubs/{params['clubs']}/posts/{params['posts']}/"
    assert {f"get {post}", f"get {club}posts/?search=kil&page_size=1"} <= set(found)
    assert len(found) > 6
    params["now"] = timezone.now()
    before = _read_all(client, params)
    Post.objects.filter(spoiler_percent__gte=90).update(body="other")
    after = _read_all(client, params)
    assert len({url for url in before if before[url] != after[url]}) > 6


@pytest.mark.parametrize("who", ["alice", "bob"])
def test_no_response_depends_on_locked_text(params, who, request, client_of, monkeypatch):
    """Bytes, lengths, counts, orders and ETags do not depend on the locked text."""
    client = client_of(request.getfixturevalue(who))
    # An export is recorded in the activity log that it contains, so no two would be equal.
    monkeypatch.setattr(account_event, "receivers", [])
    params["now"] = timezone.now()
    list(_read(client, params, queries=()))  # the first read of a route may have side effects
    before = _read_all(client, params)
    locked = Post.objects.filter(spoiler_percent__gte=90, deleted_at=None)
    assert locked.count() == 3
    other = "entirely different words, and many more of them " * 20
    locked.update(body=other, search_text=f"zz{params['clubs']}z {build_search_text([other])}")
    after = _read_all(client, params)
    differing = {url for url in before if before[url] != after[url]}
    assert differing == set()


TEXTS = (models.CharField, models.TextField, models.JSONField, models.BinaryField)


def test_locked_text_is_stored_in_posts_only(params, mailoutbox):
    """No other table contains a copy: no log, notification, task, cached response or index."""
    found = set()
    for model in apps.get_models(include_auto_created=True):
        texts = [field for field in model._meta.concrete_fields if isinstance(field, TEXTS)]
        for row in model._base_manager.values(*(field.attname for field in texts)) if texts else ():
            found |= {(model.__name__, n) for n, value in row.items() if any(word in str(value) for word in SECRETS)}
    assert found == {("Post", "body"), ("Post", "search_text")}
    assert any("Hartfield" in mail.body for mail in mailoutbox)
    for mail in mailoutbox:
        text = f"{mail.subject} {mail.body} {getattr(mail, 'alternatives', '')}"
        assert not any(secret in text for secret in SECRETS), mail.subject


def test_admin_contains_no_posts(params, staff, monkeypatch):
    client = Client()
    client.force_login(staff)
    pages = [reverse("admin:index")]
    for model in django_admin.site._registry:
        base = f"admin:{model._meta.app_label}_{model._meta.model_name}"
        pages += [reverse(f"{base}_changelist"), reverse(f"{base}_changelist") + "?q=kill"]
        rows = model._base_manager.all()[:5]
        pages += [reverse(f"{base}_{page}", args=[row.pk]) for row in rows for page in ("change", "history")]
    for page in pages:
        response = client.get(page, follow=True)
        assert response.status_code in (200, 403, 404), page
        assert not any(secret.encode() in bytes_of(response) for secret in SECRETS), page
        # The menu is the same on all pages, and slow.
        monkeypatch.setattr(django_admin.site, "get_app_list", lambda *args: [])


def test_lowered_progress_locks_at_once(params, club, entry, bob, set_progress, client_of):
    """Neither a cache nor an ETag returns the earlier response."""
    client, url = client_of(bob), posts(club, params["posts"])
    set_progress(bob, 95)
    response = client.get(url)
    assert b"quixotry" in response.content
    set_progress(bob, 5)
    again = client.get(url, headers={"If-None-Match": response["ETag"]})
    assert again.status_code == 200
    assert b"quixotry" not in again.content


@pytest.mark.parametrize("percent", [0, 10, Decimal("89.99")])
def test_rejoining_does_not_unlock_posts(params, club, bob, set_progress, client_of, percent):
    set_progress(bob, percent)
    Membership.objects.get(club=club, user=bob).remove(by=None)
    assert client_of(bob).get(posts(club, params["posts"])).status_code == 403
    bring_in(club, bob)
    assert client_of(bob).get(posts(club, params["posts"])).json()["body"] is None
