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


def writes(club: Club, password: str) -> Iterator[tuple[str, str, Any]]:
    """Yield method, path and body of each write that the owner of `club` can make."""
    owner = club.owner
    member = club.memberships.active().exclude(user=owner).order_by("pk").values_list("user", flat=True)[0]
    other = User.objects.get(pk=member).username
    unread = Book.objects.exclude(reviews__author=owner).order_by("pk").values_list("pk", flat=True)[0]
    own_review = Review.objects.filter(author=owner).values_list("pk", "book").first() or (0, 0)
    first, *others = Book.objects.exclude(pk__in=club.entries.values("book")).order_by("pk")[:4]
    proposed = [Entry.add_entry(club=club, book=book, by=owner).pk for book in others]
    later = (timezone.now() + WEEK).isoformat()
    own_club = f"/api/v1/clubs/{club.pk}/"
    own_post = Post.objects.filter(club=club, author=owner, deleted_at=None).values_list("pk", flat=True).first()
    upcoming = club.meetings.filter(status="scheduled", starts_at__gt=timezone.now()).first()
    ballot = Ballot.create_ballot(
        club=club, by=owner, candidates=proposed, title="Next", method="approval", closes_at=timezone.now() + WEEK
    )
    ballots, candidates = f"{own_club}ballots/{ballot.pk}/", proposed[:1]
    for method, path, body in (
        ("POST", "auth/register/", {"username": "new.reader", "password": password}),
        ("POST", "auth/password/change/", {"current_password": password, "new_password": f"{password}!"}),
        ("POST", "auth/password/reset/", {"email": owner.email or "nobody@example.org"}),
        ("DELETE", "auth/sessions/", None),
        ("POST", "books/", {"title": "A new book", "authors": ["A. Writer"]}),
        ("POST", f"books/{unread}/reviews/", {"rating": 4, "body": TEXT}),
        ("POST", "reviews/", {"book": unread, "rating": 4, "body": TEXT}),
        ("PATCH", f"reviews/{own_review[0]}/", {"rating": 2.5}),
        ("PUT", f"reviews/{own_review[0]}/", {"book": own_review[1], "rating": 2.5}),
        ("DELETE", f"reviews/{own_review[0]}/", None),
        ("PUT", "reviews/{review_id}/like/", None),
        ("DELETE", "reviews/{review_id}/like/", None),
        ("POST", "clubs/", {"name": "A new club"}),
        ("PATCH", own_club, {"description": TEXT}),
        ("PUT", own_club, {"name": club.name}),
        ("DELETE", own_club, None),
        ("POST", "clubs/{club_id}/invites/", {}),
        ("PATCH", f"clubs/{{club_id}}/members/{member}/", {"role": "moderator"}),
        ("DELETE", f"clubs/{{club_id}}/members/{member}/", None),
        ("POST", "clubs/{club_id}/transfer/", {"user": member}),
        ("POST", "clubs/{club_id}/books/", {"book": first.pk}),
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
        ("POST", "reports/", {"target_type": "user", "target_id": member, "reason": "spam"}),
        ("PUT", f"users/{other}/block/", None),
        ("DELETE", f"users/{other}/block/", None),
        ("PATCH", "users/me/", {"bio": TEXT}),
        ("DELETE", "users/me/", {"password": password}),
        ("POST", "users/me/calendar-token/", None),
        ("PATCH", "users/me/notification-settings/", {"reply": {"in_app": False}}),
        ("POST", "users/me/notifications/read/", {"all": True}),
    ):
        yield method, path if path.startswith("/") else f"/api/v1/{path}", body
