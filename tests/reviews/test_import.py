"""Imports through the API: permissions, file validation, repeated imports, and resuming after a crash."""

import datetime
import io
import zipfile
from itertools import count

import pytest
from django.db import OperationalError
from django.utils import timezone

from catalog.models import Book
from core.tasks.decorators import get_options
from core.tasks.models import QueuedTask
from core.tasks.worker import run_pending
from reviews import tasks
from reviews.imports import tables
from reviews.imports.errors import REASON_MESSAGES
from reviews.imports.runner import ImportRunner
from reviews.imports.services import resume_or_start
from reviews.models import Review, ReviewImport, SupersededError
from tests.reviews.exports import GOODREADS, book, goodreads, storygraph
from tests.reviews.helpers import bad_fields, counter_differences, counts, problem, remarks, snapshot

pytestmark = pytest.mark.django_db

IMPORTS = "/api/v1/users/me/imports/"


# --- Requests --------------------------------------------------------------------------------------------------------


def test_upload_queues_the_import(upload, as_alice):
    response = upload(goodreads({}, {"My Rating": "0", "My Review": ""}), begin_only=True)
    assert response.status_code == 202
    created = response.json()
    assert created["status"] == "queued"
    assert (created["rows"], created["done"], counts(created), created["errors"]) == (2, 0, (0, 0, 0, 0), [])
    assert not Review.objects.exists()
    run_pending()
    polled = as_alice.get(f"{IMPORTS}{created['id']}/")
    assert polled["ETag"]
    assert polled.json()["status"] == "done"
    assert counts(polled.json()) == (1, 0, 1, 0)


def test_import_is_visible_to_its_owner_only(upload, as_bob, anonymous):
    path = f"{IMPORTS}{upload(goodreads({}))['id']}/"
    hidden = problem(as_bob.get(path), 404, "not_found")
    absent = problem(as_bob.get(f"{IMPORTS}999999/"), 404, "not_found")
    assert hidden | {"request_id": ""} == absent | {"request_id": ""}
    problem(anonymous.get(path), 401, "not_authenticated")
    problem(anonymous.post(IMPORTS), 401, "not_authenticated")


def test_imports_are_listed_newest_first(upload, as_alice, as_bob):
    made = [upload(goodreads({}))["id"], upload(storygraph({}), "storygraph")["id"], upload(goodreads({}))["id"]]
    upload(goodreads({}), client=as_bob)
    page = as_alice.get(IMPORTS, {"page_size": 2})
    assert page["ETag"]
    assert [row["id"] for row in page.json()["results"]] == [made[2], made[1]]
    assert page.json()["results"][0] == as_alice.get(f"{IMPORTS}{made[2]}/").json()
    last = as_alice.get(page.json()["next"]).json()
    assert ([row["id"] for row in last["results"]], last["next"]) == ([made[0]], None)


def test_imports_of_others_are_not_listed(upload, as_bob, anonymous):
    upload(goodreads({}))
    assert as_bob.get(IMPORTS).json() == {"next": None, "previous": None, "results": []}
    problem(anonymous.get(IMPORTS), 401, "not_authenticated")
    problem(as_bob.get(IMPORTS, {"status": "done"}), 400, "invalid_parameter")


def test_list_of_imports_takes_two_queries(upload, as_alice, django_assert_num_queries):
    for _n in range(3):
        upload(goodreads({}))
    # session with user; imports
    with django_assert_num_queries(2) as queries:
        assert len(as_alice.get(IMPORTS).json()["results"]) == 3
    assert not [query for query in queries.captured_queries if "content" in query["sql"]]


def test_polling_takes_two_queries_without_the_file(upload, as_alice, django_assert_num_queries):
    path = f"{IMPORTS}{upload(goodreads({}), begin_only=True).json()['id']}/"
    # session with user; import
    with django_assert_num_queries(2) as queries:
        assert as_alice.get(path).json()["status"] == "queued"
    assert not [query for query in queries.captured_queries if "content" in query["sql"]]


def test_file_is_deleted_when_the_import_ends(upload):
    upload(goodreads({}), begin_only=True)
    assert ReviewImport.objects.get().data == goodreads({})
    run_pending()
    assert ReviewImport.objects.get().content is None


