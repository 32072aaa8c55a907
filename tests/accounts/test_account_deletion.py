import pytest
from django.core.management import call_command
from django.test import Client

from accounts.models import RetiredUsername, User
from accounts.signals import account_deleted
from catalog.models import Book
from clubs.models import Club, Membership, Progress
from core.audit.models import AuditEntry
from core.registry import cleanups
from reviews.models import Review

pytestmark = pytest.mark.django_db

ME = "/api/v1/users/me/"
PASSWORD = "correct horse battery"


@pytest.fixture
def content(alice, bob, client_of):
    """Alice owns a club with Bob in it, reads in it, has written two reviews and likes Bob's."""
    book = Book.create_book(by=alice, title="Vidas secas", authors=["Graciliano Ramos"])
    other = Book.create_book(by=bob, title="Angústia", authors=["Graciliano Ramos"])
    club = Club.create_club(by=alice, name="Sertão")
    club.join(bob)
    alone = Club.create_club(by=alice, name="Só eu")
    entry = client_of(alice).post(f"/api/v1/clubs/{club.pk}/books/", {"book": book.pk, "status": "reading"}).json()
    client_of(alice).put(f"/api/v1/clubs/{club.pk}/books/{entry['id']}/progress/", {"percent": 100})
    Review.create_review(book=book, by=alice, rating=8, body="Seco e belo.")
    Review.create_review(book=other, by=alice, rating=6, visibility="private")
    Review.create_review(book=book, by=bob, rating=4).like(by=alice)
    return {"book": book, "other": other, "club": club, "alone": alone, "entry": entry["id"]}


def test_deletion_anonymizes_reviews(alice, bob, client_of, anonymous, content):
    client = client_of(alice)
    assert client.delete(ME, {"password": PASSWORD}).status_code == 204
    assert client.get(ME).status_code == 401
    login = anonymous.post("/api/v1/auth/login/", {"username": "alice", "password": PASSWORD})
    assert login.json()["code"] == "invalid_credentials"
    assert not User.objects.filter(username_key="alice").exists()

    reviews = anonymous.get(f"/api/v1/books/{content['book'].pk}/reviews/").json()["results"]
    deleted_user = {"id": None, "username": None, "display_name": "Deleted reader", "avatar_url": None}
    assert [(review["author"], review["rating"]) for review in reviews if review["body"]] == [(deleted_user, 4.0)]
    assert [review["likes_count"] for review in reviews] == [0, 0]
    assert anonymous.get(f"/api/v1/books/{content['book'].pk}/").json()["average_rating"] == 3.0
    # Private reviews are deleted.
    assert not Review.objects.filter(book=content["other"]).exists()

    club = client_of(bob).get(f"/api/v1/clubs/{content['club'].pk}/").json()
    assert (club["owner"]["username"], club["members_count"], club["my_role"]) == ("bob", 1, "owner")
    assert not Club.objects.filter(pk=content["alone"].pk).exists()
    assert not Progress.objects.filter(entry=content["entry"]).exists()
    entry = client_of(bob).get(f"/api/v1/clubs/{content['club'].pk}/books/{content['entry']}/").json()
    assert (entry["added_by"], entry["members_finished"]) == (deleted_user, 0)
    call_command("verify_counters")


def delete_as_staff(staff, user):
    client = Client()
    client.force_login(staff)
    assert client.get(f"/admin/accounts/user/{user.pk}/delete/").status_code == 200
    return client.post(f"/admin/accounts/user/{user.pk}/delete/", {"post": "yes"}, follow=True)


@pytest.mark.parametrize("is_active", [True, False])
def test_deletion_by_staff_has_the_same_effect(
    staff, alice, bob, sign_in, anonymous, client_of, content, django_capture_on_commit_callbacks, is_active
):
    access = sign_in("alice")["access"]
    if not is_active:
        User.objects.filter(pk=alice.pk).update(is_active=False)
        alice.update_user_count(-1)
    with django_capture_on_commit_callbacks(execute=True):
        assert delete_as_staff(staff, alice).status_code == 200
    assert not User.objects.filter(username_key="alice").exists()
    assert RetiredUsername.objects.filter(username_key="alice").exists()
    assert anonymous.get(ME, HTTP_AUTHORIZATION=f"Bearer {access}").status_code == 401
    reviews = anonymous.get(f"/api/v1/books/{content['book'].pk}/reviews/").json()["results"]
    assert [review["author"]["username"] for review in reviews if review["body"]] == [None]
    assert client_of(bob).get(f"/api/v1/clubs/{content['club'].pk}/").json()["my_role"] == "owner"
    assert AuditEntry.objects.filter(verb="admin.deleted", actor=staff.pk, target_id=alice.pk).exists()
    call_command("verify_counters")


