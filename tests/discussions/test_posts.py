"""Creating, listing, updating and deleting posts."""

import pytest

from activity.models import Event
from discussions.models import Post
from tests.clubs.helpers import bad_fields, bad_parameters, bring_in, problem
from tests.discussions.helpers import bodies, check_thread_counters, posts, reaction, rows, threads

pytestmark = pytest.mark.django_db


@pytest.fixture
def posts_url(club, chat):
    """URL of the posts of the thread without a book."""
    return threads(club, chat, "posts/")


def test_posts_are_in_creation_order(club, posts_url, as_bob, as_moe):
    for n in range(4):
        (as_bob, as_moe)[n % 2].post(posts_url, {"body": f"P{n}"})
    assert bodies(as_bob.get(posts_url)) == ["Who brings them?", "P0", "P1", "P2", "P3"]
    assert bodies(as_bob.get(posts_url, {"ordering": "-created_at", "page_size": 2})) == ["P3", "P2"]
    found, url = [], posts_url + "?page_size=2"
    while url:
        page = as_bob.get(url).json()
        found += [row["body"] for row in page["results"]]
        url = page["next"]
    assert found == ["Who brings them?", "P0", "P1", "P2", "P3"]
    assert bad_parameters(as_bob.get(posts_url, {"search": "P0"})) == {"search"}


@pytest.mark.parametrize("body", ["", " ", "\u200b\u200d", "x" * 10_001, None, 7])
def test_invalid_body_is_rejected(posts_url, as_bob, body):
    assert set(bad_fields(as_bob.post(posts_url, {"body": body}))) == {"body"}


def test_reply_must_be_to_a_post_of_the_thread(club, posts_url, thread, chat, as_bob):
    elsewhere = thread.posts.get()
    for sent in (elsewhere.pk, 10**9, 10**30):
        assert bad_fields(as_bob.post(posts_url, {"body": "B", "reply_to": sent})) == {"reply_to": "does_not_exist"}
    assert bad_fields(as_bob.post(posts_url, {"body": "B", "reply_to": "x"})) == {"reply_to": "invalid"}
    first = chat.posts.get()
    assert as_bob.post(posts_url, {"body": "B", "reply_to": first.pk}).json()["reply_to"] == first.pk
    assert as_bob.post(posts_url, {"body": "B", "reply_to": None}).json()["reply_to"] is None


def test_post_is_the_same_under_thread_and_club(club, chat, as_bob):
    post = chat.posts.get()
    assert as_bob.get(posts(club, post)).json() == as_bob.get(threads(club, chat, f"posts/{post.pk}/")).json()


@pytest.mark.django_db(transaction=True)  # InnoDB's full-text index contains committed rows only
def test_author_updates_post(club, posts_url, as_bob, as_moe):
    post = as_bob.post(posts_url, {"body": "Me"}).json()
    url = posts(club, post["id"])
    response = as_bob.patch(url, {"body": "I", "author": 1, "reply_to": 1, "created_at": "2020-01-01"}).json()
    assert response.pop("edited_at").endswith("Z")
    assert response == {name: value for name, value in (post | {"body": "I"}).items() if name != "edited_at"}
    assert as_bob.patch(url, {"body": "I"}).json()["edited_at"] == as_bob.get(url).json()["edited_at"]
    assert bad_fields(as_bob.patch(url, {"body": ""})) == {"body": "blank"}
    problem(as_bob.put(url, {"body": "I"}), 405, "method_not_allowed")
    problem(as_moe.patch(url, {"body": "You"}), 403, "author_only")
    assert as_bob.get(posts(club), {"search": "me"}).json()["results"] == []
    assert bodies(as_bob.get(posts(club), {"search": "i"})) == ["I"]


def test_update_with_stale_if_match_is_rejected(club, posts_url, as_bob, as_moe):
    url = posts(club, as_bob.post(posts_url, {"body": "Me"}).json()["id"])
    tag = as_bob.get(url)["ETag"]
    assert as_bob.get(url, headers={"If-None-Match": tag}).status_code == 304
    as_moe.put(f"{url}reactions/👍/")
    problem(as_bob.delete(url, headers={"If-Match": tag}), 412, "precondition_failed")
    assert as_bob.patch(url, {"body": "I"}, headers={"If-Match": tag}).status_code == 200
    problem(as_bob.delete(url, headers={"If-Match": tag}), 412, "precondition_failed")


def test_deleted_post_is_blanked_out(club, chat, posts_url, charlie, as_bob, as_moe, as_charlie):
    bring_in(club, charlie)
    post = as_bob.post(posts_url, {"body": "Me and my secret"}).json()
    url = posts(club, post["id"])
    reply = as_moe.post(posts_url, {"body": "You", "reply_to": post["id"]}).json()
    as_moe.put(reaction(club, post["id"], "👍"))
    as_bob.patch(url, {"body": "Me, and my secret"})
    problem(as_charlie.delete(url), 403, "moderators_only")
    assert as_bob.delete(url).status_code == 204
    shown = as_moe.get(url).json()
    assert shown == post | {"author": None, "body": None, "deleted": True}
    assert [row["id"] for row in rows(as_moe.get(posts_url))][1:] == [post["id"], reply["id"]]
    kept = Post.objects.get(pk=post["id"])
    assert (kept.body, kept.search_text, kept.author_id, kept.edited_at) == ("", "", None, None)
    assert as_moe.get(posts(club), {"search": "secret"}).json()["results"] == []
    check_thread_counters()


