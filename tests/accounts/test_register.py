"""Opening an account."""

import pytest

from accounts.models import User

pytestmark = pytest.mark.django_db

URL = "/api/v1/auth/register/"
GOOD = {"username": "Ana.Souza", "password": "um-bom-segredo-7"}


def test_a_new_reader_gets_the_own_user_object_and_is_signed_in(anonymous):
    answer = anonymous.post(URL, GOOD | {"email": "ana@example.org", "language": "pt-br", "timezone": "America/Bahia"})
    assert answer.status_code == 201
    own = answer.json()
    assert own["access"] == own["access_token"]
    assert own["refresh"]
    assert {k: own[k] for k in own if k not in ("id", "joined_at", "access", "access_token", "refresh")} == {
        "username": "Ana.Souza",
        "email": "ana@example.org",
        "email_verified": False,
        "display_name": "Ana.Souza",
        "bio": "",
        "language": "pt-BR",
        "timezone": "America/Bahia",
        "is_staff": False,
        "avatar_url": None,
    }
    assert own["joined_at"].endswith("Z")
    anonymous.credentials(HTTP_AUTHORIZATION=f"Bearer {own['access']}")
    assert anonymous.get("/api/v1/users/me/").json()["id"] == own["id"]
