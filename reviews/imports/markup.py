"""Conversion of the HTML of imported reviews to plain text.

`html.parser` is not used because it takes a minute for some texts of 60 KB, such as `<a <a <a `.
"""

import re
from html import unescape

# Tags allowed by the sources; anything else in angle brackets is part of the text.
_BLOCKS = frozenset("p div blockquote pre ul ol li h1 h2 h3 h4 h5 h6 hr table tr".split())
_INLINE = frozenset("a b strong i em u s strike del ins span code tt small big sub sup font center img td th".split())
_DROPPED = frozenset(("script", "style"))
_KNOWN = _BLOCKS | _INLINE | _DROPPED | {"br", "spoiler"}

# A tag must not contain another "<", so that matching takes linear time.
_TAG = re.compile(r"<(/?)([A-Za-z][A-Za-z0-9]{0,15})(?:\s[^<>]*)?/?>")

# Markup is truncated here, since the text is limited to 10,000 characters.
MAX_MARKUP = 60_000


def html_to_text(html: str) -> tuple[str, bool]:
    """Return the text without markup, and whether a part of it was marked as a spoiler. A lone `<` stays."""
    text = html[:MAX_MARKUP].replace("\r\n", "\n").replace("\r", "\n")
    parts: list[str] = []
    position, dropped, spoiler = 0, "", False
    for tag in _TAG.finditer(text):
        end, name = tag[1], tag[2].lower()
        if name not in _KNOWN:
            continue
        if not dropped:
            _append(parts, unescape(text[position : tag.start()]))
            if name == "br" or (name in _BLOCKS and parts and not parts[-1].endswith("\n")):
                parts.append("\n")
        position = tag.end()
        spoiler = spoiler or name == "spoiler"
        if name in _DROPPED:
            dropped = "" if end else dropped or name
    if not dropped:
        _append(parts, unescape(text[position:]))
    lines = [line.strip(" \t\xa0") for line in "".join(parts).split("\n")]
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip(), spoiler


def _append(parts: list[str], text: str) -> None:
    if text:
        parts.append(text)
