"""Messages follow Accept-Language; codes never change."""

import pytest

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("wanted", ["pt-BR", "pt-br,en;q=0.5", "pt"])
def test_errors_in_portuguese(anonymous, wanted):
    response = anonymous.get("/api/v1/users/me/", headers={"Accept-Language": wanted})
    assert response.json()["code"] == "not_authenticated"
    assert response.json()["title"] == "É preciso entrar"
    assert response["Content-Language"] == "pt-br"


def test_field_error_in_portuguese_has_same_code(anonymous):
    body = {"username": "admin", "password": "um-bom-segredo"}
    response = anonymous.post("/api/v1/auth/register/", body, headers={"Accept-Language": "pt-BR"})
    assert response.json()["errors"] == [{"field": "username", "code": "reserved", "detail": "Este nome é reservado."}]


@pytest.mark.parametrize("wanted", ["en", "de", "", "*", "x" * 5000])
def test_other_languages_fall_back_to_english(anonymous, wanted):
    response = anonymous.get("/api/v1/users/me/", headers={"Accept-Language": wanted})
    assert response.json()["title"] == "Sign-in required"
    assert "Accept-Language" in response["Vary"]


def test_short_password_error_names_the_minimum(anonymous):
    body = {"username": "ana", "password": "curto"}
    response = anonymous.post("/api/v1/auth/register/", body, headers={"Accept-Language": "pt-BR"})
    assert response.json()["errors"][0]["detail"] == "Este campo precisa ter pelo menos 8 caracteres."
