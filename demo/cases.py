"""Demo moderation cases: pending reports, an appeal and decided cases."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from django.contrib.auth.models import Group

from accounts.models import User
from accounts.roles import MODERATORS
from demo.books import find_book
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
CLUB, POST_NOTE = "Leitores da Rua Sete", "Isso é sobre mim, e não é sobre o livro."


def seed_demo_cases(users: Mapping[str, User]) -> None:
    """Create the demo reports, decisions and appeals. Cases about books that do not exist are skipped."""
    username, display_name = MODERATOR
    if User.objects.with_username(username).exists():
        return
    moderator = User.objects.create_user(username, None, display_name=display_name, language="pt-BR", is_staff=True)
    moderator.groups.set(Group.objects.filter(name=MODERATORS))
    for demo_case in DEMO_CASES:
        book, author = find_book(demo_case.book), users[demo_case.by]
        if book is not None:
            review = (
                Review.create_review(book=book, by=author, rating=None, body=demo_case.body)
                if demo_case.body
                else Review.objects.get(book=book, author=author)
            )
            _decide(demo_case, review, users, moderator)
    post = Post.objects.filter(club__name=CLUB).exclude(author=users["helena"]).order_by("pk").first()
    if post is not None:
        create_report(by=users["helena"], target_type="post", target_id=post.pk, reason=Reason.ABUSE, note=POST_NOTE)


def _decide(demo_case: DemoCase, review: Review, users: Mapping[str, User], moderator: User) -> None:
    target: dict[str, Any] = {"target_type": "review", "target_id": review.pk}
    for reporter in demo_case.reporters.split():
        create_report(by=users[reporter], reason=demo_case.reason, note=demo_case.note, **target)
    if demo_case.action is None:
        return
    case = Case.objects.get(**target)
    decide(
        case,
        DecisionRequest(demo_case.action, demo_case.decision_reason, demo_case.comment, case.version),
        by=moderator,
    )
    if demo_case.appeal:
        create_appeal(by=users[demo_case.by], text=demo_case.appeal, **target)