def test_deleted_post_cannot_be_changed(club, posts_url, chat, charlie, as_bob, as_alice, as_moe, as_charlie):
    bring_in(club, charlie)
    post = as_bob.post(posts_url, {"body": "Me"}).json()["id"]
    as_moe.delete(posts(club, post))
    for client in (as_moe, as_alice, as_bob, as_charlie):
        problem(client.delete(posts(club, post)), 409, "post_deleted")
        problem(client.patch(posts(club, post), {"spoiler_percent": 3}), 409, "post_deleted")
        problem(client.put(posts(club, post, "reveal/")), 409, "post_deleted")
        problem(client.put(reaction(club, post, "👍")), 409, "post_deleted")
        problem(client.post(posts_url, {"body": "B", "reply_to": post}), 409, "post_deleted")


def test_hidden_post_is_visible_to_its_author_only(club, chat, posts_url, bob, as_bob, as_moe):
    post = Post.create_post(thread=chat, by=bob, body="Buy my biscuits")
    post.hide()
    assert bodies(as_bob.get(posts_url)) == ["Who brings them?", "Buy my biscuits"]
    assert bodies(as_moe.get(posts_url)) == ["Who brings them?"]
    assert bodies(as_moe.get(posts(club), {"search": "buy"})) == []
    problem(as_moe.get(posts(club, post)), 404, "not_found")
    assert bad_fields(as_moe.post(posts_url, {"body": "B", "reply_to": post.pk})) == {"reply_to": "does_not_exist"}
    assert as_moe.get(threads(club, chat)).json()["posts_count"] == 1
    post.restore()
    assert bodies(as_moe.get(posts_url)) == ["Who brings them?", "Buy my biscuits"]
    check_thread_counters()


def test_idempotency_key_creates_one_post(posts_url, as_bob, as_moe):
    responses = [as_bob.post(posts_url, {"body": "Me"}, headers={"Idempotency-Key": "k"}) for _ in range(2)]
    assert responses[0].json() == responses[1].json()
    assert responses[1]["Idempotency-Replayed"] == "true"
    other = as_moe.post(posts_url, {"body": "Me"}, headers={"Idempotency-Key": "k"})
    assert other.json()["id"] != responses[0].json()["id"]
    assert Post.objects.count() == 3


def test_each_change_records_one_event(club, chat, posts_url, alice, bob, moe, as_bob, as_moe):
    post = as_bob.post(posts_url, {"body": "Me"}).json()["id"]
    as_bob.patch(posts(club, post), {"body": "I"})
    as_bob.patch(posts(club, post), {"body": "I"})
    as_moe.put(posts(club, post, "reveal/"))
    for _ in range(2):
        as_moe.put(reaction(club, post, "👍"))
    for _ in range(2):
        as_moe.delete(reaction(club, post, "👍"))
    as_moe.delete(posts(club, post))
    found = Event.objects.filter(object_type="post").order_by("id")
    assert list(found.values_list("verb", "actor", "object_id", "object_title", "club", "subject")) == [
        ("post.created", bob.pk, post, "Biscuits", club.pk, None),
        ("post.changed", bob.pk, post, "Biscuits", club.pk, None),
        # Reveals and reactions are not shown to the club.
        ("post.revealed", moe.pk, post, "", None, None),
        ("post.reacted", moe.pk, post, "", None, None),
        ("post.unreacted", moe.pk, post, "", None, None),
        ("post.deleted", moe.pk, post, "Biscuits", club.pk, bob.pk),
    ]


@pytest.mark.parametrize("count", [3, 300])
def test_post_list_query_count_is_constant(club, thread, alice, bob, as_bob, count, django_assert_num_queries):
    made = [
        Post(club=club, thread=thread, author=(alice, bob)[n % 2], body=f"P{n}", spoiler_percent=n % 2 * 50)
        for n in range(count)
    ]
    for post in made:
        post.save()
    for post in made[:50]:
        post.react("👍", by=bob)
        post.react("🎉", by=alice)
        post.reveal(by=bob)
    posts_url, one, found = threads(club, thread, "posts/"), posts(club, made[1]), posts(club)
    # 1 session with user, 2 club with the caller's rank, 3 thread, 4 posts with their authors and spoiler protection,
    # 5 reactions
    with django_assert_num_queries(5):
        assert len(rows(as_bob.get(posts_url, {"page_size": 100}))) == min(count + 1, 100)
    # The same without the query for the thread.
    with django_assert_num_queries(4):
        as_bob.get(one)
    with django_assert_num_queries(4):
        as_bob.get(found, {"page_size": 100})
