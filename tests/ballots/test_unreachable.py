"""Candidates that too many members cannot get, and recounts without a winner that cannot be had."""

import datetime

import pytest
import time_machine

from activity.models import Event
from availability.models import Availability
from ballots.models import Ballot
from clubs.models import Entry
from tests.ballots.helpers import body, poll, url
from tests.clubs.helpers import bad_fields, problem

pytestmark = pytest.mark.django_db


@pytest.fixture
def cannot(entries):
    def say(entry, *users):
        for user in users:
            Availability.set_answer(entry=entry, by=user, answer="cannot")

    return say


def close(client, club, ballot):
    response = client.post(url(club, ballot, "close/"))
    assert response.status_code == 200, response.content
    return response.json()["result"]


def vote(ballot, choices, *users):
    for user in users:
        ballot.vote(by=user, choices=[entry.pk for entry in choices])


def test_candidate_above_the_maximum_falls_out(as_alice, club, entries, alice, bob, moe, cannot):
    response = as_alice.post(url(club), body(entries[:3], max_cannot_percent=33))
    assert (response.status_code, response.json()["max_cannot_percent"]) == (201, 33)
    ballot = Ballot.objects.get()
    vote(ballot, entries[:3], alice, bob, moe)
    cannot(entries[0], bob, moe)
    cannot(entries[1], bob)
    result = close(as_alice, club, ballot)
    # One of three is 33.3 %.
    assert result["unreachable"] == [entries[0].pk, entries[1].pk]
    assert (result["outcome"], result["winner"]) == ("winner", entries[2].pk)
    assert result["ballots"] == [[entries[2].pk]] * 3
    assert Entry.objects.get(pk=entries[0].pk).status == "proposed"


def test_exactly_the_maximum_stays(as_alice, club, entries, alice, bob, moe, cannot):
    ballot = poll(club, entries[:2], max_cannot_percent=34)
    vote(ballot, entries[:1], alice)
    cannot(entries[0], bob)
    result = close(as_alice, club, ballot)
    assert (result["unreachable"], result["winner"]) == ([], entries[0].pk)


def test_without_a_maximum_nothing_falls_out(as_alice, club, entries, alice, bob, moe, cannot):
    ballot = poll(club, entries[:2])
    vote(ballot, entries[:1], alice)
    cannot(entries[0], alice, bob, moe)
    result = close(as_alice, club, ballot)
    assert (result["unreachable"], result["winner"], result["recounts"]) == ([], entries[0].pk, [])


def test_all_candidates_may_fall_out(as_alice, club, entries, alice, bob, moe, cannot):
    ballot = poll(club, entries[:2], max_cannot_percent=0)
    vote(ballot, entries[:1], alice)
    for entry in entries[:2]:
        cannot(entry, bob)
    result = close(as_alice, club, ballot)
    assert (result["outcome"], result["winner"]) == ("no_votes", None)
    assert result["unreachable"] == [entry.pk for entry in entries[:2]]


def test_ballot_of_two_members_does_not_tell_who_cannot(as_alice, as_moe, club, entries, alice, bob, cannot):
    ballot = poll(club, entries[:2], max_cannot_percent=0)
    vote(ballot, entries[:1], alice)
    cannot(entries[0], bob)
    as_moe.post(f"/api/v1/clubs/{club.pk}/leave/")
    assert close(as_alice, club, ballot)["unreachable"] == []


@pytest.mark.parametrize(("value", "code"), [(-1, "min_value"), (101, "max_value"), ("many", "invalid")])
def test_invalid_maximum_is_rejected(as_alice, club, entries, value, code):
    assert bad_fields(as_alice.post(url(club), body(entries[:2], max_cannot_percent=value))) == {
        "max_cannot_percent": code
    }


