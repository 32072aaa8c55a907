"""Pictures that readers send, made anew: nothing of what was sent but its pixels is ever served.

The kind of a file is what its bytes say, whatever it is called. How large it is stands in its first bytes, so that a
bomb is refused before anything of it is unpacked; and one is unpacked at a time in each process, so that several large
ones do not add up.
"""

import io
import logging
import threading
from typing import IO, NamedTuple

from django.utils.translation import gettext_lazy as _
from PIL import Image, ImageOps

from bookbridge.api.errors import InvalidField, Unavailable

logger = logging.getLogger("bookbridge.images")

FORMATS = ("JPEG", "PNG", "WEBP")
# Of one unpacked picture; four bytes each.
MOST_PIXELS = 40_000_000
Image.MAX_IMAGE_PIXELS = MOST_PIXELS  # Pillow itself refuses twice as many, some of them while it looks at the header
BOMBS = (Image.DecompressionBombError, Image.DecompressionBombWarning)
QUALITY = 82
SECONDS_IN_LINE = 10

_one_at_a_time = threading.Semaphore()


class Shape(NamedTuple):
    """How large a picture is kept: no side is longer than `side`; `square` cuts out the middle."""

    side: int
    square: bool = False


def remade(file: IO[bytes], shape: Shape) -> bytes:
    """The first frame of a JPEG, PNG or WebP file, upright, in its shape, as a WebP file without metadata.

    Raises InvalidField `invalid_image` or `too_many_pixels`; Unavailable where others' pictures take too long.
    """
    if not _one_at_a_time.acquire(timeout=SECONDS_IN_LINE):
        raise Unavailable
    try:
        return _remade(file, shape)
    except InvalidField:
        raise
    except BOMBS:
        raise _too_many_pixels() from None
    except Exception as error:  # a decoder may raise anything about a file that is damaged or was made to harm it
        logger.info("a picture could not be read: %s", type(error).__name__)
        raise InvalidField("file", "invalid_image", _("This is no JPEG, PNG or WebP picture, or is damaged.")) from None
    finally:
        _one_at_a_time.release()


def _remade(file: IO[bytes], shape: Shape) -> bytes:
    with Image.open(file, formats=FORMATS) as image:
        if image.width * image.height > MOST_PIXELS:
            raise _too_many_pixels()
        # A JPEG can be unpacked at a fraction of its size.
        image.draft(None, (2 * shape.side, 2 * shape.side))
        shown = ImageOps.exif_transpose(_in_shape(_with_plain_pixels(image), shape))
    # What is left of the file beside the pixels: profiles, comments, places.
    shown.info.clear()
    remade = io.BytesIO()
    shown.save(remade, "WEBP", quality=QUALITY)
    return remade.getvalue()


def _with_plain_pixels(image: Image.Image) -> Image.Image:
    """The picture in RGB, with transparency where it has some."""
    if image.mode.startswith("I"):  # sixteen bits of grey, which Pillow would cut off at eight
        image = image.convert("I").point(lambda grey: grey * (1 / 256)).convert("L")
    mode = "RGBA" if image.has_transparency_data else "RGB"
    return image if image.mode == mode else image.convert(mode)


def _in_shape(image: Image.Image, shape: Shape) -> Image.Image:
    """No larger than the shape has it; a smaller one stays small."""
    if shape.square:
        side = min(shape.side, image.width, image.height)
        fitted = ImageOps.fit(image, (side, side))
        fitted.info = image.info
        return fitted
    image.thumbnail((shape.side, shape.side))
    return image


def _too_many_pixels() -> InvalidField:
    most = MOST_PIXELS // 1_000_000
    return InvalidField(
        "file", "too_many_pixels", _("A picture may have %(most)s megapixels at most.") % {"most": most}
    )
