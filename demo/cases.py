"""Demo moderation cases: pending reports, an appeal and decided cases."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from django.contrib.auth.models import Group

from accounts.models import User
from accounts.roles import MODERATORS
from catalog.models import Book
from core.search.normalize import fold_case_and_accents
from discussions.models import Post
from moderation.choices import Action, DecisionReason, Reason
from moderation.decisions import DecisionRequest, decide
from moderation.models import Case
from moderation.services import create_appeal, create_report
from reviews.models import Review

# The moderator of the demo has no password and no e-mail address, so nobody can log in as her.
MODERATOR = ("rita.sampaio", "Rita Sampaio")


class DemoCase(NamedTuple):
    """A reported review, with the decision about it and the appeal of its author, if any."""

    by: str
    book: str
    reporters: str
    reason: Reason
    note: str
    body: str = ""
    action: Action | None = None
    decision_reason: DecisionReason = DecisionReason.OTHER
    comment: str = ""
    appeal: str = ""


# Without a body, the case is about an existing review of the author.
DEMO_CASES = (
    DemoCase("oliver", "Wuthering Heights", "liam", Reason.OTHER, "Unkind to people who love this book."),
    DemoCase(
        *("bruno", "Sagarana", "ana carla", Reason.SPAM, "É anúncio, não é resenha."),
        body="Vendo edições antigas de Guimarães Rosa, peçam a lista!",
    ),
    DemoCase(
        *("theo", "1984", "liam grace", Reason.SPOILER, "The last line of the novel, with no warning."),
        body="He loves Big Brother in the end. There, I saved you three hundred pages.",
        action=Action.HIDE,
        decision_reason=DecisionReason.SPOILER,
        comment="The end of a novel needs a warning.",
        appeal="It is the most quoted last line of the century. I would gladly mark it as a spoiler if I could.",
    ),
    DemoCase(
        *("davi", "Macunaíma", "joao", Reason.ABUSE, "Ofende quem pensa diferente."),
        body="Quem não gosta deste livro não sabe ler.",
        action=Action.WARN,
        decision_reason=DecisionReason.ABUSE,
        comment="Discorde do livro ou da leitura, não de quem lê.",
    ),
    DemoCase(
        *("nora", "Wuthering Heights", "emma", Reason.ABUSE, "So negative!"),
        action=Action.DISMISS,
        decision_reason=DecisionReason.NO_VIOLATION,
        comment="A bad review is a review.",
    ),
)
# A reported post in a private club: only a report lets staff read it.
CLUB, NOTE = "Leitores da Rua Sete", "Isso é sobre mim, e não é sobre o livro."


def seed_demo_cases(users: Mapping[str, User]) -> None:
    """Create the demo reports, decisions and appeals. Cases about books that do not exist are skipped."""
    name, shown = MODERATOR
    if User.objects.with_username(name).exists():
        return
    moderator = User.objects.create_user(name, None, display_name=shown, language="pt-BR", is_staff=True)
    moderator.groups.set(Group.objects.filter(name=MODERATORS))
    for matter in DEMO_CASES:
        found = Book.objects.filter(title_key__startswith=fold_case_and_accents(matter.book)).order_by(
            "-ratings_count", "id"
        )
        book, author = found.first(), users[matter.by]
        if book is not None:
            review = (
                Review.create_review(book=book, by=author, rating=None, body=matter.body)
                if matter.body
                else Review.objects.get(book=book, author=author)
            )
            _decide(matter, review, users, moderator)
    post = Post.objects.filter(club__name=CLUB).exclude(author=users["helena"]).order_by("pk").first()
    if post is not None:
        create_report(by=users["helena"], target_type="post", target_id=post.pk, reason=Reason.ABUSE, note=NOTE)


def _decide(matter: DemoCase, review: Review, users: Mapping[str, User], moderator: User) -> None:
    about: dict[str, Any] = {"target_type": "review", "target_id": review.pk}
    for reporter in matter.reporters.split():
        create_report(by=users[reporter], reason=matter.reason, note=matter.note, **about)
    if matter.action is None:
        return
    case = Case.objects.get(**about)
    decide(case, DecisionRequest(matter.action, matter.decision_reason, matter.comment, case.version), by=moderator)
    if matter.appeal:
        create_appeal(by=users[matter.by], text=matter.appeal, **about)
