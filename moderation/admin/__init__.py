"""Admin of moderation."""

from moderation.admin import cases, decisions, users

__all__ = ["cases", "decisions", "users"]
