"""What can be reported. This app knows no kind of content by name: each app registers its own in
`bookbridge.api.registry.report_targets`.
"""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, NamedTuple

from django.db.models import QuerySet
from django.utils.functional import Promise

from accounts.models import User
from bookbridge.api.text import digest_of


class About(NamedTuple):
    """What a case keeps of its target: whose it is, what it is called, and which club it belongs to.

    `seen` changes with what there is to read, so that nobody decides about a text that they have not seen.
    """

    author: int | None
    title: str
    club: int | None = None
    seen: str = ""
    is_hidden: bool = False

    @property
    def digest(self) -> str:
        """`seen` in few characters."""
        return digest_of(self.seen)


@dataclass(frozen=True)
class Passage:
    """A text as it stands on the desk; `is_target` marks the one that the case is about, `note` is a line beside it."""

    author: User | None
    at: datetime.datetime
    text: str
    note: str = ""
    is_target: bool = False


@dataclass(frozen=True)
class Context:
    """What staff see of a target: facts (label, value, address or "") and the texts around it in their order."""

    facts: Sequence[tuple[Any, Any, str]]
    passages: Sequence[Passage] = field(default_factory=list)


class Target:
    """One kind of thing that can be reported. `word` is its name in the API; `can_be_hidden` says whether it can.

    What `is_talk` is said in a club: of that staff see nothing, a title neither, but on the page of its case.
    """

    word: ClassVar[str]
    label: ClassVar[str | Promise]
    can_be_hidden: ClassVar[bool] = False
    is_talk: ClassVar[bool] = False

    def visible_to(self, user: User) -> QuerySet[Any]:
        """The rows that `user` may see, and therefore report."""
        raise NotImplementedError

    def named(self, pk: int) -> int:
        """The id of what `pk` stands for: itself, unless one thing can become part of another."""
        return pk

    def find(self, pk: int) -> Any | None:
        """The row, whoever may see it; None where there is none."""
        raise NotImplementedError

    def hold(self, row: Any, *, by: User) -> None:
        """Lock `by`, the author and the row, in everybody's order, and read the row afresh; Http404 where it is gone.

        What is hidden or suspended afterwards takes no other lock.
        """
        raise NotImplementedError

    def about(self, row: Any) -> About:
        """What a case keeps of it."""
        raise NotImplementedError

    def title_by(self, pk: int) -> int | None:
        """Whose words the title is, where a block keeps them from others (`Thing.author`)."""
        return None

    def context(self, row: Any) -> Context:
        """What staff see of it, in a constant number of queries."""
        raise NotImplementedError

    def hide(self, row: Any) -> None:
        """Keep it from everybody but its author, and out of every figure."""
        raise NotImplementedError

    def restore(self, row: Any) -> None:
        """Show it again to whom it is for."""
        raise NotImplementedError
