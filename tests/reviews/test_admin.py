"""Admin of reviews: search, order, opening cases and deletion."""

import pytest
from django.contrib.auth.models import Permission

from moderation.models import Case
from reviews.models import Review
from tests.reviews.helpers import book_statistics, counter_differences

pytestmark = pytest.mark.django_db

ADMIN = "/admin/reviews/review/"


@pytest.fixture
def admin(staff, client):
    client.force_login(staff)
    return client


@pytest.fixture
def review(alice, book):
    return Review.create_review(book=book, by=alice, rating=9, title="Marvellous", visibility="public")


def run_action(admin, action, *reviews):
    response = admin.post(ADMIN, {"action": action, "_selected_action": [review.pk for review in reviews]}, follow=True)
    assert response.status_code == 200
    return response


def listed(admin, query):
    """Return the ids on a page of the list, and its `ORDER BY` fields."""
    changelist = admin.get(f"{ADMIN}?{query}").context["cl"]
    return [review.pk for review in changelist.result_list], changelist.queryset.query.order_by


def test_list_is_sorted_by_one_index(admin, alice, add_book):
    likes = (2, 0, 2, 1)
    for n, count in enumerate(likes):
        review = Review.create_review(book=add_book(f"Book {n}"), by=alice, rating=1)
        Review.objects.filter(pk=review.pk).update(likes_count=count)
    first = Review.objects.earliest("pk").pk
    assert listed(admin, "o=7") == ([first + n for n in (1, 3, 0, 2)], ("likes_count", "pk"))
    assert listed(admin, "o=-7") == ([first + n for n in (2, 0, 3, 1)], ("-likes_count", "-pk"))
    # Clicking a second column heading also sends the first one.
    assert listed(admin, "o=8.-7")[1] == ("created_at", "pk")
    # Sorting by visibility has no index, so it is not offered.
    assert listed(admin, "o=5.7")[1] == ("likes_count", "pk")
    for query in ("", "o=5", "o=x", "o=99"):
        assert listed(admin, query)[0] == [first + n for n in (3, 2, 1, 0)]


def test_list_does_not_count_facets(admin, review):
    page = admin.get(f"{ADMIN}?_facets=True")
    assert not page.context["cl"].add_facets


def test_actions_are_limited_to_listed_rows(admin, review, bob, monkeypatch):
    monkeypatch.setattr("core.admin.changelist.MAX_LIST_ROWS", 2)
    Review.create_review(book=review.book, by=bob, rating=1)
    body = {"action": "delete_selected", "_selected_action": [review.pk], "select_across": "1", "post": "yes"}
    assert "Narrow your search." in admin.post(ADMIN, body, follow=True).content.decode()
    assert Review.objects.count() == 2
    assert admin.post(f"{ADMIN}?q=bob", body, follow=True).status_code == 200
    assert [row.pk for row in Review.objects.all()] == [review.pk]


def test_list_limits_queries_and_count(admin, review, alice, add_book, django_assert_max_num_queries):
    for n in range(30):
        Review.create_review(book=add_book(f"Book {n}"), by=alice, rating=n % 10 + 1)
    # session, user, count (of at most 2,000), page, and the choices of the filter
    with django_assert_max_num_queries(6) as queries:
        page = admin.get(ADMIN)
    assert b"4.5" in page.content
    for query in queries:
        if "COUNT(" in query["sql"] and "reviews_review" in query["sql"]:
            assert "LIMIT 2000" in query["sql"]


@pytest.mark.parametrize(("query", "found"), [("q={pk}", 1), ("q=ALICE", 1), ("q=book:{book}", 1), ("q=bob", 0)])
def test_search_finds_reviews(admin, review, book, bob, query, found):
    page = admin.get(f"{ADMIN}?{query}".format(pk=review.pk, book=book.pk))
    assert page.context["cl"].result_count == found
    assert admin.get(f"{ADMIN}?q=%25%25").context["cl"].result_count == 0


@pytest.mark.parametrize("query", ["hidden_at__isempty=0", "hidden_at__isempty=1", "o=-7", "o=8", "o=4"])
def test_list_can_be_filtered_and_sorted(admin, review, query):
    assert admin.get(f"{ADMIN}?{query}").status_code == 200


def test_reviews_are_read_only(admin, review):
    page = admin.get(f"{ADMIN}{review.pk}/change/")
    assert page.status_code == 200
    assert b"Marvellous" in page.content
    assert admin.post(f"{ADMIN}{review.pk}/change/", {"title": "Dull"}).status_code == 403
    assert admin.get(f"{ADMIN}add/").status_code == 403


def test_action_opens_moderation_cases(admin, review, alice, add_book):
    second = Review.create_review(book=add_book("Second"), by=alice, rating=2)
    queue = run_action(admin, "open_cases", review, second)
    assert {case.target_id for case in queue.context["cl"].result_list} == {review.pk, second.pk}
    assert Case.objects.count() == 2


def test_deletion_updates_counters(admin, anonymous, review, alice, add_book, book):
    second = Review.create_review(book=add_book("Second"), by=alice, rating=2)
    review.like(by=alice)
    assert admin.post(f"{ADMIN}{review.pk}/delete/", {"post": "yes"}).status_code == 302
    assert book_statistics(anonymous, book) == (None, 0, {})
    admin.post(ADMIN, {"action": "delete_selected", "_selected_action": [second.pk], "post": "yes"})
    assert not Review.objects.exists()
    assert counter_differences() == (0, [])


def test_view_permission_does_not_allow_actions(client, make_user, review):
    viewer = make_user("viewer", is_staff=True)
    viewer.user_permissions.add(Permission.objects.get(codename="view_review"))
    client.force_login(viewer)
    assert client.get(ADMIN).status_code == 200
    run_action(client, "open_cases", review)
    assert client.post(f"{ADMIN}{review.pk}/delete/", {"post": "yes"}).status_code == 403
    assert not Case.objects.exists()