@pytest.mark.parametrize("path", [IMPORTS, IMPORTS[:-1]])
def test_json_body_is_rejected(as_alice, path):
    problem(as_alice.post(path, {"source": "goodreads"}, format="json"), 415, "unsupported_media_type")


def test_invalid_upload_fields_are_rejected(upload, as_alice):
    response = as_alice.post(IMPORTS, {}, format="multipart")
    assert bad_fields(response) == {"file": "required", "source": "required"}
    assert bad_fields(upload(goodreads({}), "a notebook", begin_only=True)) == {"source": "invalid_choice"}
    assert bad_fields(upload(goodreads({}), visibility="friends", begin_only=True)) == {"visibility": "invalid_choice"}
    assert bad_fields(upload(b"", begin_only=True)) == {"file": "empty"}
    assert bad_fields(as_alice.post(IMPORTS, {"file": "text", "source": "goodreads"}, format="multipart")) == {
        "file": "invalid"
    }
    assert not ReviewImport.objects.exists()
    assert not QueuedTask.objects.exists()


def test_malformed_multipart_is_rejected(as_alice):
    for body in (b"", b"--x\r\nnonsense", b"\0" * 100):
        response = as_alice.generic("POST", IMPORTS, body, content_type="multipart/form-data; boundary=x")
        assert bad_fields(response) == {"file": "required", "source": "required"}
    for kind in ("multipart/form-data", "multipart/form-data; boundary="):
        problem(as_alice.generic("POST", IMPORTS, b"x", content_type=kind), 400, "parse_error")
    part = b"--x\r\nContent-Disposition: form-data; name="
    for body in (
        part + b"source\r\nContent-Transfer-Encoding: base64\r\n\r\n!\r\n--x--\r\n",
        part + b"source\r\n\r\n\xff\0\r\n" + part + b'file; filename="../\0\xff.csv"\r\n\r\n\0\r\n--x--\r\n',
        part + b'"file"; filename*=utf-9%27%27a\r\nContent-Type: \0\r\n\r\na\r\n--x--\r\n',
        b"".join(part + b"n%d\r\n\r\n1\r\n" % n for n in range(1500)) + b"--x--\r\n",
        b"".join(part + b'n%d; filename="a"\r\n\r\n1\r\n' % n for n in range(150)) + b"--x--\r\n",
    ):
        response = as_alice.generic("POST", IMPORTS, body, content_type="multipart/form-data; boundary=x")
        assert response.status_code == 400, response.content


def test_upload_is_limited_to_5_megabytes(upload):
    head = goodreads({})
    assert upload(head + b"\n" * (5_000_000 - len(head)), begin_only=True).status_code == 202
    problem(upload(head + b"\n" * (5_000_001 - len(head)), begin_only=True), 413, "too_large")
    problem(upload(head + b"\n" * 6_000_000, begin_only=True), 413, "too_large")


def test_three_unfinished_imports_are_allowed(upload, as_bob):
    for _n in range(3):
        assert upload(goodreads({}), begin_only=True).status_code == 202
    problem(upload(goodreads({}), begin_only=True), 409, "too_many_imports")
    assert upload(goodreads({}), client=as_bob, begin_only=True).status_code == 202
    run_pending()
    assert upload(goodreads({}), begin_only=True).status_code == 202


def test_same_key_with_another_boundary_is_replayed(as_alice):
    def send(boundary: str, data: bytes = goodreads({})):
        parts = [("source", "", b"goodreads"), ("file", '; filename="a.csv"', data)]
        body = b"".join(
            f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"{more}\r\n\r\n'.encode() + value + b"\r\n"
            for name, more, value in parts
        )
        body += f"--{boundary}--\r\n".encode()
        content = f"multipart/form-data; boundary={boundary}"
        return as_alice.generic("POST", IMPORTS, body, content_type=content, HTTP_IDEMPOTENCY_KEY="k")

    first, again = send("one"), send("two")
    assert (first.status_code, again.status_code) == (202, 202)
    assert again["Idempotency-Replayed"] == "true"
    assert again.json() == first.json()
    assert (ReviewImport.objects.count(), QueuedTask.objects.count()) == (1, 1)
    problem(send("one", goodreads({}, {})), 422, "idempotency_key_reused")


