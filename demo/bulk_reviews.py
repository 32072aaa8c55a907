"""Generated reviews for `manage.py seed_demo --reviews`; the same seed gives the same reviews."""

from collections.abc import Iterator

from accounts.models import User
from catalog.models import Book
from demo.bulk import MAX_BOOKS, Seeder, SeedingError
from reviews.choices import ReviewVisibility
from reviews.models import Review

MAX_USERS = 200_000
TEXTS = {
    "en": ("Could not put it down.", "Slow at first, worth the wait.", "Not for me.", "I will read it again.", ""),
    "pt-br": ("Não consegui largar.", "Começa devagar e vale a espera.", "Não é para mim.", "Vou reler.", ""),
}
# Weights of the ratings from 1 to 10 half-stars.
HALF_STARS = (1, 1, 1, 2, 3, 6, 10, 16, 9, 12)


def seed_reviews(seeder: Seeder, count: int) -> None:
    """Create `count` reviews by users without reviews, and update the counters. Raises SeedingError."""
    users = list(User.objects.filter(reviews=None).order_by("pk").values_list("pk", "language")[:MAX_USERS])
    books = list(Book.objects.order_by("-ratings_count", "id").values_list("pk", flat=True)[:MAX_BOOKS])
    if count > len(users) * len(books) // 2:
        raise SeedingError("Not enough users or books for this many reviews; increase --users.")
    seeder.save(Review, count, generate_reviews(seeder, count, users, books), Review.objects.bulk_create_reviews)


def generate_reviews(seeder: Seeder, count: int, users: list[tuple[int, str]], books: list[int]) -> Iterator[Review]:
    """Yield reviews for distinct random pairs of user and book; popular books are chosen far more often."""
    random = seeder.random
    taken: set[tuple[int, int]] = set()
    while len(taken) < count:
        user, language = random.choice(users)
        book = books[int(len(books) * random.random() ** 3)]
        if (user, book) in taken:
            continue
        taken.add((user, book))
        yield Review(
            book_id=book,
            author_id=user,
            rating=random.choices(range(1, 11), HALF_STARS)[0],
            body=random.choice(TEXTS[language.lower()]),
            language=language.lower(),
            visibility=random.choices(ReviewVisibility.values, (90, 7, 3))[0],
            created_at=seeder.random_time(700),
        )
