"""Usernames that may not be used again."""

from django.db import models

from core.db.fields import BinaryCollationCharField


class RetiredUsername(models.Model):
    """The username of a deleted account. It is never reused, so that nobody can impersonate the former user."""

    username_key = BinaryCollationCharField(max_length=30, unique=True)

    def __str__(self) -> str:
        return self.username_key
