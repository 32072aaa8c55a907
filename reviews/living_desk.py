"""What lies on the moderators' desk of the demo: reports that wait, an appeal, and cases that are decided."""

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

# Who has decided in the demo. Nobody can sign in as her: she has no password and no address.
MODERATOR = ("rita.sampaio", "Rita Sampaio")


class Matter(NamedTuple):
    """A review that somebody reports; what was decided about it, with what words; and what its author says to that."""

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


# Without a body it is about the review that the reader has written already.
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
# A post of the private club: the one way by which staff come to read there.
CLUB, NOTE = "Leitores da Rua Sete", "Isso é sobre mim, e não é sobre o livro."


def seed_desk(users: Mapping[str, User]) -> None:
    """Report, decide and appeal as readers and staff do; what is about a book that is not there is left out."""
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
