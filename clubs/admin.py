"""What of clubs is in the admin, from the folder of each subject."""

from clubs.clubs import admin as clubs_admin
from clubs.members import admin as members_admin
from clubs.reading import admin as reading_admin

__all__ = ["clubs_admin", "members_admin", "reading_admin"]
