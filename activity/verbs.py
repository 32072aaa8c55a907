"""Verbs of the activity log (`object type.past tense`), each with the text that describes it."""

from typing import Any

from django.utils.translation import gettext_lazy as _

# Types of the objects of events and notifications.
OBJECT_TYPES = (
    *("ballot", "book", "club", "date_poll", "entry", "invite", "meeting", "milestone", "post", "review", "session"),
    *("thread", "user"),
)

VERBS: dict[str, Any] = {
    # accounts
    "account.created": _("account created"),
    "account.closed": _("account closed"),
    "account.exported": _("data exported"),
    "session.created": _("signed in"),
    "session.ended": _("signed out"),
    "session.reused": _("session ended because a token was used twice"),
    "sessions.ended": _("all other sessions ended"),
    "password.changed": _("password changed"),
    "password.reset": _("password reset"),
    "password.reset_requested": _("password reset requested"),
    "email.change_requested": _("new e-mail address requested"),
    "email.changed": _("e-mail address changed"),
    "email.verified": _("e-mail address verified"),
    "profile.changed": _("profile changed"),
    "account.suspended": _("account suspended"),
    "account.reinstated": _("account reinstated"),
    "user.blocked": _("user blocked"),
    "user.unblocked": _("user unblocked"),
    # catalog
    "book.added": _("book added to the catalog"),
    "book.changed": _("book changed"),
    "book.deleted": _("book deleted"),
    "book.merged": _("book merged into another one"),
    "book.unmerged": _("merge of a book undone"),
    # clubs and members
    "club.created": _("club created"),
    "club.changed": _("club changed"),
    "club.deleted": _("club deleted"),
    "club.transferred": _("club has a new owner"),
    "member.joined": _("new member"),
    "member.asked": _("request to join"),
    "member.withdrew": _("request to join withdrawn"),
    "member.accepted": _("request to join accepted"),
    "member.refused": _("request to join declined"),
    "member.left": _("member left"),
    "member.removed": _("member removed"),
    "member.banned": _("user banned"),
    "member.unbanned": _("ban lifted"),
    "member.role_changed": _("role changed"),
    "member.paused": _("membership paused"),
    "member.resumed": _("pause ended"),
    "invite.created": _("invitation created"),
    "invite.revoked": _("invitation revoked"),
    # reading lists
    "book.listed": _("book added to the reading list"),
    "book.moved": _("book moved on the reading list"),
    "book.proposed": _("book moved back to proposed"),
    "book.planned": _("book planned"),
    "book.reading": _("book being read"),
    "book.finished": _("book finished"),
    "book.dropped": _("book dropped"),
    "entry.changed": _("book on the reading list changed"),
    "book.unlisted": _("book removed from the reading list"),
    "milestone.created": _("milestone added"),
    "milestone.changed": _("milestone changed"),
    "milestone.deleted": _("milestone deleted"),
    "progress.set": _("reading progress updated"),
    # meetings; RSVPs and answers to date polls are recorded without a club, so they appear only in the user's own log
    "meeting.created": _("meeting planned"),
    "meeting.changed": _("meeting changed"),
    "meeting.cancelled": _("meeting cancelled"),
    "meeting.deleted": _("meeting deleted"),
    "meeting.answered": _("RSVP to a meeting sent"),
    "meeting.reminded": _("members asked to answer the invitation to a meeting"),
    "meeting.attendance_noted": _("attendance of a meeting recorded"),
    "date_poll.opened": _("date poll opened"),
    "date_poll.answered": _("date poll answered"),
    "date_poll.closed": _("date poll closed"),
    "date_poll.deleted": _("date poll deleted"),
    # ballots; votes are secret and not recorded
    "ballot.opened": _("ballot opened"),
    "ballot.closed": _("ballot closed"),
    "ballot.deleted": _("ballot deleted"),
    # discussions; reactions and revealed posts appear only in the user's own log
    "thread.created": _("thread started"),
    "thread.changed": _("thread changed"),
    "thread.deleted": _("thread deleted"),
    "post.created": _("new post"),
    "post.changed": _("post changed"),
    "post.deleted": _("post deleted"),
    "post.revealed": _("locked post revealed"),
    "post.reacted": _("reaction to a post"),
    "post.unreacted": _("reaction removed from a post"),
    # reviews
    "review.posted": _("review published"),
    "review.changed": _("review changed"),
    "review.deleted": _("review deleted"),
    "review.set_aside": _("review archived by a merge of books"),
    "review.brought_back": _("archived review restored"),
    "review.liked": _("review liked"),
    "review.unliked": _("like removed from a review"),
    # moderation
    "report.created": _("content reported"),
    "appeal.created": _("decision appealed"),
    "moderation.concealed": _("content hidden after several reports"),
    "moderation.hidden": _("content hidden by a moderator"),
    "moderation.restored": _("content restored by a moderator"),
    "moderation.dismissed": _("reports dismissed"),
    "moderation.warned": _("user warned"),
    "moderation.suspended": _("user suspended by a moderator"),
    "moderation.undone": _("moderator's decision undone"),
}

# Only moderators see these in the club's feed, because they concern people outside the club, or single members.
MODERATOR_ONLY_VERBS = (
    "member.asked",
    "member.withdrew",
    "member.refused",
    "member.banned",
    "member.unbanned",
    "member.paused",
    "member.resumed",
    "invite.created",
    "invite.revoked",
)
