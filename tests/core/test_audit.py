"""The audit log: every change by staff and every security event, once, and read-only."""

import csv
import datetime
import io
import json
import re

import pytest
import time_machine
from django.core.management import CommandError, call_command
from django.test import Client
from django.utils import timezone

from accounts.deletion import close_account
from accounts.models import ReviewsOnDeletion, User
from catalog.models import Book
from core.admin.csv_export import escape_formula
from core.audit import AuditTarget, log_audit_event
from core.audit.models import AuditEntry
from moderation.models import CaseView
from moderation.services import open_case
from tests.conftest import PASSWORD

pytestmark = pytest.mark.django_db

LOG = "/admin/core/auditentry/"
USERS = "/admin/accounts/user/"
HERE = {"REMOTE_ADDR": "198.51.100.7", "HTTP_USER_AGENT": "Testfox/1"}
NEW = "a new horse battery"


@pytest.fixture
def admin(staff):
    client = Client(**HERE)
    client.force_login(staff)
    return client


@pytest.fixture
def alice(alice):
    AuditEntry.objects.all().delete()
    return alice


def entries():
    return list(AuditEntry.objects.order_by("id"))


def verbs():
    return [entry.verb for entry in entries()]


def shown(admin, **query):
    """Return the verbs on the page, the newest first."""
    response = admin.get(LOG, query)
    assert response.status_code == 200
    return [entry.verb for entry in response.context["cl"].result_list]


def form_of(user, **changes):
    page = {name: getattr(user, name) for name in ("username", "display_name", "bio", "language", "timezone", "email")}
    page |= {"is_active": "on", "email_verified": "on"}
    return page | changes


def test_change_records_actor_target_and_client(admin, staff, alice):
    response = admin.post(f"{USERS}{alice.pk}/change/", form_of(alice, bio="New."), HTTP_X_REQUEST_ID="req-1")
    assert response.status_code == 302
    (entry,) = entries()
    assert (entry.verb, entry.outcome, entry.actor, entry.actor_name) == ("admin.changed", "done", staff.pk, "staffer")
    assert (entry.target_type, entry.target_id, entry.target_title) == ("accounts.user", alice.pk, "alice")
    assert entry.changes == {"bio": ["", "New."]}
    assert (entry.ip_address, entry.user_agent, entry.request_id) == ("198.51.100.7", "Testfox/1", "req-1")
    assert abs(timezone.now() - entry.created_at) < datetime.timedelta(minutes=1)


def test_additions_and_deletions_are_recorded(admin, staff):
    book = {"title": "Dom Casmurro", "authors": "Machado de Assis", "isbn": "", "language": "pt"}
    inline = {"editions-TOTAL_FORMS": "0", "editions-INITIAL_FORMS": "0"}
    assert admin.post("/admin/catalog/book/add/", book | inline).status_code == 302
    made = Book.objects.get()
    assert admin.post(f"/admin/catalog/book/{made.pk}/delete/", {"post": "yes"}).status_code == 302
    assert verbs() == ["admin.added", "admin.deleted"]
    assert {entry.target_id for entry in entries()} == {made.pk}
    assert entries()[0].changes["title"] == [None, "Dom Casmurro"]


def test_invalid_form_is_not_recorded(admin, alice):
    assert admin.post(f"{USERS}{alice.pk}/change/", form_of(alice, username="a b")).status_code == 200
    assert entries() == []


def test_rolled_back_change_is_not_recorded(admin, alice, monkeypatch):
    def fail(*args, **kwargs):
        raise RuntimeError

    monkeypatch.setattr("accounts.admin.UserAdmin.response_change", fail)
    admin.raise_request_exception = False
    response = admin.post(f"{USERS}{alice.pk}/change/", form_of(alice, bio="New."))
    assert response.status_code == 500
    assert entries() == []


def test_password_change_is_recorded_without_the_password(admin, alice):
    body = {"password1": NEW, "password2": NEW, "usable_password": "true"}
    assert admin.post(f"{USERS}{alice.pk}/password/", body).status_code == 302
    changed = AuditEntry.objects.get(verb="admin.changed")
    assert changed.target_id == alice.pk
    assert changed.changes == {"password": ["•••", "•••"]}
    kept = json.dumps(list(AuditEntry.objects.values()), default=str)
    assert NEW not in kept
    alice.refresh_from_db()
    assert alice.password not in kept


