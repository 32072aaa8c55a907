"""Admin of all subpackages."""

from clubs.ballots import admin as ballots_admin
from clubs.clubs import admin as clubs_admin
from clubs.discussions import admin as discussions_admin
from clubs.meetings import admin as meetings_admin
from clubs.members import admin as members_admin
from clubs.reading import admin as reading_admin

__all__ = ["ballots_admin", "clubs_admin", "discussions_admin", "meetings_admin", "members_admin", "reading_admin"]
