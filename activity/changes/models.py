"""The log that `GET users/me/changes/` reads: which objects have changed, and for whom."""

from __future__ import annotations

import datetime
from functools import reduce
from operator import or_
from typing import Any

from django.db import models
from django.db.models import Exists, OuterRef
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from core.db.fields import BinaryCollationCharField

# Longer than the lifetime of a cursor.
RETENTION = datetime.timedelta(days=35)
# The daily cleanup looks for outdated rows in the days after the retention, in case it was not run for a while.
CLEANUP_PERIOD = datetime.timedelta(days=14)


class ChangeType(models.TextChoices):
    """Types of the objects whose changes are recorded."""

    CLUB = "club", _("club")
    ENTRY = "entry", _("list entry")
    MILESTONE = "milestone", _("milestone")
    MEETING = "meeting", _("meeting")
    DATE_POLL = "date_poll", _("date poll")
    BALLOT = "ballot", _("ballot")
    THREAD = "thread", _("thread")
    POST = "post", _("post")
    NOTIFICATION = "notification", _("notification")


def user_stream(user_id: Any) -> Any:
    """Return the stream of a user, given by the id or an expression. The stream of a club is the club's id."""
    return user_id * -1


class ChangeQuerySet(models.QuerySet["Change"]):
    """Queries for changes."""

    def with_superseded(self) -> ChangeQuerySet:
        """Annotate `superseded`: whether the same object has a later change in the same stream."""
        later = Change.objects.filter(
            type=OuterRef("type"), object_id=OuterRef("object_id"), stream=OuterRef("stream"), pk__gt=OuterRef("pk")
        )
        return self.annotate(superseded=Exists(later))

    def delete_outdated(self, limit: int = 500) -> int:
        """Delete a batch of rows that no cursor needs, and return their number.

        First rows that were superseded longer ago than a cursor is valid; then tombstones of that age without earlier
        rows, and personal changes of that age to objects that all members of the club see.
        """
        end = timezone.now() - RETENTION
        aged = self.filter(at__lt=end, at__gte=end - CLEANUP_PERIOD)
        tombstones = self.filter(deleted=True, at__lt=end)
        earlier = Exists(
            Change.objects.filter(
                type=OuterRef("type"), object_id=OuterRef("object_id"), stream=OuterRef("stream"), pk__lt=OuterRef("pk")
            )
        )
        for rows in (tombstones, aged):
            if latest := list(rows.filter(earlier).order_by("at")[:limit]):
                return self.filter(reduce(or_, (row._earlier for row in latest))).delete()[0]
        personal = aged.filter(stream__lt=0).exclude(type__in=[ChangeType.CLUB, ChangeType.NOTIFICATION])
        for rows in (tombstones, personal):
            if pks := list(rows.order_by("at").values_list("pk", flat=True)[:limit]):
                return self.filter(pk__in=pks).delete()[0]
        return 0


class Change(models.Model):
    """A change of an object, recorded in the transaction that made it; or its deletion, a tombstone.

    The columns are no foreign keys, because changes outlive the objects. Rows are only added, so that concurrent
    writers do not wait for each other; the latest row of an object in a stream counts. Ids are assigned before a
    transaction commits, so that a reader may see a later one first (see `clubs.feed.changes`).
    """

    # The id of the club whose members get the row; negative: of the user who alone gets it.
    stream = models.BigIntegerField()
    type = BinaryCollationCharField(max_length=12, choices=ChangeType.choices)
    object_id = models.BigIntegerField()
    club_id = models.BigIntegerField(null=True)
    # The entry of a milestone, which is part of its URL.
    parent_id = models.BigIntegerField(null=True)
    # Of a tombstone: who wrote the post or thread, and the thread, so that blocks hide it as they hid the object.
    author_id = models.BigIntegerField(null=True)
    thread_author_id = models.BigIntegerField(null=True)
    deleted = models.BooleanField(default=False)
    at = models.DateTimeField(default=timezone.now)

    objects = ChangeQuerySet.as_manager()

    class Meta:
        verbose_name = _("change")
        verbose_name_plural = _("changes")
        indexes = [
            models.Index(fields=["stream", "id"], name="activity_change_by_stream"),
            models.Index(fields=["type", "object_id", "stream", "id"], name="activity_change_by_object"),
            models.Index(fields=["deleted", "at"], name="activity_change_by_time"),
        ]

    def __str__(self) -> str:
        return f"{self.type} {self.object_id}"

    @property
    def _earlier(self) -> models.Q:
        """The earlier changes of the same object in the same stream."""
        return models.Q(type=self.type, object_id=self.object_id, stream=self.stream, pk__lt=self.pk)