def test_action_is_recorded_with_its_rows(admin, staff, alice, bob):
    admin.post(USERS, {"action": "end_sessions", "_selected_action": [alice.pk, bob.pk]})
    done = AuditEntry.objects.get(verb="admin.end_sessions")
    assert (done.actor, done.target_type, done.target_id) == (staff.pk, "accounts.user", None)
    assert sorted(done.detail.split(", ")) == sorted([str(alice.pk), str(bob.pk)])
    admin.post(USERS, {"action": "end_sessions", "_selected_action": [alice.pk]})
    assert AuditEntry.objects.filter(verb="admin.end_sessions", target_id=alice.pk).count() == 1


def test_deleting_several_rows_records_each(admin, alice, bob):
    body = {"action": "delete_selected", "_selected_action": [alice.pk, bob.pk]}
    assert admin.post(USERS, body).status_code == 200
    assert entries() == []  # not confirmed yet
    admin.post(USERS, body | {"post": "yes"})
    assert verbs() == ["admin.deleted", "admin.deleted"]


def test_forbidden_page_is_recorded(make_user):
    helper, client = make_user("helper", is_staff=True), Client()
    client.force_login(helper)
    assert client.get(USERS).status_code == 403
    (entry,) = entries()
    assert (entry.verb, entry.outcome, entry.actor) == ("admin.refused", "refused", helper.pk)
    assert entry.detail == f"GET {USERS}"


def test_failed_admin_logins_are_recorded(alice, staff):
    client = Client(**HERE)
    for name, password in (("staffer", "wrong"), ("nobody", "wrong"), (PASSWORD, "x")):
        client.post("/admin/login/", {"username": name, "password": password})
    first, second, third = entries()
    assert {entry.verb for entry in (first, second, third)} == {"staff.refused"}
    assert (first.outcome, first.actor, first.target_id, first.ip_address) == (
        "refused",
        None,
        staff.pk,
        "198.51.100.7",
    )
    assert second.target_id is third.target_id is None
    assert PASSWORD not in json.dumps(list(AuditEntry.objects.values()), default=str)


def test_audit_log_is_read_only(admin, staff):
    log_audit_event("thing.done", by=staff)
    row = entries()[0]
    for path in (f"{LOG}add/", f"{LOG}{row.pk}/delete/"):
        assert admin.get(path).status_code == 403
        assert admin.post(path, {"post": "yes"}).status_code == 403
    assert admin.get(f"{LOG}{row.pk}/change/").status_code == 200
    assert admin.post(f"{LOG}{row.pk}/change/", {"verb": "thing.undone"}).status_code == 403
    admin.post(LOG, {"action": "delete_selected", "_selected_action": [row.pk], "post": "yes"})
    assert AuditEntry.objects.filter(verb="thing.done").count() == 1


def test_entry_page_shows_all_fields(admin, staff, alice):
    log_audit_event("review.hidden", by=staff, target=alice, reason="Spam <b>", changes={"bio": ("old", ["a", "b"])})
    page = admin.get(f"{LOG}{entries()[0].pk}/change/").content.decode()
    for text in ("review.hidden", "Spam &lt;b&gt;", "<del>old</del>", "<ins>a; b</ins>", f"{USERS}{alice.pk}/change/"):
        assert text in page, text


def test_audit_log_filters_and_search(admin, staff, alice):
    now = timezone.now()
    for n, (verb, by, target, refused) in enumerate(
        [
            ("one", staff, alice, False),
            ("two", alice, None, True),
            ("three", None, AuditTarget("reviews.review", 7), False),
            ("four", alice.pk, AuditTarget("accounts.user", staff.pk), False),
        ]
    ):
        with time_machine.travel(now - datetime.timedelta(days=n), tick=False):
            log_audit_event(verb, by=by, target=target, refused=refused)
    AuditEntry.objects.filter(verb="three").update(ip_address="2001:db8::1")
    day = (now - datetime.timedelta(days=1)).date().isoformat()
    every = ["one", "two", "three", "four"]
    for query, found in [
        ({}, every),
        ({"verb": "two"}, ["two"]),
        ({"verb": "nothing"}, []),
        ({"outcome__exact": "refused"}, ["two"]),
        ({"actor": "STAFFER"}, ["one"]),
        ({"actor": str(alice.pk)}, ["two", "four"]),
        ({"actor": "nobody"}, []),
        ({"q": "staffer"}, ["one", "four"]),
        ({"q": "alice"}, ["one", "two", "four"]),
        ({"q": "2001:db8::1"}, ["three"]),
        ({"q": "reviews.review:7"}, ["three"]),
        ({"q": "nothing at all"}, []),
        ({"q": "x:" + "9" * 30}, []),
        ({"created_at_from_0": day}, ["one", "two"]),
        ({"created_at_to_0": day}, ["two", "three", "four"]),
        (
            {
                "created_at_from_0": day,
                "created_at_from_1": "00:00:00",
                "created_at_to_0": day,
                "created_at_to_1": "23:59:59",
            },
            ["two"],
        ),
        ({"created_at_from_0": "yesterday"}, []),
        ({"created_at_from_0": "0001-01-01"}, []),
        ({"created_at_from_1": "10:00"}, []),
        ({"verb": "two", "actor": "alice", "created_at_from_0": day}, ["two"]),
    ]:
        assert shown(admin, **query) == found, query


