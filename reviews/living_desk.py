"""Demo moderation cases: pending reports, an appeal and decided cases."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from django.contrib.auth.models import Group

from accounts.models import User
from accounts.staff.roles import MODERATORS
from bookbridge.api.text import fold
from catalog.models import Book
from clubs.discussions.posts import Post
from moderation.deciding import Order, decide
from moderation.models import Case
from moderation.reasons import Action, Ground, Reason
from moderation.services import appeal, report
from reviews.models import Review

# The moderator of the demo has no password and no e-mail address, so nobody can log in as her.
MODERATOR = ("rita.sampaio", "Rita Sampaio")


class Matter(NamedTuple):
    """A reported review, with the decision about it and the appeal of its author, if any."""

    by: str
    book: str
    reporters: str
    reason: Reason
    note: str
    body: str = ""
    action: Action | None = None
    ground: Ground = Ground.OTHER
    words: str = ""
    appeal: str = ""


# Without a body, the case is about an existing review of the author.
MATTERS = (
    Matter("oliver", "Wuthering Heights", "liam", Reason.OTHER, "Unkind to people who love this book."),
    Matter(
        *("bruno", "Sagarana", "ana carla", Reason.SPAM, "É anúncio, não é resenha."),
        body="Vendo edições antigas de Guimarães Rosa, peçam a lista!",
    ),
    Matter(
        *("theo", "1984", "liam grace", Reason.SPOILER, "The last line of the novel, with no warning."),
        body="He loves Big Brother in the end. There, I saved you three hundred pages.",
        action=Action.HIDE,
        ground=Ground.SPOILER,
        words="The end of a novel needs a warning.",
        appeal="It is the most quoted last line of the century. I would gladly mark it as a spoiler if I could.",
    ),
    Matter(
        *("davi", "Macunaíma", "joao", Reason.ABUSE, "Ofende quem pensa diferente."),
        body="Quem não gosta deste livro não sabe ler.",
        action=Action.WARN,
        ground=Ground.ABUSE,
        words="Discorde do livro ou da leitura, não de quem lê.",
    ),
    Matter(
        *("nora", "Wuthering Heights", "emma", Reason.ABUSE, "So negative!"),
        action=Action.DISMISS,
        ground=Ground.NO_VIOLATION,
        words="A bad review is a review.",
    ),
)
# A reported post in a private club: only a report lets staff read it.
CLUB, NOTE = "Leitores da Rua Sete", "Isso é sobre mim, e não é sobre o livro."


def seed_desk(users: Mapping[str, User]) -> None:
    """Create the demo reports, decisions and appeals. Cases about books that do not exist are skipped."""
    name, shown = MODERATOR
    if User.objects.named(name).exists():
        return
    moderator = User.objects.create_user(name, None, display_name=shown, language="pt-BR", is_staff=True)
    moderator.groups.set(Group.objects.filter(name=MODERATORS))
    for matter in MATTERS:
        found = Book.objects.filter(title_key__startswith=fold(matter.book)).order_by("-ratings_count", "id")
        book, author = found.first(), users[matter.by]
        if book is not None:
            review = (
                Review.write(book=book, by=author, rating=None, body=matter.body)
                if matter.body
                else Review.objects.get(book=book, author=author)
            )
            _settle(matter, review, users, moderator)
    post = Post.objects.filter(club__name=CLUB).exclude(author=users["helena"]).order_by("pk").first()
    if post is not None:
        report(by=users["helena"], target_type="post", target_id=post.pk, reason=Reason.ABUSE, note=NOTE)


def _settle(matter: Matter, review: Review, users: Mapping[str, User], moderator: User) -> None:
    about: dict[str, Any] = {"target_type": "review", "target_id": review.pk}
    for reporter in matter.reporters.split():
        report(by=users[reporter], reason=matter.reason, note=matter.note, **about)
    if matter.action is None:
        return
    case = Case.objects.get(**about)
    decide(case, Order(matter.action, matter.ground, matter.words, case.version), by=moderator)
    if matter.appeal:
        appeal(by=users[matter.by], text=matter.appeal, **about)