def test_reports_are_deleted_after_90_days(upload):
    old = upload(goodreads({}))["id"]
    ReviewImport.objects.update(ended_at=timezone.now() - datetime.timedelta(days=91))
    new = upload(goodreads({}))["id"]
    assert [work.pk for work in ReviewImport.objects.all()] == [new]
    assert new != old


# --- Files -----------------------------------------------------------------------------------------------------------


def spreadsheet() -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("xl/workbook.xml", "<workbook/>")
    return out.getvalue()


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"\0\1\2\3" * 100, "not_csv"),
        (spreadsheet(), "not_csv"),
        (b'"' + goodreads({}), "not_csv"),
        (b'{"books": []}', "wrong_columns"),
        (b"<html>", "not_csv"),
        (storygraph({}), "wrong_columns"),
        (goodreads({}).replace(b",", b"|"), "wrong_columns"),
        (goodreads({}, columns=GOODREADS[:1] + GOODREADS[2:]), "wrong_columns"),
        (goodreads({}, columns=[*GOODREADS, "title"]), "duplicate_columns"),
    ],
)
def test_invalid_file_is_rejected(upload, data, code):
    assert bad_fields(upload(data, begin_only=True)) == {"file": code}
    assert not ReviewImport.objects.exists()


def test_empty_export_is_imported(upload):
    report = upload(goodreads())
    assert (report["status"], report["rows"], report["done"]) == ("done", 0, 0)


def test_malformed_rows_fail_separately(upload):
    head, good = goodreads({}).split(b"\n", 1)
    rows = [
        good,  # line 2; line 3 is empty
        good.replace(b"Awesome", b"Awe\0some"),
        good.replace(b"Awesome", b"Awe\xffsome"),
        good.replace(b"Awesome", b"Awe\xed\xa0\x80some"),
        good.replace(b"Hardcover,", b""),
        good.replace(b"Hardcover,", b"Hardcover,,"),
        good.replace(b"Hardcover,", b'"Hard" cover,'),
        b"just text\n",
        good.replace(b"Awesome", b"x" * 1_000_000).replace(b"15839976", b"2").replace(b"Red Rising", b"Long"),
        b'last,"open quote, and nothing after it',
    ]
    report = upload(head + b"\n" + b"\n".join(row.rstrip(b"\n") for row in rows))
    assert counts(report) == (2, 0, 0, 8)
    codes = ["unreadable"] * 3 + ["bad_cells"] * 5
    assert [error["code"] for error in report["errors"]] == codes
    assert [error["line"] for error in report["errors"]] == [3, 4, 5, 6, 7, 8, 9, 11]


def test_open_quote_does_not_publish_private_notes(upload):
    broken = goodreads({"My Review": "QUOTE fine"}, {"Book Id": "2", "Title": "Other", "ISBN13": "", "ISBN": ""})
    report = upload(broken.replace(b"QUOTE", b'"'))
    assert report["failed"] >= 1
    assert not [review for review in Review.objects.all() if "sister" in review.body]


def test_too_many_rows_are_rejected(upload):
    assert bad_fields(upload(goodreads() + b"1,2\n" * 100_000, begin_only=True)) == {"file": "too_many_rows"}


def test_errors_are_limited_to_a_thousand(upload):
    report = upload(goodreads() + b"1,2\n" * 1500)
    assert (report["status"], report["failed"], len(report["errors"])) == ("done", 1500, 1000)
    assert report["errors"][-1]["line"] == 1001


