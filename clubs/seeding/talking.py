"""Demo threads in both languages, with posts that are hidden as spoilers."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from accounts.models import User
from bookbridge.api.text import fold
from clubs.clubs.models import Club
from clubs.discussions.models import Thread
from clubs.discussions.posts import Post


@dataclass(frozen=True)
class Said:
    """A post: author index, spoiler percentage, index of the post it replies to, and reactions."""

    by: int
    text: str
    at: int | None = None
    to: int | None = None
    reactions: str = ""


@dataclass(frozen=True)
class Talk:
    """A thread of a club, optionally about the book whose title starts with `book`."""

    club: str
    title: str
    lines: tuple[Said, ...]
    book: str = ""
    pinned: bool = False
    closed: bool = False


TALKS = (
    Talk(
        "Clube do Livro de Pinheiros",
        "Como vamos ler",
        (
            Said(
                0,
                "Um trecho por noite, sem pressa. Quem for na frente, diga até onde leu.",
                reactions="👍 123",
            ),
            Said(1, "Combinado! Levo o café no sábado.", to=0, reactions="☕ 024"),
        ),
        pinned=True,
    ),
    Talk(
        "Clube do Livro de Pinheiros",
        "A fala de Riobaldo",
        (
            Said(0, "Alguém mais lê em voz alta? A frase só anda quando a gente escuta.", 0, reactions="❤️ 124"),
            Said(2, "Leio para a minha avó, que nasceu em Januária. Ela ri antes de mim.", 0, 0, reactions="😂 01"),
            Said(1, "A travessia do Liso muda tudo: ele já não conta para nós, conta para si mesmo.", 60),
            Said(3, "E o pacto? Ele mesmo não sabe se aconteceu.", 60, 2, reactions="🤔 1"),
            Said(0, "@bruno.tavares, só respondo quando chegar lá!", 45),
        ),
        "Grande Sertão",
    ),
    Talk(
        "Clube do Livro de Pinheiros",
        "O Alienista: quem era o louco?",
        (
            Said(
                1, "No fim Simão Bacamarte tranca a si mesmo. Para mim é a única saída honesta.", 100, reactions="👏 02"
            ),
            Said(0, "Ou a última vaidade dele.", 100, 0),
        ),
        "O Alienista",
        closed=True,
    ),
    Talk(
        "Leituras de Lisboa",
        "Luísa e o primo",
        (
            Said(0, "Que retrato da Baixa! Reconheço cada rua.", 0, reactions="👍 1"),
            Said(1, "Quando a Juliana encontra as cartas, a casa deixa de ser da Luísa.", 60),
        ),
        "O Primo Basílio",
    ),
    Talk(
        "Leitores da Rua Sete",
        "Quem traz o bolo?",
        (Said(0, "Domingo é na minha casa.", reactions="🎂 12"), Said(1, "Eu levo de fubá.", to=0)),
    ),
    Talk(
        "The Night Readers",
        "House rules",
        (
            Said(
                0,
                "Guard what you write by how far you have read. Titles give nothing away, please.",
                reactions="👍 1234",
            ),
            Said(2, "And no films until the last page.", to=0, reactions="🎬 05"),
        ),
        pinned=True,
    ),
    Talk(
        "The Night Readers",
        "Thornfield after dark",
        (
            Said(0, "Does anybody else hear that laugh in every chapter now?", 20, reactions="😱 13"),
            Said(1, "Grace Poole, surely. Too easy, though.", 20, 0),
            Said(3, "The wedding. I had to put the book down and walk around the block.", 60, reactions="💔 1"),
            Said(1, "@nora.fischer same here. Nobody interrupts a service like that.", 60, 2),
            Said(5, "I have only met Mrs Fairfax so far: lovely woman.", 6, reactions="😇 0"),
        ),
        "Jane Eyre",
    ),
    Talk(
        "Slow Classics",
        "Scout as a narrator",
        (
            Said(0, "She tells us more than she understands, and that is the whole art of it.", 10, reactions="👏 12"),
            Said(1, "The knot-hole chapters are the best thing I have read this year.", 30, 0),
        ),
        "To Kill a Mockingbird",
    ),
    Talk(
        "Tomorrow's World",
        "Would you take the soma?",
        (
            Said(0, "Asking for a friend.", 10, reactions="😂 123"),
            Said(1, "After John's mother, no.", 65),
            Said(3, "I am with Bernard, whatever that says of me.", 25, 0),
        ),
        "Brave New World",
    ),
)


def talk(club: Club, users: list[User]) -> None:
    """Create the threads of a club. Threads about books that are not on its reading list are skipped."""
    for plan in TALKS:
        if plan.club == club.name:
            _open(plan, club, users)


def _open(plan: Talk, club: Club, users: list[User]) -> None:
    entry = club.entries.filter(book__title_key__startswith=fold(plan.book)).first() if plan.book else None
    if plan.book and entry is None:
        return
    first, *rest = plan.lines
    thread = Thread.open(
        club=club, by=users[first.by], title=plan.title, body=first.text, entry=entry, spoiler_percent=_percent(first)
    )
    posts = [thread.posts.get()]
    for line in rest:
        answered = None if line.to is None else posts[line.to]
        percent = _percent(line)
        posts.append(
            Post.write(thread=thread, by=users[line.by], body=line.text, reply_to=answered, spoiler_percent=percent)
        )
    for line, post in zip(plan.lines, posts, strict=True):
        emoji, _space, reactions = line.reactions.partition(" ")
        for user in reactions:
            post.react(emoji, by=users[int(user)])
    if plan.pinned or plan.closed:
        thread.change(by=users[0], pinned=plan.pinned, closed=plan.closed)


def _percent(line: Said) -> Decimal | None:
    return None if line.at is None else Decimal(line.at)
