"""QR codes."""

import qrcode
from django.utils.safestring import SafeString, mark_safe
from qrcode.image.svg import SvgPathImage


def qr_code(text: str) -> SafeString:
    """Return the text as a QR code in SVG, to be embedded in HTML."""
    image = qrcode.make(text, image_factory=SvgPathImage, border=2)
    return mark_safe(image.to_string(encoding="unicode"))  # noqa: S308  (contains only paths, not the text itself)
