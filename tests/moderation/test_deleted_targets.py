"""Cases after the deletion of their object, its author or a reporter."""

import pytest

from clubs.models import Club
from moderation.models import Appeal, Case, Report
from reviews.models import Review
from tests.moderation.helpers import appeal, case_of, report
from tests.reviews.helpers import REVIEWS, counter_differences, delete_account

pytestmark = pytest.mark.django_db


def test_deletion_closes_the_case(clients, as_alice, review, book, club, mallory, client_of):
    for obj in (review, book, club):
        report(clients[0], obj)
    cases = [case_of(obj) for obj in (review, book, club)]
    assert as_alice.delete(f"{REVIEWS}{review.pk}/").status_code == 204
    assert as_alice.delete(f"/api/v1/clubs/{club.pk}/").status_code == 204
    assert client_of(mallory).delete(f"/api/v1/books/{book.pk}/").status_code == 204
    for case in cases:
        version = case.version
        case.refresh_from_db()
        assert (case.status, case.reports_count, case.version) == ("deleted", 0, version + 1)
    assert not Case.objects.open().exists()


def test_club_deletion_closes_the_cases_of_its_content(club):
    Case.objects.create(target_type="post", target_id=7, club_id=club.pk, status="open")
    Case.objects.create(target_type="post", target_id=8, club_id=club.pk + 1, status="open")
    Club.objects.get().delete_club(by=None)
    assert [case.target_id for case in Case.objects.open()] == [8]


def test_account_deletion_anonymizes_reports(clients, as_alice, alice, bob, review, as_bob, settings):
    settings.REPORTS_TO_HIDE = 2
    report(as_bob, review, note="Look at this.")
    report(clients[0], bob)
    report(clients[1], review)
    delete_account(bob, anonymize=True)
    anonymous_report = Report.objects.get(note="Look at this.")
    assert anonymous_report.reporter is None
    assert Case.objects.get(target_type="user").status == "deleted"
    # The anonymous report still counts.
    case = case_of(review)
    assert (case.reports_count, case.hidden_state) == (2, "pending")


def test_account_deletion_keeps_closed_cases_closed(clients, as_alice, alice, hidden):
    appeal(as_alice, hidden)
    assert as_alice.delete(f"{REVIEWS}{hidden.pk}/").status_code == 204
    delete_account(alice, anonymize=True)
    case = Case.objects.get(target_type="review")
    assert (case.status, case.reports_count, case.is_appealed) == ("deleted", 0, False)


@pytest.mark.parametrize("anonymize", [True, False])
def test_account_deletion_keeps_cases_of_remaining_reviews(clients, as_alice, alice, review, anonymize, settings):
    settings.REPORTS_TO_HIDE = 1
    report(clients[0], review)
    appeal(as_alice, review)
    delete_account(alice, anonymize=anonymize)
    case = Case.objects.get()
    assert case.author is None
    assert not Appeal.objects.exists()
    if anonymize:
        assert (case.status, case.hidden_state, case.is_appealed) == ("open", "pending", False)
        assert Review.objects.get().hidden_at is not None
    else:
        assert (case.status, case.hidden_state) == ("deleted", "")
    assert counter_differences() == (0, [])
