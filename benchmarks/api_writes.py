"""The writes of the API with a body for each, for `request_costs.py --all`. Uploads of files are left out."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from django.utils import timezone

from accounts.models import User
from ballots.models import Ballot
from catalog.models import Book
from clubs.models import Club, Entry
from discussions.models import Post
from reviews.models import Review

WEEK = timedelta(days=7)
TEXT = "Quiet, and better than I expected."


Write = tuple[str, str, Any]


def writes(club: Club, password: str) -> Iterator[Write]:
    """Yield method, path and body of each write that the owner of `club` can make. Creates what some of them need."""
    member = club.memberships.active().exclude(user=club.owner).order_by("pk").values_list("user", flat=True)[0]
    unlisted, *others = Book.objects.exclude(pk__in=club.entries.values("book")).order_by("pk")[:4]
    proposed = [Entry.add_entry(club=club, book=book, by=club.owner).pk for book in others]
    for method, path, body in (
        *account_writes(club.owner, member, password),
        *review_writes(club.owner),
        *club_writes(club, member, unlisted),
        *content_writes(club, member, proposed),
    ):
        yield method, path if path.startswith("/") else f"/api/v1/{path}", body


def account_writes(owner: User, member: int, password: str) -> tuple[Write, ...]:
    """Return the writes about accounts."""
    other = User.objects.get(pk=member).username
    return (
        ("POST", "auth/register/", {"username": "new.reader", "password": password}),
        ("POST", "auth/password/change/", {"current_password": password, "new_password": f"{password}!"}),
        ("POST", "auth/password/reset/", {"email": owner.email or "nobody@example.org"}),
        ("DELETE", "auth/sessions/", None),
        ("POST", "reports/", {"target_type": "user", "target_id": member, "reason": "spam"}),
        ("PUT", f"users/{other}/block/", None),
        ("DELETE", f"users/{other}/block/", None),
        ("PATCH", "users/me/", {"bio": TEXT}),
        ("DELETE", "users/me/", {"password": password}),
        ("POST", "users/me/calendar-token/", None),
        ("PATCH", "users/me/notification-settings/", {"reply": {"in_app": False}}),
        ("POST", "users/me/notifications/read/", {"all": True}),
    )


def review_writes(owner: User) -> tuple[Write, ...]:
    """Return the writes about books and reviews."""
    unread = Book.objects.exclude(reviews__author=owner).order_by("pk").values_list("pk", flat=True)[0]
    own_review = Review.objects.filter(author=owner).values_list("pk", "book").first() or (0, 0)
    return (
        ("POST", "books/", {"title": "A new book", "authors": ["A. Writer"]}),
        ("POST", f"books/{unread}/reviews/", {"rating": 4, "body": TEXT}),
        ("POST", "reviews/", {"book": unread, "rating": 4, "body": TEXT}),
        ("PATCH", f"reviews/{own_review[0]}/", {"rating": 2.5}),
        ("PUT", f"reviews/{own_review[0]}/", {"book": own_review[1], "rating": 2.5}),
        ("DELETE", f"reviews/{own_review[0]}/", None),
        ("PUT", "reviews/{review_id}/like/", None),
        ("DELETE", "reviews/{review_id}/like/", None),
    )


def club_writes(club: Club, member: int, unlisted: Book) -> tuple[Write, ...]:
    """Return the writes about clubs, members and reading lists."""
    own_club = f"/api/v1/clubs/{club.pk}/"
    later = (timezone.now() + WEEK).isoformat()
    return (
        ("POST", "clubs/", {"name": "A new club"}),
        ("PATCH", own_club, {"description": TEXT}),
        ("PUT", own_club, {"name": club.name}),
        ("DELETE", own_club, None),
        ("POST", "clubs/{club_id}/invites/", {}),
        ("PATCH", f"clubs/{{club_id}}/members/{member}/", {"role": "moderator"}),
        ("DELETE", f"clubs/{{club_id}}/members/{member}/", None),
        ("POST", "clubs/{club_id}/transfer/", {"user": member}),
        ("POST", "clubs/{club_id}/books/", {"book": unlisted.pk}),
        ("PATCH", "clubs/{club_id}/books/{entry_id}/", {"note": TEXT}),
        ("DELETE", "clubs/{club_id}/books/{entry_id}/", None),
        ("PUT", "clubs/{club_id}/books/{entry_id}/progress/", {"percent": 40}),
        (
            "POST",
            "clubs/{club_id}/books/{entry_id}/milestones/",
            {"title": "Half", "up_to_percent": 50, "due_on": later[:10]},
        ),
        ("PATCH", "clubs/{club_id}/books/{entry_id}/milestones/{milestone_id}/", {"title": "Half"}),
        ("DELETE", "clubs/{club_id}/books/{entry_id}/milestones/{milestone_id}/", None),
    )


def content_writes(club: Club, member: int, proposed: list[int]) -> tuple[Write, ...]:
    """Return the writes about ballots, meetings and discussions."""
    own_club = f"/api/v1/clubs/{club.pk}/"
    later = (timezone.now() + WEEK).isoformat()
    own_post = Post.objects.filter(club=club, author=club.owner, deleted_at=None).values_list("pk", flat=True).first()
    upcoming = club.meetings.filter(status="scheduled", starts_at__gt=timezone.now()).first()
    ballot = Ballot.create_ballot(
        club=club,
        by=club.owner,
        candidates=proposed,
        title="Next",
        method="approval",
        closes_at=timezone.now() + WEEK,
    )
    ballots, candidates = f"{own_club}ballots/{ballot.pk}/", proposed[:1]
    return (
        (
            "POST",
            "clubs/{club_id}/ballots/",
            {"title": "Next", "method": "approval", "candidates": proposed, "closes_at": later},
        ),
        ("PUT", f"{ballots}vote/", {"approved": list(candidates)}),
        ("DELETE", f"{ballots}vote/", None),
        ("POST", f"{ballots}close/", None),
        ("DELETE", "clubs/{club_id}/ballots/{ballot_id}/", None),
        ("POST", "clubs/{club_id}/meetings/", {"title": "Tea", "starts_at": later}),
        ("PATCH", "clubs/{club_id}/meetings/{meeting_id}/", {"agenda": TEXT}),
        ("PUT", f"{own_club}meetings/{upcoming.pk if upcoming else 0}/rsvp/", {"answer": "no"}),
        ("PUT", "clubs/{club_id}/meetings/{meeting_id}/attendance/", {"attended": [member]}),
        ("DELETE", "clubs/{club_id}/meetings/{meeting_id}/", None),
        ("POST", "clubs/{club_id}/threads/", {"title": "Thoughts", "body": TEXT}),
        ("PATCH", "clubs/{club_id}/threads/{thread_id}/", {"pinned": True}),
        ("DELETE", "clubs/{club_id}/threads/{thread_id}/", None),
        ("POST", "clubs/{club_id}/threads/{thread_id}/posts/", {"body": TEXT}),
        ("PATCH", f"clubs/{{club_id}}/posts/{own_post}/", {"body": TEXT}),
        ("DELETE", "clubs/{club_id}/posts/{post_id}/", None),
        ("PUT", "clubs/{club_id}/posts/{post_id}/reactions/👍/", None),
        ("DELETE", "clubs/{club_id}/posts/{post_id}/reactions/👍/", None),
        ("PUT", "clubs/{club_id}/posts/{post_id}/reveal/", None),
    )
