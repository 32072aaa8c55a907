"""Demo reviews by the users of the demo clubs."""

from collections import defaultdict
from collections.abc import Mapping
from typing import NamedTuple

from accounts.models import User
from demo.books import find_book
from reviews.choices import ReviewVisibility
from reviews.models import Review


class DemoReview(NamedTuple):
    """A demo review. `by` is the first part of the username, `book` the beginning of the title."""

    by: str
    book: str
    half_stars: int | None
    body: str = ""
    title: str = ""
    visibility: str = ReviewVisibility.PUBLIC


DEMO_REVIEWS = (
    DemoReview("ana", "Vidas Secas", 10, "Cada frase pesa. A Baleia sozinha já vale o livro.", "Poucas palavras"),
    DemoReview("bruno", "Vidas Secas", 8, "Li em voz alta com o clube: o silêncio também se ouve."),
    DemoReview("davi", "Vidas Secas", 9, "Moro onde isso se passa. Está tudo lá, até o cheiro da chuva."),
    DemoReview("helena", "Vidas Secas", 7, "Duro e bonito. Precisei parar duas vezes.", "", ReviewVisibility.CLUBS),
    DemoReview("joao", "O Alienista", 9, "Rimos a reunião inteira, e no fim ninguém ria.", "Quem é o louco?"),
    DemoReview("carla", "O Alienista", 8, "Curto e afiado. Machado sabia onde doía."),
    DemoReview("ana", "O Alienista", 9),
    DemoReview("helena", "Grande Sertão", None, "Travei nas primeiras páginas; depois vira música.", "Ainda no começo"),
    DemoReview("carla", "O Primo Basílio", 6, "A Juliana é a melhor personagem, e ninguém me convence do contrário."),
    DemoReview("bruno", "Fahrenheit 451", 8, "Premonitório, embora apressado no final."),
    DemoReview(
        "davi", "Capitães da Areia", 10, "Reli vinte anos depois e chorei no mesmo lugar.", "", ReviewVisibility.PRIVATE
    ),
    DemoReview("emma", "Wuthering Heights", 9, "Read it in a storm if you can.", "Nobody to like, nobody to forget"),
    DemoReview("oliver", "Wuthering Heights", 4, "I kept hoping that somebody would open a window."),
    DemoReview("liam", "Wuthering Heights", 10, "The moor is the only sane character."),
    DemoReview("nora", "Wuthering Heights", 2, "Two hundred pages of people being cruel indoors.", "Not for me"),
    DemoReview("theo", "Wuthering Heights", 8, "The frame story is cleverer than it looks."),
    DemoReview("grace", "Frankenstein", 9, "I had forgotten how well the creature speaks."),
    DemoReview("liam", "Frankenstein", 8, "Shorter and sadder than the films."),
    DemoReview("emma", "Frankenstein", 9),
    DemoReview("grace", "The Great Gatsby", 8, "Third time, and this time I felt sorry for Nick."),
    DemoReview("theo", "The Great Gatsby", 7, "Lovely sentences, thin people. Perhaps that is the point."),
    DemoReview("nora", "Fahrenheit 451", 9, "The mechanical hound still turns up in my dreams."),
    DemoReview("oliver", "Fahrenheit 451", 7, "Great idea, hurried ending.", "", ReviewVisibility.CLUBS),
    DemoReview("emma", "Jane Eyre", None, "Jane answers back on page ten. I am in.", "Half-way"),
)


def seed_demo_reviews(users: Mapping[str, User]) -> None:
    """Create the demo reviews of existing books; the first two reviewers of a book like the later reviews."""
    reviewers: defaultdict[int, list[str]] = defaultdict(list)
    for row in DEMO_REVIEWS:
        book = find_book(row.book)
        if book is None:
            continue
        columns = {"rating": row.half_stars, "title": row.title, "body": row.body, "visibility": row.visibility}
        review = Review.create_review(book=book, by=users[row.by], **columns)
        for reviewer in reviewers[book.pk][:2] if review.is_public and row.body else ():
            review.like(by=users[reviewer])
        reviewers[book.pk].append(row.by)
