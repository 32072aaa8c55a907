"""Reads what has changed for a user: `GET users/me/changes/`.

The changes of a user are those of their clubs and their own, in the order of their ids. A club that the user joined
with change J comes with its earlier changes, the backlog, as if they had been made at J.

Ids are assigned before a transaction commits, so a change may appear after later ones were read. A cursor therefore
contains how many changes of each stream lie before it. If there are more now, a transaction has committed late, and
everything since `settled` is read again: some objects twice, but none is lost. Changes from before `settled` are more
than a day older than the cursor; no transaction is open for that long.
"""

from __future__ import annotations

import datetime
from collections import Counter
from collections.abc import Collection, Iterable
from dataclasses import replace
from functools import cached_property
from typing import Any, NamedTuple

from django.db import connection
from django.db.models import BooleanField, Count, Exists, ExpressionWrapper, OuterRef, Q, Subquery
from django.utils import timezone

from accounts.blocks import not_blocked
from accounts.models import User
from activity.changes.models import Change, ChangeType, user_stream
from clubs.feed.cursors import Cursor, today
from clubs.members.models import Membership
from core.db.locking import batched
from core.registry import change_visibility

# Longer than any transaction: servers close idle connections after eight hours.
SETTLED_AFTER = datetime.timedelta(days=1)
# Changes that are superseded or invisible do not count for the size of a page, but this many are read for each row.
CHANGES_PER_ROW = 3
# SQLite allows 500 parts of a UNION.
MAX_STREAMS_PER_QUERY = 400
NEVER = datetime.datetime.min.replace(tzinfo=datetime.UTC)

PATHS = {
    ChangeType.CLUB: "clubs/{club}/",
    ChangeType.ENTRY: "clubs/{club}/books/{id}/",
    ChangeType.MILESTONE: "clubs/{club}/books/{parent}/milestones/{id}/",
    ChangeType.MEETING: "clubs/{club}/meetings/{id}/",
    ChangeType.DATE_POLL: "clubs/{club}/date-polls/{id}/",
    ChangeType.BALLOT: "clubs/{club}/ballots/{id}/",
    ChangeType.THREAD: "clubs/{club}/threads/{id}/",
    ChangeType.POST: "clubs/{club}/posts/{id}/",
    ChangeType.NOTIFICATION: "users/me/notifications/{id}/",
}


class Joined(NamedTuple):
    """With which change, and when, a user joined a club."""

    change: int
    at: datetime.datetime


class Page(NamedTuple):
    """A page of changes."""

    cursor: str
    has_more: bool
    results: list[dict[str, Any]]


class Outdated(Exception):  # noqa: N818  not an error
    """The user has joined or left a club since their memberships were read."""


