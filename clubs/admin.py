"""What of clubs is in the admin, from the folder of each subject."""

from clubs.reading import admin as reading_admin

__all__ = ["reading_admin"]
