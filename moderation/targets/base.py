"""Report targets: the types of objects that can be reported. Each app registers its own in
`core.registry.report_targets`.
"""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, NamedTuple

from django.db.models import QuerySet
from django.utils.functional import Promise

from accounts.models import User
from core.search.normalize import sha256_hex


class TargetSnapshot(NamedTuple):
    """The data of an object that its case stores.

    `seen` is the visible text; a decision is rejected if it has changed since the moderator saw it.
    """

    author: int | None
    title: str
    club: int | None = None
    seen: str = ""
    is_hidden: bool = False

    @property
    def digest(self) -> str:
        """Return a digest of `seen`."""
        return sha256_hex(self.seen)


@dataclass(frozen=True)
class Excerpt:
    """A text shown on the case page; `is_target` marks the reported one, `note` is an optional remark."""

    author: User | None
    at: datetime.datetime
    text: str
    note: str = ""
    is_target: bool = False


@dataclass(frozen=True)
class TargetContext:
    """What the case page shows of an object: facts (label, value, URL or "") and the surrounding texts in order."""

    facts: Sequence[tuple[Any, Any, str]]
    passages: Sequence[Excerpt] = field(default_factory=list)


class ReportTarget:
    """A type of object that can be reported. `word` is its name in the API.

    If `is_talk`, the content is private to a club: staff see it, including its title, only on the case page.
    """

    target_type: ClassVar[str]
    label: ClassVar[str | Promise]
    can_be_hidden: ClassVar[bool] = False
    is_private_content: ClassVar[bool] = False

    def visible_to(self, user: User) -> QuerySet[Any]:
        """Return the objects that `user` may see, and therefore report."""
        raise NotImplementedError

    def resolve_id(self, pk: int) -> int:
        """Return the id of the object that `pk` refers to; another id if it was merged into another object."""
        return pk

    def get(self, pk: int) -> Any | None:
        """Return the object regardless of visibility, or None."""
        raise NotImplementedError

    def lock(self, row: Any, *, by: User) -> None:
        """Lock `by`, the author and the object in lock order, and reload it. Raises Http404 if it is deleted.

        `hide` and `restore` must not need further locks.
        """
        raise NotImplementedError

    def snapshot(self, row: Any) -> TargetSnapshot:
        """Return the data that the case stores."""
        raise NotImplementedError

    def title_author_id(self, pk: int) -> int | None:
        """Return the id of the title's author if blocks hide the title (`ObjectRef.author`), else None."""
        return None

    def context(self, row: Any) -> TargetContext:
        """Return what staff see, in a constant number of queries."""
        raise NotImplementedError

    def hide(self, row: Any) -> None:
        """Hide the object from everyone but its author, and exclude it from all statistics."""
        raise NotImplementedError

    def restore(self, row: Any) -> None:
        """Make a hidden object visible again."""
        raise NotImplementedError
