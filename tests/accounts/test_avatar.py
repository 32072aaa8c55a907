import datetime
import io
import os

import pytest
from django.core.files.storage import default_storage
from django.core.management import call_command
from PIL import Image

from core.images import processing, storage
from tests.accounts.conftest import V1, codes
from tests.conftest import PASSWORD
from tests.images import fetch, make_image, make_striped_image, open_image, stored_files, upload_image

pytestmark = pytest.mark.django_db

ME = f"{V1}users/me/"
AVATAR = f"{ME}avatar/"


@pytest.fixture(autouse=True)
def media(settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path


@pytest.mark.parametrize("format", ["JPEG", "PNG", "WEBP"])
def test_avatar_is_shown_with_the_user(as_alice, bob, client_of, format):
    response = upload_image(as_alice, AVATAR, make_image(format, (800, 600)))
    assert response.status_code == 200, response.content
    url = response.json()["avatar_url"]
    assert url.startswith("http://testserver/media/avatars/")
    assert response.json() == as_alice.get(ME).json()
    assert client_of(bob).get(f"{V1}users/alice/").json()["avatar_url"] == url
    assert {row["avatar_url"] for row in client_of(bob).get(f"{V1}users/").json()["results"]} == {None, url}
    image = open_image(url)
    assert (image.format, image.size) == ("WEBP", (600, 600))


@pytest.mark.parametrize(("size", "sides"), [((3000, 2000), (64, 256, 1024)), ((200, 300), (64, 200, 200))])
def test_image_has_three_sizes_at_known_urls(as_alice, size, sides):
    url = upload_image(as_alice, AVATAR, make_image("JPEG", size)).json()["avatar_url"]
    urls = [url.replace(".webp", "-64.webp"), url.replace(".webp", "-256.webp"), url]
    assert [open_image(each).size for each in urls] == [(side, side) for side in sides]
    assert fetch(urls[0])["Cache-Control"] == "public, max-age=31536000, immutable"
    for other in ("-65.webp", "-1024.webp", "-64-64.webp", "-64.png"):
        assert fetch(url.replace(".webp", other)).status_code == 404
    assert as_alice.delete(AVATAR).status_code == 204
    assert stored_files() == set()
    assert {fetch(each).status_code for each in urls} == {404}


def test_avatar_is_cropped_but_not_enlarged(as_alice):
    image = open_image(upload_image(as_alice, AVATAR, make_striped_image("PNG")).json()["avatar_url"]).convert("RGB")
    assert image.size == (30, 30)
    red, green, blue = image.getpixel((15, 15))
    assert green > 200 > max(red, blue)


@pytest.mark.parametrize(
    ("orientation", "left"), [(1, "red"), (3, "blue"), (6, None), (8, None), (9, "red"), (0, "red")]
)
def test_exif_rotation_is_applied_and_metadata_removed(as_alice, club_cover, orientation, left):
    exif = Image.Exif()
    exif[0x0112] = orientation
    exif[0x010F] = "SecretCamera"
    exif[0x8825] = {1: "N", 2: (52.0, 31.0, 12.0)}
    data = make_striped_image(
        "JPEG", exif=exif, quality=95, icc_profile=b"SecretProfile" * 20, comment=b"SecretComment"
    )
    response = upload_image(as_alice, club_cover, data)
    assert response.status_code == 200, response.content
    url = response.json()["cover_url"]
    image = open_image(url)
    assert image.size == ((60, 30) if left else (30, 60))
    if left:
        pixel = dict(zip(("red", "green", "blue"), image.convert("RGB").getpixel((5, 15)), strict=True))
        assert pixel[left] > 150 > pixel["red" if left == "blue" else "blue"]
    content = fetch(url).content
    for secret in (b"Secret", b"EXIF", b"Exif", b"ICCP", b"XMP", b"GPS"):
        assert secret not in content


@pytest.fixture
def club_cover(as_alice):
    return f"{V1}clubs/{as_alice.post(f'{V1}clubs/', {'name': 'Night readers'}).json()['id']}/cover/"


@pytest.mark.parametrize(
    ("format", "mode"),
    [("PNG", mode) for mode in ("1", "L", "LA", "P", "RGB", "RGBA", "I;16")]
    + [("JPEG", "CMYK"), ("JPEG", "L"), ("WEBP", "RGBA")],
)
def test_all_image_modes_are_accepted(as_alice, format, mode):
    image = open_image(upload_image(as_alice, AVATAR, make_image(format, mode=mode)).json()["avatar_url"])
    assert image.mode == ("RGBA" if "A" in mode else "RGB")


def test_sixteen_bit_gray_keeps_its_brightness(as_alice):
    image = open_image(
        upload_image(as_alice, AVATAR, make_image("PNG", mode="I;16", color=30_000)).json()["avatar_url"]
    ).convert("L")
    assert 100 < image.getpixel((5, 5)) < 135


@pytest.mark.parametrize("format", ["PNG", "WEBP"])
def test_animation_is_reduced_to_first_frame(as_alice, format):
    file = io.BytesIO()
    frames = [Image.new("RGB", (20, 20), color) for color in ("red", "blue")]
    frames[0].save(file, format, save_all=True, append_images=frames[1:])
    image = open_image(upload_image(as_alice, AVATAR, file.getvalue()).json()["avatar_url"])
    assert getattr(image, "n_frames", 1) == 1
    assert image.convert("RGB").getpixel((5, 5))[0] > 200


def test_new_avatar_replaces_url_and_file(as_alice, django_capture_on_commit_callbacks):
    first = upload_image(as_alice, AVATAR, make_image()).json()["avatar_url"]
    second = upload_image(as_alice, AVATAR, make_image()).json()["avatar_url"]
    assert first != second
    assert len(stored_files()) == 1
    assert fetch(first).status_code == 404
    assert fetch(second).status_code == 200
    for _twice in range(2):
        assert as_alice.delete(AVATAR).status_code == 204
    assert as_alice.get(ME).json()["avatar_url"] is None
    assert stored_files() == set()


def test_avatar_is_served_with_safe_headers(as_alice, anonymous):
    url = upload_image(as_alice, AVATAR, make_image(), name="../../evil.html", type="text/html").json()["avatar_url"]
    response = fetch(url)
    assert response["Cache-Control"] == "public, max-age=31536000, immutable"
    assert response["X-Content-Type-Options"] == "nosniff"
    assert response["Content-Disposition"] == "inline"
    assert response["Content-Security-Policy"] == "default-src 'none'; sandbox"
    assert "Set-Cookie" not in response.headers
    path = url.removeprefix("http://testserver")
    assert anonymous.head(path).status_code == 200
    assert anonymous.get(path, HTTP_IF_NONE_MATCH=response["ETag"]).status_code == 304
    assert anonymous.post(path).status_code == 405


@pytest.mark.parametrize(
    "path",
    ["", "x", "../settings.py", "avatars/../../db.sqlite3", "%2e%2e/%2e%2e/db.sqlite3", "/etc/passwd", "avatars/",
     "avatars/ab/1-abc.webp", "avatars/ab/1-" + "a" * 32 + ".webp", "avatars/ab/1-" + "a" * 32 + ".webp%00.html",
     "avatars/ab/1-" + "a" * 32 + ".webp\n", "x" * 3000],
)  # fmt: skip
def test_other_media_paths_are_not_served(anonymous, path, tmp_path):
    (tmp_path / "x").write_text("secret")
    response = anonymous.get(f"/media/{path}")
    assert response.status_code in (400, 404)
    assert b"secret" not in response.content
    assert "max-age" not in response.get("Cache-Control", "")


def test_if_match_uses_the_etag_of_the_account(as_alice):
    etag = as_alice.get(ME)["ETag"]
    assert upload_image(as_alice, AVATAR, make_image(), HTTP_IF_MATCH=etag).status_code == 200
    assert upload_image(as_alice, AVATAR, make_image(), HTTP_IF_MATCH=etag).status_code == 412
    assert as_alice.delete(AVATAR, HTTP_IF_MATCH=etag).status_code == 412
    assert len(stored_files()) == 1


def test_invalid_uploads(as_alice, anonymous):
    assert upload_image(anonymous, AVATAR, make_image()).status_code == 401
    assert as_alice.put(AVATAR, {"file": "x"}, format="json").status_code == 415
    assert codes(as_alice.put(AVATAR, {"file": "text"}, format="multipart")) == {"file": {"invalid"}}
    assert codes(as_alice.put(AVATAR, {"other": "text"}, format="multipart")) == {"file": {"required"}}
    assert codes(upload_image(as_alice, AVATAR, b"")) == {"file": {"empty"}}
    response = as_alice.put(AVATAR, b"--x\r\nnonsense", content_type="multipart/form-data; boundary=x")
    assert response.status_code == 400
    assert as_alice.get(AVATAR).status_code == 405
    assert stored_files() == set()


def test_account_deletion_deletes_the_avatar(as_alice):
    upload_image(as_alice, AVATAR, make_image())
    assert as_alice.delete(ME, {"password": PASSWORD}).status_code == 204
    assert stored_files() == set()


def test_full_disk_is_503_and_keeps_the_avatar(as_alice, monkeypatch):
    url = upload_image(as_alice, AVATAR, make_image()).json()["avatar_url"]

    def full(*args):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(default_storage, "save", full)
    response = upload_image(as_alice, AVATAR, make_image())
    assert (response.status_code, response["Retry-After"]) == (503, "5")
    assert as_alice.get(ME).json()["avatar_url"] == url


def test_busy_image_processing_is_503(as_alice, monkeypatch):
    monkeypatch.setattr(processing, "MAX_WAIT_SECONDS", 0.01)
    with processing._one_at_a_time:
        assert upload_image(as_alice, AVATAR, make_image()).status_code == 503
    assert upload_image(as_alice, AVATAR, make_image()).status_code == 200


def test_orphaned_files_are_deleted_after_a_day(as_alice, alice, tmp_path, monkeypatch):
    """A process killed between writing the file and the row leaves an orphaned file."""
    image = upload_image(as_alice, AVATAR, make_image()).json()["avatar_url"]
    with (
        storage.store_image(make_image(), folder="avatars", owner_id=alice.pk, smaller={64: make_image()}) as orphan,
        storage.store_image(make_image(), folder="avatars", owner_id=10**9) as ownerless,
    ):
        pass
    (tmp_path / "avatars" / "zz").mkdir()
    (tmp_path / "avatars" / "zz" / "half").write_bytes(b"RIFF")
    assert storage.delete_orphans() == 0
    long_ago = (datetime.datetime.now() - datetime.timedelta(days=2)).timestamp()
    for path in tmp_path.rglob("*"):
        os.utime(path, (long_ago, long_ago))
    with storage.store_image(make_image(), folder="avatars", owner_id=alice.pk) as recent:
        pass
    call_command("prune_expired")
    assert {orphan, storage.get_smaller_name(orphan, 64), ownerless}.isdisjoint(stored_files())
    assert {fetch(image.replace(".webp", f"{size}.webp")).status_code for size in ("", "-64", "-256")} == {200}
    assert {f"http://testserver/media/{name}" for name in stored_files()} == {
        image,
        f"http://testserver/media/{recent}",
    }
