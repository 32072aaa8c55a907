"""Book covers: stored images and external URLs, with revisions."""

import datetime
import os

import pytest
from django.contrib.auth.models import Group

from catalog.models import TRUSTED_EDITORS, Book, Revision
from core.images import storage
from tests.images import fetch, make_image, open_image, stored_files, upload_image

pytestmark = pytest.mark.django_db

EXTERNAL_URL = "https://covers.openlibrary.org/b/id/1-L.jpg"


@pytest.fixture(autouse=True)
def media(settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path


@pytest.fixture
def book(alice, add_book):
    return add_book("Emma", by=alice, cover_url=EXTERNAL_URL)


@pytest.fixture
def cover(book):
    return f"/api/v1/books/{book.pk}/cover/"


def test_uploaded_cover_replaces_external_one(book, cover, as_alice, anonymous):
    assert anonymous.get(f"/api/v1/books/{book.pk}/").json()["cover_url"] == EXTERNAL_URL
    response = upload_image(as_alice, cover, make_image("JPEG", (900, 2400)))
    assert response.status_code == 200, response.content
    url = response.json()["cover_url"]
    assert url.startswith("http://testserver/media/book-covers/")
    assert anonymous.get(f"/api/v1/books/{book.pk}/").json() == response.json()
    assert anonymous.get("/api/v1/books/").json()["results"][0]["cover_url"] == url
    assert open_image(url).size == (768, 2048)
    review = as_alice.post("/api/v1/reviews/", {"book": book.pk, "rating": 4}).json()
    assert review["book"]["cover_url"] == url


def test_cover_upload_requires_edit_permission(book, cover, as_alice, as_bob, bob, anonymous):
    assert upload_image(anonymous, cover, make_image()).status_code == 401
    for call in (upload_image(as_bob, cover, make_image()), as_bob.delete(cover)):
        assert call.status_code == 403
    bob.groups.add(Group.objects.get_or_create(name=TRUSTED_EDITORS)[0])
    assert upload_image(as_bob, cover, make_image()).status_code == 200
    assert upload_image(as_alice, "/api/v1/books/999999/cover/", make_image()).status_code == 404


def test_cover_changes_can_be_reverted(book, cover, as_alice, alice):
    first = upload_image(as_alice, cover, make_image()).json()["cover_url"]
    second = upload_image(as_alice, cover, make_image()).json()["cover_url"]
    assert as_alice.delete(cover).status_code == 204
    assert as_alice.delete(cover).status_code == 204
    assert as_alice.get(f"/api/v1/books/{book.pk}/").json()["cover_url"] is None
    assert [revision.editor for revision in Revision.objects.all()] == [alice] * 3
    covers = []
    for revision in Revision.objects.order_by("-id"):
        revision.revert(by=None)
        covers.append(as_alice.get(f"/api/v1/books/{book.pk}/").json()["cover_url"])
    assert covers == [second, first, EXTERNAL_URL]
    assert fetch(first).status_code == fetch(second).status_code == 200


def test_deleting_book_deletes_all_covers(book, cover, as_alice):
    for _twice in range(2):
        upload_image(as_alice, cover, make_image())
    assert len(stored_files()) == 2
    assert as_alice.delete(f"/api/v1/books/{book.pk}/").status_code == 204
    assert stored_files() == set()


def test_orphan_cleanup_keeps_used_covers(book, cover, as_alice, add_book, tmp_path):
    for _twice in range(2):
        upload_image(as_alice, cover, make_image())
    merged = add_book("Emma again")
    with (
        storage.store_image(make_image(), folder="book-covers", owner_id=merged.pk) as inherited,
        storage.store_image(make_image(), folder="book-covers", owner_id=book.pk) as orphan,
    ):
        Book.objects.filter(pk=add_book("Emma once more").pk).update(cover_url=inherited)
    Book.objects.filter(pk=merged.pk).delete()
    long_ago = (datetime.datetime.now() - datetime.timedelta(days=2)).timestamp()
    for path in tmp_path.rglob("*"):
        os.utime(path, (long_ago, long_ago))
    assert storage.delete_orphans() == 1
    assert len(stored_files()) == 3
    assert orphan not in stored_files()


def test_cover_url_is_read_only(book, as_alice):
    for method in (as_alice.patch, as_alice.put):
        response = method(f"/api/v1/books/{book.pk}/", {"title": "Emma", "author": "A", "cover_url": "x", "cover": "y"})
        assert response.json()["cover_url"] == EXTERNAL_URL


@pytest.mark.parametrize("target", [True, False])
def test_admin_accepts_stored_and_external_covers(book, cover, as_alice, staff, client, target):
    if target:
        upload_image(as_alice, cover, make_image())
    client.force_login(staff)
    before = Book.objects.get(pk=book.pk).cover_url
    assert storage.is_stored_name(before) == target
    form = {
        **dict.fromkeys(("isbn", "published_year", "language", "page_count", "description", "subjects"), ""),
        **{"title": "Emma!", "authors": "Jane Austen", "cover_url": before},
        **{"editions-TOTAL_FORMS": "0", "editions-INITIAL_FORMS": "0"},
    }
    response = client.post(f"/admin/catalog/book/{book.pk}/change/", form)
    assert response.status_code == 302, response.context["adminform"].form.errors
    book.refresh_from_db()
    assert (book.title, book.cover_url) == ("Emma!", before)
    rejected = client.post(f"/admin/catalog/book/{book.pk}/change/", form | {"cover_url": "book-covers/../x.webp"})
    assert rejected.status_code == 200
