"""Portuguese messages that replace wrong translations of DRF."""

import pytest
from django.utils.translation import gettext, override

from core.api.drf_messages import OVERRIDDEN_MESSAGES

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("title", "detail"),
    [("", "Este campo não pode ficar em branco."), (None, "Este campo não pode ser nulo.")],
)
def test_drf_messages_are_translated_correctly(client_of, alice, title, detail):
    response = client_of(alice).post(
        "/api/v1/books/", {"title": title, "author": "A"}, headers={"Accept-Language": "pt-BR"}
    )
    assert [error["detail"] for error in response.json()["errors"]] == [detail]


def test_listed_messages_have_own_translations():
    with override("pt-br"):
        assert not [
            said
            for said in map(gettext, OVERRIDDEN_MESSAGES)
            if any(slip in said for slip in ("pode não", "Certif", "vázio", "suprimido", "diponível"))
        ]


@pytest.mark.parametrize(("language", "detail"), [("en", "No data provided"), ("pt-BR", "Nenhum dado foi enviado.")])
def test_null_body_message_is_translated(client_of, alice, language, detail):
    response = client_of(alice).post(
        "/api/v1/clubs/", "null", content_type="application/json", headers={"Accept-Language": language}
    )
    assert response.status_code == 400
    assert [error["detail"] for error in response.json()["errors"]] == [detail]
