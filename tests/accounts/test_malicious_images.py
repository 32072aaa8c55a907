import io
import logging
import resource
import zlib

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from core.api.exceptions import InvalidFieldError
from core.images.processing import ImageSpec, reencode_image
from tests.accounts.conftest import V1, codes
from tests.images import fetch, make_image, make_png, make_striped_image, png_chunk, stored_files, upload_image

AVATAR = f"{V1}users/me/avatar/"


@pytest.fixture(autouse=True)
def media(settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path


def webp_of(width, height):
    """Return a black image. Black pixels take no space, so images of all sizes differ only in the header."""
    file = io.BytesIO()
    Image.new("RGB", (60, 30)).save(file, "WEBP", lossless=True, method=0)
    data = bytearray(file.getvalue())
    version = int.from_bytes(data[21:25], "little") >> 28
    data[21:25] = (version << 28 | height - 1 << 14 | width - 1).to_bytes(4, "little")
    return bytes(data)


def gif():
    file = io.BytesIO()
    Image.new("P", (20, 20)).save(file, "GIF")
    return file.getvalue()


def bmp():
    file = io.BytesIO()
    Image.new("RGB", (20, 20)).save(file, "BMP")
    return file.getvalue()


def compressed_bomb():
    return zlib.compress(b"x" * 80_000_000)


SVG = b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'
# Functions make the slow ones, so that not every process makes them.
HOSTILE = {
    "an SVG": SVG,
    "a page": b"<!doctype html><script>alert(1)</script>",
    "a page that begins as a PNG": b"\x89PNG\r\n\x1a\n<script>alert(1)</script>",
    "a page that begins as a JPEG": b"\xff\xd8\xff\xe0<script>alert(1)</script>",
    "a page that begins as a WebP": b"RIFF\x20\x00\x00\x00WEBPVP8 <script>alert(1)</script>",
    "a GIF": gif(),
    "a BMP": bmp(),
    "a script for PostScript": b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 10 10\n",
    "a PDF": b"%PDF-1.4\n",
    "a program": b"\x7fELF" + b"\x00" * 200,
    "an archive": b"PK\x03\x04" + b"\x00" * 200,
    "one byte": b"\x00",
    "half a PNG": make_image("PNG", (300, 300), mode="RGB", color="red")[:-60],
    "half a JPEG": make_striped_image("JPEG")[:-300],
    "half a WebP": make_striped_image("WEBP")[:-30],
    "a PNG without pixels": make_png(10, 10),
    "a PNG with zero width": make_png(0, 10, data=zlib.compress(b"\x00")),
    "a PNG with invalid pixel data": make_png(10, 10, data=b"nonsense"),
    "a PNG with a text bomb": lambda: make_png(10, 10, png_chunk(b"zTXt", b"k\x00\x00" + compressed_bomb())),
    "a PNG with a color profile bomb": lambda: make_png(10, 10, png_chunk(b"iCCP", b"k\x00\x00" + compressed_bomb())),
    "a PNG with a chunk longer than the file": b"\x89PNG\r\n\x1a\n\xff\xff\xff\xffIHDR" + b"\x00" * 50,
}
BOMBS = {
    "a PNG of 20,000 by 20,000": make_png(20_000, 20_000, data=zlib.compress(b"\x00" * 1_000_000)),
    "a PNG with the maximum dimensions": make_png(2**31 - 1, 2**31 - 1, data=zlib.compress(b"\x00" * 1000)),
    "a PNG just over the limit": make_png(8_001, 5_000, data=zlib.compress(b"\x00" * 1000)),
    "a WebP of 34 bytes and 268 megapixels": webp_of(16_383, 16_383),
    "a WebP just over the limit": webp_of(8_001, 5_000),
    "a JPEG of 65,500 by 65,500": make_striped_image("JPEG").replace(b"\x00\x1e\x00\x3c", b"\xff\xdc\xff\xdc"),
}


@pytest.mark.django_db
@pytest.mark.parametrize("name", HOSTILE)
def test_invalid_image_is_rejected(as_alice, name):
    data = HOSTILE[name]() if callable(HOSTILE[name]) else HOSTILE[name]
    assert codes(upload_image(as_alice, AVATAR, data, name="picture.png")) == {"file": {"invalid_image"}}
    assert stored_files() == set()


@pytest.mark.django_db
def test_rejected_image_is_logged_with_error_type(as_alice, caplog):
    caplog.set_level(logging.INFO, "bookbridge.images")
    upload_image(as_alice, AVATAR, SVG, name="picture.png")
    messages = [record.getMessage() for record in caplog.records if record.name == "bookbridge.images"]
    assert messages == ["an image could not be read: UnidentifiedImageError"]


@pytest.mark.django_db
@pytest.mark.parametrize("name", BOMBS)
def test_decompression_bomb_is_rejected_unopened(as_alice, name):
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    assert codes(upload_image(as_alice, AVATAR, BOMBS[name])) == {"file": {"too_many_pixels"}}
    assert stored_files() == set()
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * 1024
    assert grown < 80_000_000, "half the decompressed size of the smallest image"


@pytest.mark.django_db
@pytest.mark.parametrize("tail", [SVG, b"PK\x03\x04" + b"x" * 100, b"<?php system($_GET[0]); ?>"])
def test_polyglot_file_is_reduced_to_the_image(as_alice, tail):
    for format in ("JPEG", "PNG"):
        response = upload_image(as_alice, AVATAR, make_image(format) + tail, name="picture.php")
        assert response.status_code == 200, response.content
        assert tail[:8] not in fetch(response.json()["avatar_url"]).content


@pytest.mark.django_db
def test_unusual_file_name_or_type_causes_no_server_error(as_alice):
    for name, type in (("a.exe", "application/x-msdownload"), ("ä\x00b.png", ""), ("." * 90, "text/html; x=y")):
        assert upload_image(as_alice, AVATAR, make_image("JPEG"), name=name, type=type).status_code in (200, 400)
    assert (
        upload_image(as_alice, AVATAR, make_image("JPEG"), name="no-picture.txt", type="text/plain").status_code == 200
    )


@pytest.mark.django_db
def test_file_over_five_megabytes_is_413(as_alice):
    valid = make_image("PNG")
    assert upload_image(as_alice, AVATAR, valid + b"\x00" * (5_000_000 - len(valid))).status_code == 200
    for size in (5_000_001, 5_090_000, 5_200_000, 9_000_000):
        response = upload_image(as_alice, AVATAR, valid + b"\x00" * (size - len(valid)))
        assert (response.status_code, response.json()["code"]) == (413, "too_large")


@given(data=st.binary(max_size=400))
def test_arbitrary_bytes_are_accepted_or_rejected(data):
    for prefix in (b"", b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"RIFF\x10\x00\x00\x00WEBP"):
        _check_accepted_or_rejected(prefix + data)


@given(at=st.integers(0, 2000), byte=st.integers(0, 255), format=st.sampled_from(["PNG", "JPEG", "WEBP"]))
def test_damaged_image_is_accepted_or_rejected(at, byte, format):
    data = bytearray(make_striped_image(format))
    data[at % len(data)] = byte
    _check_accepted_or_rejected(bytes(data))


def _check_accepted_or_rejected(data):
    try:
        result, copies = reencode_image(SimpleUploadedFile("x", data), ImageSpec(16), [4])
    except InvalidFieldError:
        return
    for width, copy in ((16, result), (4, copies[4])):
        size = Image.open(io.BytesIO(copy)).size
        assert size <= (width, 2 * width)
        assert size[1] <= 2 * width
