"""The admin of clubs: one module per package registers its pages."""

from clubs.club import admin as club
from clubs.members import admin as members
from clubs.reading import admin as reading

__all__ = ["club", "members", "reading"]