# --- Repeated imports ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("source", "export"), [("goodreads", goodreads), ("storygraph", storygraph)])
def test_importing_the_same_file_again_changes_nothing(upload, source, export):
    rows = [{}, {"My Rating": "9", "Star Rating": "9"}]
    own = {"Title": "Über uns (Reihe, #2)", "Author": "Ä. B.", "Authors": "Ä. B.", "Book Id": "7", "Date Read": ""}
    own |= {"ISBN": "", "ISBN13": "", "ISBN/UID": "", "Last Date Read": "", "Date Added": f"{timezone.now():%Y/%m/%d}"}
    data = export(*rows, own, {"Title": "Shelf", "My Rating": "0", "My Review": "", "Star Rating": "", "Review": ""})
    assert counts(upload(data, source)) == (2, 0, 1, 1)
    before = snapshot()
    for _again in range(2):
        report = upload(data, source)
        assert counts(report) == (0, 0, 3, 1)
        assert remarks(report) == {"unchanged": 2, "nothing_to_review": 1}
        assert snapshot() == before
    assert counter_differences() == (0, [])


def test_two_rows_of_one_book_do_not_alternate(upload):
    data = storygraph({"ISBN/UID": "", "Star Rating": "2"}, {"ISBN/UID": "", "Star Rating": "3"})
    assert counts(upload(data, "storygraph")) == (1, 0, 1, 0)
    assert remarks(upload(data, "storygraph")) == {"unchanged": 1, "same_book": 1}
    assert Review.objects.get().rating == 4


def test_newer_export_updates_imported_reviews(upload):
    upload(goodreads({}))
    review = Review.objects.get()
    report = upload(goodreads({"My Rating": "2", "My Review": "Less so.", "Date Read": "2026/01/02"}))
    assert counts(report) == (0, 1, 0, 0)
    review.refresh_from_db()
    assert (review.rating, review.body, str(review.created_at.date())) == (4, "Less so.", "2026-01-02")
    assert review.edited_at
    assert counts(upload(goodreads({"My Rating": "3", "Date Read": "2026/01/02"}))) == (0, 1, 0, 0)
    assert counter_differences() == (0, [])


def test_older_export_changes_nothing(upload):
    upload(goodreads({"Date Read": "2026/01/02"}))
    report = upload(goodreads({"My Rating": "2"}))
    assert (counts(report), remarks(report)) == ((0, 0, 1, 0), {"newer_here": 1})
    assert Review.objects.get().rating == 10


def test_review_written_by_the_user_is_not_changed(upload, as_alice):
    book = Book.create_book(by=None, title="Red Rising", authors=["Pierce Brown"])
    written = as_alice.post("/api/v1/reviews/", {"book": book.pk, "rating": 1, "body": "mine"}).json()
    report = upload(goodreads({}))
    assert (counts(report), remarks(report)) == ((0, 0, 1, 0), {"reviewed_here": 1})
    assert as_alice.get(f"/api/v1/reviews/{written['id']}/").json() == written


def test_review_edited_by_the_user_is_not_changed(upload, as_alice):
    upload(goodreads({}))
    review = Review.objects.get()
    as_alice.patch(f"/api/v1/reviews/{review.pk}/", {"title": "Mine now"})
    report = upload(goodreads({"My Rating": "1", "Date Read": "2026/01/02"}))
    assert (counts(report), remarks(report)) == ((0, 0, 1, 0), {"edited_here": 1})
    review.refresh_from_db()
    assert (review.rating, review.title) == (10, "Mine now")


def test_review_from_another_source_is_not_changed(upload):
    upload(goodreads({}))
    report = upload(storygraph({}), "storygraph")
    assert remarks(report) == {"reviewed_here": 1}
    assert remarks(upload(goodreads({}))) == {"unchanged": 1}
    assert Review.objects.get().rating == 10


def test_deleted_review_is_imported_again(upload, as_alice):
    upload(goodreads({}))
    assert as_alice.delete(f"/api/v1/reviews/{Review.objects.get().pk}/").status_code == 204
    assert counts(upload(goodreads({}))) == (1, 0, 0, 0)


def test_two_users_import_the_same_book(upload, as_bob):
    upload(goodreads({}))
    assert counts(upload(goodreads({"My Rating": "2"}), client=as_bob)) == (1, 0, 0, 0)
    found = Book.objects.get()
    assert (found.ratings_count, found.ratings_sum) == (2, 14)
    assert counter_differences() == (0, [])


# --- Partial processing and crashes ----------------------------------------------------------------------------------


process_batch = get_options(tasks.process_import).function


