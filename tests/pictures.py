"""Pictures for tests, sound and otherwise."""

import io
import struct
import zlib
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from PIL import Image

from bookbridge.api.tasks.worker import run_pending


def made(
    format: str = "PNG", size: tuple[int, int] = (40, 30), mode: str = "RGB", color: Any = None, **more: Any
) -> bytes:
    """A picture in one colour."""
    file = io.BytesIO()
    Image.new(mode, size, *(() if color is None else (color,))).save(file, format, **more)
    return file.getvalue()


def striped(format: str = "JPEG", **more: Any) -> bytes:
    """60 pixels wide and 30 high: the left third red, the middle one green, the right one blue."""
    image = Image.new("RGB", (60, 30))
    for left, color in ((0, "red"), (20, "lime"), (40, "blue")):
        image.paste(color, (left, 0, left + 20, 30))
    file = io.BytesIO()
    image.save(file, format, **more)
    return file.getvalue()


def chunk(kind: bytes, data: bytes) -> bytes:
    """A part of a PNG file."""
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(width: int, height: int, *parts: bytes, data: bytes = b"") -> bytes:
    """A PNG file that claims to be so large; `parts` stand before its pixels."""
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + b"".join(parts) + chunk(b"IDAT", data) + chunk(b"IEND", b"")


def put(client: Any, url: str, data: bytes, name: str = "picture.png", type: str = "image/png", **headers: Any) -> Any:
    """Upload a file as a picture."""
    return client.put(url, {"file": SimpleUploadedFile(name, data, type)}, format="multipart", **headers)


def seen(url: str) -> Image.Image:
    """The picture at an address, as anybody gets it."""
    answer = fetched(url)
    assert (answer.status_code, answer["Content-Type"]) == (200, "image/webp"), answer.content
    return Image.open(io.BytesIO(answer.content))


def fetched(url: str) -> Any:
    """What anybody is answered at an address."""
    return Client().get(urlsplit(url).path)


def files() -> set[str]:
    """The names of all pictures, once what is to be deleted is."""
    run_pending()
    return {str(path.relative_to(settings.MEDIA_ROOT)) for path in settings.MEDIA_ROOT.rglob("*.*")}
