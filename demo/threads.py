"""Demo threads in both languages, with posts that are hidden as spoilers."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from accounts.models import User
from catalog.models import title_sort_key
from clubs.club.models import Club
from discussions.models import Post, Thread


@dataclass(frozen=True)
class DemoPost:
    """A post: author index, spoiler percentage, index of the post it replies to, and reactions."""

    by: int
    text: str
    spoiler_percent: int | None = None
    reply_to: int | None = None
    reactions: str = ""


@dataclass(frozen=True)
class DemoThread:
    """A thread of a club, optionally about the book whose title starts with `book`."""

    club: str
    title: str
    posts: tuple[DemoPost, ...]
    book: str = ""
    pinned: bool = False
    closed: bool = False
    announce: bool = False


DEMO_THREADS = (
    DemoThread(
        "Clube do Livro de Pinheiros",
        "Como vamos ler",
        (
            DemoPost(
                0,
                "Um trecho por noite, sem pressa. Quem for na frente, diga até onde leu.",
                reactions="👍 123",
            ),
            DemoPost(1, "Combinado! Levo o café no sábado.", reply_to=0, reactions="☕ 024"),
        ),
        pinned=True,
    ),
    DemoThread(
        "Clube do Livro de Pinheiros",
        "A sala mudou",
        (DemoPost(0, "A partir desta semana a roda é na sala do primeiro andar.", reactions="👍 12"),),
        announce=True,
    ),
    DemoThread(
        "Clube do Livro de Pinheiros",
        "A fala de Riobaldo",
        (
            DemoPost(0, "Alguém mais lê em voz alta? A frase só anda quando a gente escuta.", 0, reactions="❤️ 124"),
            DemoPost(2, "Leio para a minha avó, que nasceu em Januária. Ela ri antes de mim.", 0, 0, reactions="😂 01"),
            DemoPost(1, "A travessia do Liso muda tudo: ele já não conta para nós, conta para si mesmo.", 60),
            DemoPost(3, "E o pacto? Ele mesmo não sabe se aconteceu.", 60, 2, reactions="🤔 1"),
            DemoPost(0, "@bruno.tavares, só respondo quando chegar lá!", 45),
        ),
        "Grande Sertão",
    ),
    DemoThread(
        "Clube do Livro de Pinheiros",
        "O Alienista: quem era o louco?",
        (
            DemoPost(
                1, "No fim Simão Bacamarte tranca a si mesmo. Para mim é a única saída honesta.", 100, reactions="👏 02"
            ),
            DemoPost(0, "Ou a última vaidade dele.", 100, 0),
        ),
        "O Alienista",
        closed=True,
    ),
    DemoThread(
        "Leituras de Lisboa",
        "Luísa e o primo",
        (
            DemoPost(0, "Que retrato da Baixa! Reconheço cada rua.", 0, reactions="👍 1"),
            DemoPost(1, "Quando a Juliana encontra as cartas, a casa deixa de ser da Luísa.", 60),
        ),
        "O Primo Basílio",
    ),
    DemoThread(
        "Leitores da Rua Sete",
        "Quem traz o bolo?",
        (DemoPost(0, "Domingo é na minha casa.", reactions="🎂 12"), DemoPost(1, "Eu levo de fubá.", reply_to=0)),
    ),
    DemoThread(
        "The Night Readers",
        "House rules",
        (
            DemoPost(
                0,
                "Guard what you write by how far you have read. Titles give nothing away, please.",
                reactions="👍 1234",
            ),
            DemoPost(2, "And no films until the last page.", reply_to=0, reactions="🎬 05"),
        ),
        pinned=True,
    ),
    DemoThread(
        "The Night Readers",
        "Thornfield after dark",
        (
            DemoPost(0, "Does anybody else hear that laugh in every chapter now?", 20, reactions="😱 13"),
            DemoPost(1, "Grace Poole, surely. Too easy, though.", 20, 0),
            DemoPost(3, "The wedding. I had to put the book down and walk around the block.", 60, reactions="💔 1"),
            DemoPost(1, "@nora.fischer same here. Nobody interrupts a service like that.", 60, 2),
            DemoPost(5, "I have only met Mrs Fairfax so far: lovely woman.", 6, reactions="😇 0"),
        ),
        "Jane Eyre",
    ),
    DemoThread(
        "Slow Classics",
        "Scout as a narrator",
        (
            DemoPost(
                0, "She tells us more than she understands, and that is the whole art of it.", 10, reactions="👏 12"
            ),
            DemoPost(1, "The knot-hole chapters are the best thing I have read this year.", 30, 0),
        ),
        "To Kill a Mockingbird",
    ),
    DemoThread(
        "Tomorrow's World",
        "Would you take the soma?",
        (
            DemoPost(0, "Asking for a friend.", 10, reactions="😂 123"),
            DemoPost(1, "After John's mother, no.", 65),
            DemoPost(3, "I am with Bernard, whatever that says of me.", 25, 0),
        ),
        "Brave New World",
    ),
)


def create_demo_threads(club: Club, users: list[User]) -> None:
    """Create the threads of a club. Threads about books that are not on its reading list are skipped."""
    for demo_thread in DEMO_THREADS:
        if demo_thread.club == club.name:
            _create_thread(demo_thread, club, users)


def _create_thread(demo_thread: DemoThread, club: Club, users: list[User]) -> None:
    entry = (
        club.entries.filter(book__title_key__startswith=title_sort_key(demo_thread.book)).first()
        if demo_thread.book
        else None
    )
    if demo_thread.book and entry is None:
        return
    first = demo_thread.posts[0]
    thread = Thread.create_thread(
        club=club,
        by=users[first.by],
        title=demo_thread.title,
        body=first.text,
        entry=entry,
        spoiler_percent=_percent(first),
        announce=demo_thread.announce,
    )
    _create_posts(thread, demo_thread, users)
    if demo_thread.pinned or demo_thread.closed:
        thread.update_thread(by=users[0], pinned=demo_thread.pinned, closed=demo_thread.closed)


def _create_posts(thread: Thread, demo_thread: DemoThread, users: list[User]) -> None:
    """Create the replies and reactions; the first post was created with the thread."""
    posts = [thread.posts.get()]
    for demo_post in demo_thread.posts[1:]:
        reply_to = None if demo_post.reply_to is None else posts[demo_post.reply_to]
        post = Post.create_post(
            thread=thread,
            by=users[demo_post.by],
            body=demo_post.text,
            reply_to=reply_to,
            spoiler_percent=_percent(demo_post),
        )
        posts.append(post)
    for demo_post, post in zip(demo_thread.posts, posts, strict=True):
        emoji, _space, reactions = demo_post.reactions.partition(" ")
        for user in reactions:
            post.react(emoji, by=users[int(user)])


def _percent(demo_post: DemoPost) -> Decimal | None:
    return None if demo_post.spoiler_percent is None else Decimal(demo_post.spoiler_percent)