def test_interrupted_deletion_by_staff_is_finished(staff, alice, sign_in, anonymous):
    access = sign_in("alice")["access"]
    # The test's transaction is never committed, as if the server had stopped before `on_commit`.
    delete_as_staff(staff, alice)
    assert anonymous.get(ME, HTTP_AUTHORIZATION=f"Bearer {access}").status_code == 401
    assert User.objects.filter(username_key="alice").exists()
    call_command("prune_expired")
    assert not User.objects.filter(username_key="alice").exists()
    call_command("verify_counters")


def test_deletion_deletes_reviews_on_request(alice, client_of, anonymous, content):
    assert client_of(alice).delete(ME, {"password": PASSWORD, "reviews": "delete"}).status_code == 204
    reviews = anonymous.get(f"/api/v1/books/{content['book'].pk}/reviews/").json()["results"]
    assert [review["rating"] for review in reviews] == [2.0]
    call_command("verify_counters")


@pytest.mark.parametrize(
    ("body", "field", "code"),
    [
        ({"password": "wrong horse"}, "password", "wrong_password"),
        ({}, "password", "required"),
        ({"password": PASSWORD, "reviews": "keep"}, "reviews", "invalid_choice"),
    ],
)
def test_deletion_with_invalid_body_changes_nothing(alice, client_of, content, body, field, code):
    client = client_of(alice)
    response = client.delete(ME, body)
    assert response.status_code == 400
    assert [(error["field"], error["code"]) for error in response.json()["errors"]] == [(field, code)]
    assert client.get(ME).status_code == 200
    assert Review.objects.filter(author=alice).count() == 2


def test_deleted_username_cannot_be_reused(alice, client_of, anonymous):
    client_of(alice).delete(ME, {"password": PASSWORD})
    response = anonymous.post("/api/v1/auth/register/", {"username": "Alice", "password": "um-bom-segredo"})
    assert (response.status_code, response.json()["code"]) == (409, "username_taken")
    assert not User.objects.filter(username_key="alice").exists()


def test_deletion_attempts_are_throttled(alice, client_of, rate):
    rate("login", 3)
    client = client_of(alice)
    responses = [client.delete(ME, {"password": "wrong horse"}).status_code for _ in range(4)]
    assert responses == [400, 400, 400, 429]


def test_interrupted_deletion_is_finished(alice, client_of, content):
    def fail(sender, **kwargs):
        raise RuntimeError("the process ended here")

    client = client_of(alice)
    client.raise_request_exception = False
    account_deleted.connect(fail)
    try:
        assert client.delete(ME, {"password": PASSWORD}).status_code == 500
    finally:
        account_deleted.disconnect(fail)
    # The account is deactivated, but the failed transaction has changed nothing.
    assert client.get(ME).status_code == 401
    assert Membership.objects.filter(user=alice).exists()
    call_command("prune_expired")
    assert not User.objects.filter(pk=alice.pk).exists()
    assert RetiredUsername.objects.filter(username_key="alice").exists()
    call_command("verify_counters")


def test_deletion_that_fails_again_stops_no_other_cleanup(alice, bob, client_of, monkeypatch):
    for user in (alice, bob):
        User.objects.filter(pk=user.pk).update(is_active=False, reviews_on_deletion="anonymize")

    def fail(sender, *, user, **kwargs):
        if user.pk == min(alice.pk, bob.pk):
            raise RuntimeError("this account cannot be deleted")

    ran = []
    monkeypatch.setitem(cleanups, "later", lambda: ran.append(True))
    account_deleted.connect(fail)
    try:
        with pytest.raises(ExceptionGroup):
            call_command("prune_expired")
    finally:
        account_deleted.disconnect(fail)
    assert list(User.objects.filter(pk__in=[alice.pk, bob.pk]).values_list("pk", flat=True)) == [min(alice.pk, bob.pk)]
    assert ran == [True]
