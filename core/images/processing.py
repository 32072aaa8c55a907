"""Re-encoding of uploaded images, so that nothing of an uploaded file but its pixels is ever served.

The format is detected from the content. The size is read from the header, so that decompression bombs are rejected
before they are decoded. Each process decodes one image at a time, to limit its memory.
"""

import io
import logging
import threading
from collections.abc import Iterable
from typing import IO, NamedTuple

from django.utils.translation import gettext_lazy as _
from PIL import Image, ImageOps

from core.api.exceptions import InvalidFieldError, ServiceUnavailable

logger = logging.getLogger("bookbridge.images")

FORMATS = ("JPEG", "PNG", "WEBP")
# Each decoded pixel takes four bytes.
MAX_PIXELS = 40_000_000
Image.MAX_IMAGE_PIXELS = MAX_PIXELS  # Pillow raises at twice as many, for some formats while reading the header
DECOMPRESSION_BOMB_ERRORS = (Image.DecompressionBombError, Image.DecompressionBombWarning)
QUALITY = 82
MAX_WAIT_SECONDS = 10

_one_at_a_time = threading.Semaphore()


class ImageSpec(NamedTuple):
    """The size of a stored image: at most `width` wide and twice as high; `square` crops to the center."""

    width: int = 1024
    square: bool = False


def reencode_image(file: IO[bytes], spec: ImageSpec, smaller: Iterable[int] = ()) -> tuple[bytes, dict[int, bytes]]:
    """Re-encode the first frame of a JPEG, PNG or WebP file as upright WebP without metadata.

    Return it with smaller copies of the given widths.

    Raises InvalidFieldError `invalid_image` or `too_many_pixels`, and ServiceUnavailable if the wait for other images
    is too long.
    """
    if not _one_at_a_time.acquire(timeout=MAX_WAIT_SECONDS):
        raise ServiceUnavailable
    try:
        image = _read_upright(file, spec)
        copies = {width: _encode(_resize(image, spec._replace(width=width))) for width in smaller}
        return _encode(image), copies
    except InvalidFieldError:
        raise
    except DECOMPRESSION_BOMB_ERRORS:
        raise _too_many_pixels() from None
    except Exception as error:  # decoders may raise anything for damaged or malicious files
        logger.info("an image could not be read: %s", type(error).__name__)
        raise InvalidFieldError("file", "invalid_image", _("Upload a valid JPEG, PNG or WebP image.")) from None
    finally:
        _one_at_a_time.release()


def _read_upright(file: IO[bytes], spec: ImageSpec) -> Image.Image:
    with Image.open(file, formats=FORMATS) as image:
        if image.width * image.height > MAX_PIXELS:
            raise _too_many_pixels()
        # JPEG can be decoded at a fraction of its size.
        image.draft(None, (2 * spec.width, 2 * spec.width))
        # Resized before it is turned, since that takes less memory, to a size that holds both ways.
        upright = _resize(ImageOps.exif_transpose(_resize(_to_rgb(image), spec, turned=True)), spec)
    # Remove profiles, comments and locations.
    upright.info.clear()
    return upright


def _encode(image: Image.Image) -> bytes:
    output = io.BytesIO()
    image.save(output, "WEBP", quality=QUALITY)
    return output.getvalue()


def _to_rgb(image: Image.Image) -> Image.Image:
    """Convert to RGB, or to RGBA if the image has transparency."""
    if image.mode.startswith("I"):  # 16-bit grayscale, which Pillow would clip to 8 bits
        image = image.convert("I").point(lambda gray: gray * (1 / 256)).convert("L")
    mode = "RGBA" if image.has_transparency_data else "RGB"
    return image if image.mode == mode else image.convert(mode)


def _resize(image: Image.Image, spec: ImageSpec, *, turned: bool = False) -> Image.Image:
    """Return a copy of the given size, or of either size if it is to be turned; smaller images are not enlarged."""
    if spec.square:
        side = min(spec.width, image.width, image.height)
        fitted = ImageOps.fit(image, (side, side))
        fitted.info = image.info
        return fitted
    resized = image.copy()
    resized.thumbnail((2 * spec.width if turned else spec.width, 2 * spec.width))
    return resized


def _too_many_pixels() -> InvalidFieldError:
    megapixels = MAX_PIXELS // 1_000_000
    return InvalidFieldError(
        "file", "too_many_pixels", _("Images may have at most %(most)s megapixels.") % {"most": megapixels}
    )