@pytest.fixture
def in_parts(monkeypatch):
    """Limit each part of an import to a number of rows."""

    def after(rows: int) -> None:
        clock = count()
        monkeypatch.setattr(tasks.time, "monotonic", lambda: next(clock))
        monkeypatch.setattr(tasks, "MAX_SECONDS_PER_RUN", rows)

    return after


def test_import_is_processed_in_parts(upload, in_parts):
    in_parts(3)
    data = goodreads(*(book(n) for n in range(20)))
    upload(data, begin_only=True)
    work = ReviewImport.objects.get()
    assert process_batch(id=work.pk) is True
    work.refresh_from_db()
    assert work.status == "running"
    assert 1 <= work.rows_processed < 10
    assert work.created == work.rows_processed == Review.objects.count()
    run_pending()
    work.refresh_from_db()
    assert (work.status, work.rows_processed, work.created) == ("done", 20, 20)
    assert Review.objects.count() == Book.objects.count() == 20
    assert counter_differences() == (0, [])


@pytest.mark.parametrize("kind", [OperationalError, KeyboardInterrupt])
def test_interrupted_import_resumes(upload, monkeypatch, kind):
    upload(goodreads(*(book(n) for n in range(10))), begin_only=True)
    work, write, calls = ReviewImport.objects.get(), Review.create_review, count()

    def breaking(**fields):
        review = write(**fields)
        if next(calls) == 4:
            raise kind
        return review

    monkeypatch.setattr(Review, "create_review", breaking)
    with pytest.raises(kind):
        process_batch(id=work.pk)
    work.refresh_from_db()
    assert (work.rows_processed, Review.objects.count()) == (4, 4)
    assert process_batch(id=work.pk) is False
    work.refresh_from_db()
    assert (work.status, work.created, Review.objects.count()) == ("done", 10, 10)
    assert counter_differences() == (0, [])


def test_failing_row_does_not_block_others(upload, monkeypatch, caplog):
    write = Review.create_review

    def breaking(**fields):
        if fields["book"].title == "Book 3":
            raise ZeroDivisionError("secret")
        return write(**fields)

    monkeypatch.setattr(Review, "create_review", breaking)
    report = upload(goodreads(*(book(n) for n in range(5))))
    assert counts(report) == (4, 0, 0, 1)
    assert report["errors"][0] == {
        "line": 5,
        "code": "unexpected",
        "reason": str(REASON_MESSAGES["unexpected"]),
    }
    assert not Book.objects.filter(title="Book 3").exists()
    assert "Could not import a row" in caplog.messages


def test_superseded_runner_stops(alice):
    data = goodreads(*(book(n) for n in range(5)))
    work = resume_or_start(by=alice, source="goodreads", visibility="public", data=data)
    late = ImportRunner(ReviewImport.objects.get(), data)
    ImportRunner(work, data).run(should_stop=lambda: Review.objects.count() == 2)
    with pytest.raises(SupersededError):
        late.run(should_stop=lambda: False)
    assert Review.objects.count() == 2
    assert ReviewImport.objects.get().rows_processed == 2


@pytest.mark.parametrize(
    "change", [{"is_active": False}, {"suspended_until": timezone.now() + datetime.timedelta(days=1)}]
)
def test_inactive_account_cancels_the_import(upload, alice, change):
    upload(goodreads({}), begin_only=True)
    type(alice).objects.filter(pk=alice.pk).update(**change)
    run_pending()
    work = ReviewImport.objects.get()
    assert (work.status, work.failure, work.content) == ("failed", "account_closed", None)
    assert not Review.objects.exists()


def test_repeatedly_failing_import_is_marked_failed(upload, as_alice, monkeypatch):
    response = upload(goodreads({}), begin_only=True).json()
    monkeypatch.setattr(tables.csv, "reader", lambda *a, **k: 1 / 0)
    while QueuedTask.objects.filter(status="READY").update(run_after=timezone.now()):
        run_pending()
    report = as_alice.get(f"{IMPORTS}{response['id']}/").json()
    assert (report["status"], report["failure"]) == ("failed", "The import failed repeatedly. Please try again later.")
    assert ReviewImport.objects.get().content is None
    assert QueuedTask.objects.get().error == "ZeroDivisionError"
