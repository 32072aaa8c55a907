"""Messages follow Accept-Language; codes never change."""

import pytest

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("wanted", ["pt-BR", "pt-br,en;q=0.5", "pt"])
def test_a_brazilian_reads_errors_in_portuguese(anonymous, wanted):
    answer = anonymous.get("/api/v1/users/me/", headers={"Accept-Language": wanted})
    assert answer.json()["code"] == "not_authenticated"
    assert answer.json()["title"] == "É preciso entrar"
    assert answer["Content-Language"] == "pt-br"


def test_a_field_is_refused_in_portuguese_with_the_same_code(anonymous):
    body = {"username": "admin", "password": "um-bom-segredo"}
    answer = anonymous.post("/api/v1/auth/register/", body, headers={"Accept-Language": "pt-BR"})
    assert answer.json()["errors"] == [{"field": "username", "code": "reserved", "detail": "Este nome é reservado."}]


@pytest.mark.parametrize("wanted", ["en", "de", "", "*", "x" * 5000])
def test_everybody_else_reads_english(anonymous, wanted):
    answer = anonymous.get("/api/v1/users/me/", headers={"Accept-Language": wanted})
    assert answer.json()["title"] == "Sign-in required"
    assert "Accept-Language" in answer["Vary"]


def test_a_short_password_is_told_how_long_it_must_be(anonymous):
    body = {"username": "ana", "password": "curto"}
    answer = anonymous.post("/api/v1/auth/register/", body, headers={"Accept-Language": "pt-BR"})
    assert answer.json()["errors"][0]["detail"] == "Pelo menos 8 caracteres."
