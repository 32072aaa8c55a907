"""The picture of a year in books that users share: 1200 x 630 pixels, the size of link previews.

The fonts lie beside this module, with their license.
"""

from __future__ import annotations

import datetime
import io
import unicodedata
from functools import lru_cache
from pathlib import Path
from typing import Any

from django.utils.formats import date_format, number_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from PIL import Image, ImageDraw, ImageFont

from stats.year.statistics import YearInBooks

FONTS = Path(__file__).parent / "fonts"
SIZE = WIDTH, HEIGHT = 1200, 630
MARGIN = 72
PAPER, INK, MUTED, ACCENT, TRACK = "#fbf7ef", "#1f2a37", "#6b6f76", "#b4532a", "#e9dfcd"
# Of the chart of months.
CHART_TOP, CHART_BOTTOM, BAR_WIDTH = 418, 526, 62
# No glyph has this code point, so that it is drawn as a missing one.
MISSING = "\uffff"


def render_card(year: YearInBooks, *, title: str, name: str = "") -> bytes:
    """Return the picture as PNG, in the active language. `name` stands above the title."""
    image = Image.new("RGB", SIZE, PAPER)
    draw = ImageDraw.Draw(image)
    draw.rectangle((0, 0, 18, HEIGHT), fill=ACCENT)
    if name := _printable(name):
        _text(draw, (MARGIN, 52), name, size=30, color=MUTED)
    _text(draw, (MARGIN, 92), title, size=54, bold=True)
    _draw_numbers(draw, year)
    _draw_highlight(draw, year)
    _draw_months(draw, year)
    _text(draw, (WIDTH - MARGIN, 588), "BookBridge", size=24, color=MUTED, anchor="rm")
    content = io.BytesIO()
    image.save(content, "PNG", optimize=True)
    return content.getvalue()


def _draw_numbers(draw: Any, year: YearInBooks) -> None:
    """Draw up to three numbers with their labels in a row."""
    books, pages, meetings = year.books_finished, year.pages, year.meetings_held
    numbers = [(books, ngettext("book read", "books read", books))]
    if pages:
        numbers.append((pages, ngettext("page", "pages", pages)))
    if meetings:
        numbers.append((meetings, ngettext("meeting held", "meetings held", meetings)))
    left = float(MARGIN)
    for number, label in numbers:
        text = number_format(number, force_grouping=True)
        _text(draw, (left, 176), text, size=92, bold=True, color=ACCENT)
        _text(draw, (left + 4, 286), label, size=30)
        left += max(_font(92, True).getlength(text), _font(30, False).getlength(label)) + 72


def _draw_highlight(draw: Any, year: YearInBooks) -> None:
    """Draw the best rated book, if its title can be drawn."""
    best = year.best_rated
    title = _printable(best.book.title) if best else ""
    if best is None or not title:
        return
    stars = number_format(best.average_rating or 0, 1)
    text = _("Best rated: %(title)s (%(stars)s ★)") % {"title": title, "stars": stars}
    _text(draw, (MARGIN, 348), text, size=28)


def _draw_months(draw: Any, year: YearInBooks) -> None:
    """Draw a bar for each month."""
    months, step = year.months, (WIDTH - 2 * MARGIN) / 12
    highest = max(*months, 1)
    for number, count in enumerate(months):
        left = MARGIN + number * step
        top = CHART_BOTTOM - (CHART_BOTTOM - CHART_TOP) * count / highest
        draw.rounded_rectangle((left, CHART_BOTTOM - 6, left + BAR_WIDTH, CHART_BOTTOM), 3, fill=TRACK)
        if count:
            draw.rounded_rectangle((left, top, left + BAR_WIDTH, CHART_BOTTOM), 6, fill=ACCENT)
        label = date_format(datetime.date(year.year, number + 1, 1), "M").rstrip(".").lower()
        _text(draw, (left + BAR_WIDTH / 2, CHART_BOTTOM + 22), label, size=20, color=MUTED, anchor="mm")


def _text(
    draw: Any,
    position: tuple[float, float],
    text: str,
    *,
    size: int,
    bold: bool = False,
    color: str = INK,
    anchor: str = "la",
) -> None:
    """Draw one line, cut at the right margin."""
    font = _font(size, bold)
    room = WIDTH - MARGIN - (position[0] if anchor.startswith("l") else MARGIN)
    while font.getlength(text) > room:
        text = text.rstrip("…")[:-1].rstrip() + "…"
    draw.text(position, text, font=font, fill=color, anchor=anchor)


def _printable(text: str) -> str:
    """Return the text, or nothing if the fonts lack a character or it is written from right to left."""
    text = " ".join(unicodedata.normalize("NFC", text).split())
    if any(unicodedata.bidirectional(char) in ("R", "AL") or not _has_glyph(char) for char in text):
        return ""
    return text


@lru_cache(maxsize=4096)
def _has_glyph(char: str) -> bool:
    font = _font(20, False)
    return char.isspace() or bytes(font.getmask(char)) != bytes(font.getmask(MISSING))


@lru_cache(maxsize=16)
def _font(size: int, bold: bool) -> ImageFont.FreeTypeFont:
    name = "DejaVuSans-Bold.ttf" if bold else "DejaVuSans.ttf"
    return ImageFont.truetype(FONTS / name, size)
