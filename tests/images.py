"""Valid and invalid images for tests."""

import io
import struct
import zlib
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from PIL import Image

from core.images.storage import get_full_name
from core.tasks.worker import run_pending


def make_image(
    format: str = "PNG", size: tuple[int, int] = (40, 30), mode: str = "RGB", color: Any = None, **more: Any
) -> bytes:
    """Return an image in one color."""
    file = io.BytesIO()
    Image.new(mode, size, *(() if color is None else (color,))).save(file, format, **more)
    return file.getvalue()


def make_striped_image(format: str = "JPEG", **more: Any) -> bytes:
    """Return an image of 60 by 30 pixels with a red, a green and a blue third."""
    image = Image.new("RGB", (60, 30))
    for left, color in ((0, "red"), (20, "lime"), (40, "blue")):
        image.paste(color, (left, 0, left + 20, 30))
    file = io.BytesIO()
    image.save(file, format, **more)
    return file.getvalue()


def png_chunk(kind: bytes, data: bytes) -> bytes:
    """Return a chunk of a PNG file."""
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def make_png(width: int, height: int, *parts: bytes, data: bytes = b"") -> bytes:
    """Return a PNG file with these declared dimensions; `parts` come before its pixels."""
    header = png_chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + b"".join(parts) + png_chunk(b"IDAT", data) + png_chunk(b"IEND", b"")


def upload_image(
    client: Any, url: str, data: bytes, name: str = "picture.png", type: str = "image/png", **headers: Any
) -> Any:
    """Upload an image."""
    return client.put(url, {"file": SimpleUploadedFile(name, data, type)}, format="multipart", **headers)


def open_image(url: str) -> Image.Image:
    """Fetch and open the image at a URL."""
    response = fetch(url)
    assert (response.status_code, response["Content-Type"]) == (200, "image/webp"), response.content
    return Image.open(io.BytesIO(response.content))


def fetch(url: str) -> Any:
    """Fetch a URL anonymously."""
    return Client().get(urlsplit(url).path)


def stored_files() -> set[str]:
    """Run due tasks and return the names of all stored images, without the smaller copies that belong to them."""
    run_pending()
    files = {str(path.relative_to(settings.MEDIA_ROOT)) for path in settings.MEDIA_ROOT.rglob("*.*")}
    return {file for file in files if get_full_name(file) == file or get_full_name(file) not in files}