class ChangeReader:
    """Reads one page of a user's changes."""

    def __init__(self, user: User, since: str | None, size: int) -> None:
        self.user = user
        self.size = size
        self.own_stream = user_stream(user.pk)
        self.cursor = self._start() if since is None else Cursor.from_text(since, user.pk)
        self.is_first_reading = bool(self.cursor.until)

    def read(self) -> Page:
        """Return the page."""
        if not self.is_first_reading:
            self._check_counts()
        found, is_cut = self._find(self.size * CHANGES_PER_ROW + 1)
        rows = self._load([pk for _position, pk in found])
        self._load_visibility(rows.values())
        results: dict[tuple[Any, ...], dict[str, Any]] = {}
        has_more = is_cut
        for position, pk in found:
            if self.is_first_reading and position > self.cursor.until:
                has_more, is_cut = True, False
                break
            row = rows.get(pk)
            try:
                deleted = None if row is None else self._shown_as_deleted(row)
            except Outdated:
                has_more = True
                break
            if row is not None and deleted is not None:
                if len(results) == self.size:
                    has_more = is_cut = True
                    break
                # A page has an object once, but each deletion, after which a club may be there again.
                key = (row.type, row.object_id, pk if deleted else None)
                results.pop(key, None)
                results[key] = self._serialize(row, deleted)
            self._advance(position, pk, row)
        self._finish(is_cut)
        return Page(self.cursor.to_text(self.user.pk), has_more, list(results.values()))

    @cached_property
    def clubs(self) -> dict[int, Joined]:
        """The clubs that the user is a member of."""
        rows = Membership.objects.active().filter(user=self.user).values_list("club", "joined_change", "joined_at")
        return {club: Joined(change, at or NEVER) for club, change, at in rows}

    def _start(self) -> Cursor:
        """Return a cursor before everything.

        The own changes are counted before the memberships are read, so that a club that is joined in between is not
        missed: its change is not counted, hence found to be late.
        """
        until = Change.objects.order_by("-pk").values_list("pk", flat=True).first() or 0
        settled = min(self._last_settled(), until)
        own, _later = self._count(Q(stream=self.own_stream, pk__gt=settled, pk__lte=until))
        others, _later = self._count(Q(stream__in=self.clubs, pk__gt=settled, pk__lte=until))
        return Cursor(0, 0, settled, until, counts={**own, **others})

    def _last_settled(self) -> int:
        """Return the id of a change that is so old that no transaction can add earlier ones."""
        old = Change.objects.filter(deleted=False, at__lt=timezone.now() - SETTLED_AFTER)
        return old.order_by("-at").values_list("pk", flat=True).first() or 0

    def _count(self, condition: Q, *, after: int = 0) -> tuple[dict[int, int], dict[int, int]]:
        """Return the numbers of changes by stream, and those of the changes after an id, in one snapshot."""
        rows = Change.objects.filter(condition).order_by().values_list("stream")
        counts = list(rows.annotate(n=Count("pk"), later=Count("pk", filter=Q(pk__gt=after))))
        return {stream: n for stream, n, _later in counts}, {stream: later for stream, _n, later in counts if later}

    def _check_counts(self) -> None:
        """Start again from `settled` if a change before the cursor was committed late; else move `settled` forward."""
        cursor = self.cursor
        position, inner, settled = cursor.position, cursor.inner, cursor.settled
        if settled == position:
            return
        last = position if inner == position else position - 1
        joined = [club for club, row in self.clubs.items() if row.change == position and inner < position]
        read = [self.own_stream]
        read += [club for club, row in self.clubs.items() if row.change <= position and club not in joined]
        before = Q(stream__in=read, pk__lte=last) | Q(stream__in=joined, pk__lte=inner)
        if cursor.day != today():
            settled = max(settled, min(self._last_settled(), last))
        counts, later = self._count(before & Q(pk__gt=cursor.settled), after=settled)
        if counts == {stream: n for stream, n in cursor.counts.items() if stream in (*read, *joined)}:
            self.cursor = replace(cursor, settled=settled, counts=later)
        else:
            self.cursor = Cursor(cursor.settled, cursor.settled, cursor.settled)

    def _find(self, limit: int) -> tuple[list[tuple[int, int]], bool]:
        """Return positions and ids of the next changes, and whether there are more."""
        position, inner = self.cursor.position, self.cursor.inner
        streams = [(self.own_stream, 0, position if inner == position else position - 1)]
        for club, joined in self.clubs.items():
            start = 0 if joined.change > position else inner if joined.change == position else position
            streams.append((club, joined.change, start))
        found: list[tuple[int, int]] = []
        for batch in batched(streams, MAX_STREAMS_PER_QUERY):
            found += self._find_in(batch, limit)
        found.sort()
        return found[:limit], len(found) >= limit

    def _find_in(self, streams: list[tuple[int, int, int]], limit: int) -> list[tuple[int, int]]:
        """Return positions and ids of the first changes after the start of each stream, given with its `joined_change`.

        Each part of the UNION reads a range of the index and stops at the limit.
        """
        part = (
            "SELECT * FROM (SELECT CASE WHEN id > %s THEN id ELSE %s END AS place, id FROM {table} "
            "WHERE stream = %s AND id > %s ORDER BY id LIMIT {limit}) AS part{n}"
        )
        table = connection.ops.quote_name(Change._meta.db_table)
        parts = (part.format(table=table, limit=limit, n=n) for n in range(len(streams)))
        params = [value for stream, joined, start in streams for value in (joined, joined, stream, start)]
        with connection.cursor() as cursor:
            cursor.execute(f"{' UNION ALL '.join(parts)} ORDER BY place, id LIMIT {limit}", params)
            return [(int(place), pk) for place, pk in cursor.fetchall()]

    def _load(self, pks: Collection[int]) -> dict[int, Change]:
        left = Change.objects.filter(
            stream=self.own_stream,
            type=ChangeType.CLUB,
            object_id=OuterRef("club_id"),
            deleted=True,
            pk__gt=OuterRef("pk"),
        )
        removed = Change.objects.filter(
            stream=OuterRef("club_id"), type=OuterRef("type"), object_id=OuterRef("object_id"), deleted=True
        )
        same = Change.objects.filter(type=OuterRef("type"), object_id=OuterRef("object_id"), stream=OuterRef("stream"))
        # The app may have an object from before the block, and needs its tombstone.
        by_author, by_thread_author = (
            not_blocked(self.user, column, before="first_at") for column in ("author_id", "thread_author_id")
        )
        rows = Change.objects.filter(pk__in=pks).with_superseded()
        rows = rows.annotate(first_at=Subquery(same.order_by("pk").values("at")[:1]))
        rows = rows.annotate(
            left_later=Exists(left),
            removed_later=Exists(removed.filter(pk__gt=OuterRef("pk"))),
            authors_visible=ExpressionWrapper(by_author & by_thread_author, BooleanField()),
        )
        return {row.pk: row for row in rows} if pks else {}

    def _load_visibility(self, rows: Iterable[Any]) -> None:
        """Set `visible` and `hidden`, the ids of the objects by type, for the types that have a rule of their own."""
        ids: dict[str, set[int]] = {}
        for row in rows:
            if row.type in change_visibility and not row.deleted and not row.superseded:
                ids.setdefault(row.type, set()).add(row.object_id)
        found = {type: change_visibility[type](self.user, objects) for type, objects in ids.items()}
        self.visible = {type: visible for type, (visible, _hidden) in found.items()}
        self.hidden = {type: hidden for type, (_visible, hidden) in found.items()}

    def _shown_as_deleted(self, row: Any) -> bool | None:
        """Return whether the object is shown as deleted; None if the change is not shown. May raise Outdated."""
        joined = self.clubs.get(row.club_id)
        if (row.superseded or row.removed_later) and not row.deleted:
            return None
        if row.stream == self.own_stream and row.type == ChangeType.CLUB:
            return self._own_club_shown_as_deleted(row, joined)
        is_before_joining = joined is not None and row.pk < joined.change
        is_visible = not row.deleted and row.object_id in self.visible.get(row.type, {row.object_id})
        if row.stream == self.own_stream:
            if row.left_later or is_before_joining:
                return None
            if row.type != ChangeType.NOTIFICATION and (joined is None or self.is_first_reading):
                return None
        elif not is_visible and not self._was_visible(row):
            return None
        if is_visible:
            return False
        return None if self.is_first_reading or is_before_joining else True

    def _was_visible(self, row: Any) -> bool:
        """Return whether the user could see an object of a club before it was deleted or hidden."""
        if row.deleted:
            return bool(row.authors_visible)
        return row.object_id in self.hidden.get(row.type, ())

    def _own_club_shown_as_deleted(self, row: Any, joined: Joined | None) -> bool | None:
        """Return the same for a change of a club for the user alone: they joined or left it, or got another role."""
        if self.is_first_reading:
            return None
        is_recent = row.at > timezone.now() - SETTLED_AFTER
        if row.deleted:
            if joined is not None and row.pk > joined.change and is_recent:
                raise Outdated
            return True
        if row.left_later:
            return None
        if joined is None:
            if is_recent:
                raise Outdated
            return None
        return None if row.pk < joined.change else False

    def _serialize(self, row: Change, deleted: bool) -> dict[str, Any]:
        joined = self.clubs.get(row.club_id) if row.club_id is not None else None
        path = PATHS[ChangeType(row.type)].format(club=row.club_id, id=row.object_id, parent=row.parent_id)
        return {
            "type": row.type,
            "id": row.object_id,
            "club": row.club_id,
            "deleted": deleted,
            "at": max(row.at, joined.at) if joined and row.pk < joined.change else row.at,
            "url": f"/api/v1/{path}",
        }

    def _advance(self, position: int, pk: int, row: Change | None) -> None:
        """Move the cursor behind a change."""
        self.cursor.position, self.cursor.inner = position, pk
        if row is not None and not self.is_first_reading and pk > self.cursor.settled:
            counts = Counter(self.cursor.counts)
            counts[row.stream] += 1
            self.cursor.counts = dict(counts)

    def _finish(self, is_cut: bool) -> None:
        """End the first reading if nothing is left of it, and date the cursor."""
        cursor = self.cursor
        if self.is_first_reading and not is_cut:
            cursor = replace(cursor, position=cursor.until, inner=cursor.until, until=0)
        self.cursor = replace(cursor, day=today())