def test_csv_export_applies_the_filters(admin, staff, alice, monkeypatch):
    monkeypatch.setattr("core.admin.csv_export.BATCH_SIZE", 3)
    same = timezone.now()
    for n in range(8):
        log_audit_event(
            "thing.done", by=staff, target=AuditTarget("x.y", n, "=HYPERLINK(1)"), changes={"a": (1, "b")}, reason="-x"
        )
    AuditEntry.objects.update(created_at=same)
    log_audit_event("other", by=staff)
    response = admin.get(f"{LOG}export/?verb=thing.done")
    assert response["Content-Type"] == "text/csv; charset=utf-8"
    assert response["Content-Disposition"] == 'attachment; filename="audit-log.csv"'
    heads, *rows = csv.reader(io.StringIO(response.getvalue().decode()))
    found = [dict(zip(heads, row, strict=True)) for row in rows]
    assert [row["target_id"] for row in found] == [str(n) for n in reversed(range(8))]
    assert {row["target_title"] for row in found} == {"'=HYPERLINK(1)"}
    assert {row["reason"] for row in found} == {"'-x"}
    assert json.loads(found[0]["changes"]) == {"a": [1, "b"]}
    assert verbs()[-1] == "audit.exported"


@pytest.mark.parametrize("log", [LOG, "/admin/activity/event/"])
def test_export_with_unknown_filter_redirects(admin, log):
    response = admin.get(f"{log}export/?colour=red")
    assert (response.status_code, response["Location"]) == (302, f"{log}?e=1")
    assert "audit.exported" not in verbs()


@pytest.mark.parametrize("text", ["=1", "+1", "-1", "@a", "\t=1", "\r=1"])
def test_csv_cells_escape_formulas(text):
    assert escape_formula(text) == f"'{text}"
    assert escape_formula(f"a{text}") == f"a{text}"
    assert escape_formula(-1) == "-1"


def test_hostile_values_are_sanitized(staff):
    log_audit_event("x", by=staff, reason="a\x00\ud800" * 900, detail="é" * 999, changes={"a": ("\ud800", "x" * 9999)})
    (entry,) = entries()
    assert len(entry.reason) == 1000
    assert entry.detail.endswith("…")
    assert "\x00" not in entry.reason
    assert entry.changes["a"][0] == "?"


def test_account_deletion_anonymizes_all_but_staff_actions(admin, staff, alice):
    Client(**HERE).post("/admin/login/", {"username": "alice", "password": "wrong"})
    log_audit_event("review.hidden", by=staff, target=alice)
    close_account(alice, password=PASSWORD, reviews=ReviewsOnDeletion.DELETE)
    for entry in AuditEntry.objects.filter(target_type="accounts.user", target_id=alice.pk):
        assert entry.target_title == ""
        assert (entry.ip_address, entry.user_agent) == ("", "") or entry.actor == staff.pk
    close_account(staff, password=PASSWORD, reviews=ReviewsOnDeletion.DELETE)
    assert AuditEntry.objects.get(verb="review.hidden").actor_name == "staffer"


