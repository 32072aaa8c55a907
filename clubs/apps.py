from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class ClubsConfig(AppConfig):
    """Clubs, who is in them and what they read."""

    name = "clubs"
    verbose_name = _("Clubs")

    def ready(self) -> None:
        """Give the apps below what clubs know of profiles, of accounts that go, of marks and of what is reported.

        And lists what ballots know of their books.
        """
        from accounts import departure
        from accounts.export import sections
        from accounts.serializers import profile_parts
        from activity.details import sayings
        from bookbridge.api.pictures import folders
        from catalog.merging.moving import parts
        from clubs import telling
        from clubs.ballots import services as ballots
        from clubs.clubs.models import COVERS, Club
        from clubs.clubs.services import clubs_of_profile, leave_all
        from clubs.discussions.moderation import PostTarget
        from clubs.discussions.posts import Post
        from clubs.discussions.services import part_from
        from clubs.export import SECTIONS
        from clubs.meetings.answers import Rsvp
        from clubs.members.services import sources
        from clubs.moderation import ClubTarget
        from clubs.reading.merging import Entries
        from clubs.reading.models import Progress, figures
        from clubs.roles import SHOWN_ROLES
        from moderation.targets import register

        register(ClubTarget())
        register(PostTarget())
        sayings["role"] = dict(SHOWN_ROLES).__getitem__
        profile_parts["clubs"] = clubs_of_profile
        departure.parts += [leave_all, part_from]
        folders[COVERS] = Club.objects.covers
        sources.update(mark=Progress.objects.last_shown, post=Post.objects.last_said, rsvp=Rsvp.objects.last_given)
        figures["times_considered"] = ballots.times_considered
        parts.append(Entries())
        telling.things["ballot"] = ballots.told
        sections.update(SECTIONS)