class TestRecount:
    @pytest.fixture
    def ballot(self, club, entries, alice, bob, moe):
        """The first entry wins, the second is the second choice of two."""
        ballot = poll(club, entries[:3])
        vote(ballot, entries[:2], alice, bob)
        vote(ballot, [entries[2]], moe)
        ballot.close(by=alice)
        return ballot

    def recount(self, client, club, ballot, without, reason="Out of print"):
        return client.post(url(club, ballot, "recount/"), {"without": without.pk, "reason": reason})

    def test_recount_plans_the_next_winner(self, as_moe, as_bob, club, entries, ballot):
        before = as_bob.get(url(club, ballot)).json()["result"]
        response = self.recount(as_moe, club, ballot, entries[0])
        assert response.status_code == 200, response.content
        result = response.json()["result"]
        assert result["winner"] == entries[1].pk
        assert result["recounts"] == [
            {
                "without": entries[0].pk,
                "reason": "Out of print",
                "at": result["recounts"][0]["at"],
                "outcome": "winner",
                "winner": entries[1].pk,
                "rounds": [
                    {
                        "counts": {str(entries[1].pk): 2, str(entries[2].pk): 1},
                        "eliminated": None,
                        "exhausted": 0,
                    }
                ],
            }
        ]
        assert {name: result[name] for name in ("rounds", "ballots")} == {
            name: before[name] for name in ("rounds", "ballots")
        }
        assert [Entry.objects.get(pk=entry.pk).status for entry in entries[:3]] == ["proposed", "planned", "proposed"]
        assert as_bob.get(url(club, ballot)).json()["result"] == result
        assert Event.objects.filter(verb="ballot.recounted", club=club).count() == 1

    def test_second_recount_leaves_out_both(self, as_moe, club, entries, ballot):
        self.recount(as_moe, club, ballot, entries[0])
        result = self.recount(as_moe, club, ballot, entries[1]).json()["result"]
        assert (result["winner"], len(result["recounts"])) == (entries[2].pk, 2)
        result = self.recount(as_moe, club, ballot, entries[2]).json()["result"]
        assert (result["outcome"], result["winner"]) == ("no_votes", None)
        assert {entry.status for entry in Entry.objects.filter(club=club)} == {"proposed"}

    def test_only_the_winner_can_be_left_out(self, as_moe, club, entries, ballot):
        for without in (entries[1].pk, 10**9):
            response = as_moe.post(url(club, ballot, "recount/"), {"without": without, "reason": "R"})
            assert bad_fields(response) == {"without": "not_the_winner"}
        self.recount(as_moe, club, ballot, entries[0])
        assert bad_fields(self.recount(as_moe, club, ballot, entries[0])) == {"without": "not_the_winner"}

    @pytest.mark.parametrize("status", ["reading", "finished"])
    def test_book_under_way_stays_the_winner(self, as_moe, alice, club, entries, ballot, status):
        entry = Entry.objects.get(pk=entries[0].pk)
        for step in ("reading", "finished")[: 1 + (status == "finished")]:
            entry.update_entry(by=alice, status=step)
        problem(self.recount(as_moe, club, ballot, entries[0]), 409, "under_way")

    def test_dropped_winner_is_proposed_again(self, as_moe, alice, club, entries, ballot):
        Entry.objects.get(pk=entries[0].pk).update_entry(by=alice, status="dropped")
        assert self.recount(as_moe, club, ballot, entries[0]).status_code == 200
        assert Entry.objects.get(pk=entries[0].pk).status == "proposed"

    def test_recount_ends_after_30_days(self, client_of, moe, club, entries, ballot):
        with time_machine.travel(ballot.closed_at + datetime.timedelta(days=30, seconds=1)):
            problem(self.recount(client_of(moe), club, ballot, entries[0]), 409, "too_late")

    def test_open_ballot_is_not_recounted(self, as_moe, club, entries, ballot):
        problem(self.recount(as_moe, club, poll(club, entries[1:3]), entries[1]), 409, "ballot_open")

    def test_candidate_that_is_not_proposed_any_more_does_not_win(self, as_moe, alice, club, entries, ballot):
        Entry.objects.get(pk=entries[1].pk).update_entry(by=alice, status="dropped")
        assert self.recount(as_moe, club, ballot, entries[0]).json()["result"]["winner"] == entries[2].pk

    def test_reason_is_required(self, as_moe, club, entries, ballot):
        response = as_moe.post(url(club, ballot, "recount/"), {"without": entries[0].pk})
        assert bad_fields(response) == {"reason": "required"}
        assert bad_fields(self.recount(as_moe, club, ballot, entries[0], "x" * 501)) == {"reason": "max_length"}