def test_prune_command_deletes_old_entries(staff, monkeypatch):
    monkeypatch.setattr("core.audit.retention.BATCH_SIZE", 3)
    for days in (400, 400, 400, 400, 364):
        with time_machine.travel(timezone.now() - datetime.timedelta(days=days)):
            log_audit_event(f"before {days}", by=staff)
    out = io.StringIO()
    call_command("prune_audit_log", older_than="365d", dry_run=True, stdout=out)
    assert len(entries()) == 5
    call_command("prune_audit_log", older_than="365d", stdout=out)
    assert verbs() == ["before 364", "audit.cleared"]
    call_command("prune_audit_log", older_than="365", stdout=out)
    assert out.getvalue().splitlines() == [
        "4 entries would be deleted.",
        "4 entries were deleted.",
        "0 entries were deleted.",
    ]
    for nonsense in ("29d", "x", "-1d", "", "1e3", "999999d"):
        with pytest.raises(CommandError):
            call_command("prune_audit_log", older_than=nonsense)


def test_audit_list_query_count_is_constant(admin, staff, django_assert_num_queries):
    User.objects.bulk_create(User(username=f"r{n}", username_key=f"r{n}") for n in range(300))
    users = list(User.objects.filter(username_key__startswith="r"))
    for size in (3, 300):
        for user in users[AuditEntry.objects.count() : size]:
            log_audit_event("thing.done", by=user, target=user)
        admin.get(LOG)  # caches the verbs
        # The session, the user with the second factor; the count; the entries; the names.
        with django_assert_num_queries(5):
            assert len(admin.get(LOG).context["cl"].result_list) == min(size, 50)


def test_command_is_recorded_without_a_client(staff):
    call_command("reset_two_factor", "staffer", stdout=io.StringIO())
    assert entries() == []
    Client().force_login(staff)
    call_command("reset_two_factor", "staffer", stdout=io.StringIO())
    (entry,) = entries()
    assert (entry.verb, entry.ip_address, entry.user_agent) == ("factor.reset", "", "")
    assert entry.detail == "manage.py reset_two_factor"


def test_daily_cleanup_respects_retention_setting(settings):
    with time_machine.travel(timezone.now() - datetime.timedelta(days=100)):
        log_audit_event("long.ago", by=None)
    call_command("prune_expired", stdout=io.StringIO())
    assert verbs() == ["long.ago"]
    settings.AUDIT_DAYS = 99
    call_command("prune_expired", stdout=io.StringIO())
    assert verbs() == ["audit.cleared"]


def test_case_views_are_kept_as_long_as_the_audit_log(staff, alice, settings):
    case = open_case("user", alice.pk, by=staff)
    for days in (400, 100):
        at = timezone.now() - datetime.timedelta(days=days)
        CaseView.objects.create(case=case, by=staff, by_name="staffer", created_at=at)
    out = io.StringIO()
    call_command("prune_audit_log", older_than="365d", dry_run=True, stdout=out)
    assert CaseView.objects.count() == 2
    call_command("prune_audit_log", older_than="365d", stdout=out)
    assert out.getvalue().splitlines() == ["1 entries would be deleted.", "1 entries were deleted."]
    assert CaseView.objects.count() == 1
    call_command("prune_expired", stdout=out)
    assert CaseView.objects.count() == 1
    settings.AUDIT_DAYS = 99
    call_command("prune_expired", stdout=out)
    assert not CaseView.objects.exists()
    assert verbs() == ["audit.cleared"] * 2


def test_post_case_opens_only_after_a_report(admin, alice, bob, client_of):
    club = client_of(alice).post("/api/v1/clubs/", {"name": "Quiet"}).json()["id"]
    thread = client_of(alice).post(f"/api/v1/clubs/{club}/threads/", {"title": "T", "body": "Words"}).json()["id"]
    post = client_of(alice).get(f"/api/v1/clubs/{club}/threads/{thread}/posts/").json()["results"][0]["id"]
    about = f"/admin/moderation/case/open/post/{post}/"
    assert admin.get(about).status_code == 404
    client_of(bob).post(f"/api/v1/clubs/{club}/join/", {})
    report = {"target_type": "post", "target_id": post, "reason": "spam", "note": ""}
    assert client_of(bob).post("/api/v1/reports/", report).status_code == 201
    assert admin.get(about).status_code == 302
    assert b"Words" in admin.get(about, follow=True).content


@pytest.mark.parametrize("log", [LOG, "/admin/activity/event/"])
def test_filter_form_keeps_selected_filters(admin, log):
    log_audit_event("club.created", by=None)
    chosen = {"verb": "club.created", "q": "alice"} | ({"outcome__exact": "done"} if log == LOG else {})
    page = admin.get(log, chosen).content.decode()
    form = page[page.index('id="filter-form"') :]
    form = form[: form.index("</form>")]
    sent = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', form))
    assert sent == chosen
