"""Word-level diff of two texts, as HTML."""

import re
from collections.abc import Iterator
from difflib import SequenceMatcher
from typing import Any

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

WORDS = re.compile(r"\S+\s*|\s+")
ADDED = '<ins class="bg-green-100 text-green-700 dark:bg-green-500/20 dark:text-green-400">{}</ins>'
REMOVED = '<del class="bg-red-100 text-red-700 dark:bg-red-500/20 dark:text-red-400">{}</del>'


def format_value(value: Any) -> str:
    """Return a field's value as text."""
    return "\n".join(value) if isinstance(value, list) else str("" if value is None else value)


def render_diff(before: Any, after: Any) -> SafeString:
    """Return the new text as escaped HTML with added and removed words marked."""
    return format_html_join("", "{}", ((piece,) for piece in _marked_pieces(format_value(before), format_value(after))))


def _marked_pieces(before: str, after: str) -> Iterator[SafeString]:
    old, new = WORDS.findall(before), WORDS.findall(after)
    for tag, i, j, k, m in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if tag == "equal":
            yield format_html("{}", "".join(new[k:m]))
            continue
        if i < j:
            yield format_html(REMOVED, "".join(old[i:j]))
        if k < m:
            yield format_html(ADDED, "".join(new[k:m]))
