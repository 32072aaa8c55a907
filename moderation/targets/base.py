"""Report targets: the types of objects that can be reported.

Each app defines a subclass of `ReportTarget` in its `moderation.py` and registers an instance of it in
`core.registry.report_targets`.
"""

from __future__ import annotations

import datetime
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Generic, NamedTuple, TypeVar

from django.db.models import Model, QuerySet
from django.utils.functional import Promise

from accounts.models import User
from core.search.normalize import sha256_hex

TargetModel = TypeVar("TargetModel", bound=Model)


class TargetSnapshot(NamedTuple):
    """The state of an object that its case stores. `text` is all visible text, `language` a language tag."""

    author_id: int | None
    title: str
    club_id: int | None = None
    text: str = ""
    is_hidden: bool = False
    language: str = ""

    @property
    def digest(self) -> str:
        """A digest of `text`; a decision is rejected if it has changed since the moderator opened the case."""
        return sha256_hex(self.text)


@dataclass(frozen=True)
class Excerpt:
    """A text shown on the case page. `is_target` marks the reported text; `note` is an optional label."""

    author: User | None
    written_at: datetime.datetime | None
    text: str
    note: str = ""
    is_target: bool = False


@dataclass(frozen=True)
class TargetContext:
    """An object as the case page shows it: facts as (label, value, URL or ""), and texts in order."""

    facts: Sequence[tuple[Any, Any, str]]
    excerpts: Sequence[Excerpt] = field(default_factory=list)


class ReportTarget(Generic[TargetModel]):
    """A type of object that can be reported. `target_type` is its name in the API.

    If `is_private_content`, the content is private to a club: staff see it, including its title, only on the case page.
    """

    target_type: ClassVar[str]
    label: ClassVar[str | Promise]
    can_be_hidden: ClassVar[bool] = False
    is_private_content: ClassVar[bool] = False

    def visible_to(self, user: User) -> QuerySet[TargetModel]:
        """Return the objects that `user` may see, and therefore report."""
        raise NotImplementedError

    def resolve_id(self, pk: int) -> int:
        """Return the id of the object that `pk` refers to; another id if it was merged into another object."""
        return pk

    def get(self, pk: int) -> TargetModel | None:
        """Return the object regardless of visibility, or None."""
        raise NotImplementedError

    def lock(self, obj: TargetModel, *, by: User) -> None:
        """Lock `by`, the author and the object in lock order, and reload the object. Raises Http404 if it is deleted.

        `hide` and `restore` must not need further locks.
        """
        raise NotImplementedError

    def snapshot(self, obj: TargetModel) -> TargetSnapshot:
        """Return the state that the case stores."""
        raise NotImplementedError

    def title_author_id(self, pk: int) -> int | None:
        """Return the id of the title's author if blocks hide the title (`ObjectRef.author`), else None."""
        return None

    def context(self, obj: TargetModel) -> TargetContext:
        """Return what staff see, in a constant number of queries."""
        raise NotImplementedError

    def texts(self, ids: Collection[int]) -> dict[int, str]:
        """Return the texts of several objects by id, in one query, for lists of cases. Deleted objects are missing."""
        raise NotImplementedError

    def hide(self, obj: TargetModel) -> None:
        """Hide the object from everyone but its author, and exclude it from all statistics."""
        raise NotImplementedError

    def restore(self, obj: TargetModel) -> None:
        """Make a hidden object visible again."""
        raise NotImplementedError
