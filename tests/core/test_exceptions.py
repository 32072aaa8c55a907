"""Errors below /api/ are RFC 9457 problems."""

import json

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import override_settings
from django.utils.translation import gettext_lazy

from core.api import exceptions
from core.api.exceptions import problem_document

pytestmark = [pytest.mark.django_db, pytest.mark.urls("tests.core.views_for_tests")]


def test_unparsable_json_is_400(anonymous, problem):
    response = anonymous.post("/api/v1/auth/login/", '{\n"a": }', content_type="application/json")
    assert problem(response, 400, "parse_error")["detail"] == "The body is not JSON: line 2, column 6."


@pytest.mark.parametrize("body", ["{", '{"a": NaN}', b"\xff"])
def test_parse_errors_are_translated(anonymous, problem, body):
    portuguese = {"content_type": "application/json", "headers": {"Accept-Language": "pt-BR"}}
    response = anonymous.post("/api/v1/auth/login/", body, **portuguese)
    assert problem(response, 400, "parse_error")["detail"].startswith("O corpo não é JSON")


@pytest.mark.parametrize("host", ["evil.example", "a b", "x:y:z"])
def test_host_that_is_not_allowed_is_400(anonymous, problem, host):
    problem(anonymous.get("/api/v1/", HTTP_HOST=host), 400, "bad_request")


def test_missing_token_is_401_with_www_authenticate(anonymous, problem):
    response = anonymous.get("/api/v1/users/me/")
    problem(response, 401, "not_authenticated")
    assert response["WWW-Authenticate"] == "Bearer"


@pytest.mark.parametrize("header", ["Bearer nonsense", "Bearer", "Bearer a b", "Bearer \xff", "Bearer " + "a" * 5000])
def test_invalid_token_is_401_with_www_authenticate(anonymous, problem, header):
    response = anonymous.get("/api/v1/users/me/", HTTP_AUTHORIZATION=header)
    problem(response, 401)
    assert response["WWW-Authenticate"] == "Bearer"


def test_wrong_credentials_are_401_with_www_authenticate(anonymous, problem, alice):
    response = anonymous.post("/api/v1/auth/login/", {"username": "alice", "password": "wrong"})
    problem(response, 401, "invalid_credentials")
    assert response["WWW-Authenticate"] == "Bearer"


def test_django_permission_denied_is_403_without_its_message(anonymous, problem):
    problem(anonymous.get("/api/v1/probe/refused/"), 403, "permission_denied")


@pytest.mark.parametrize("path", ["/api/", "/api/v1/nothing/", "/api/v1/nothing", "/api/v1/auth/login/x/", "/api/v2/"])
@pytest.mark.parametrize("method", ["get", "post", "put", "patch", "delete", "head", "options"])
def test_unknown_route_is_404(anonymous, problem, path, method):
    response = getattr(anonymous, method)(path)
    assert response.status_code == 404
    if method != "head":
        problem(response, 404, "not_found")


@override_settings(DEBUG=True)
def test_unknown_route_is_a_problem_in_development_too(anonymous, problem):
    problem(anonymous.get("/api/v1/nothing/", HTTP_ACCEPT="text/html"), 404, "not_found")


def test_missing_row_and_unknown_route_have_equal_responses(client_of, alice):
    def body(path: str) -> dict[str, str]:
        return json.loads(client_of(alice).get(path).content) | {"request_id": ""}

    assert body("/api/v1/users/nobody/") == body("/api/v1/nothing/")
    assert body("/api/v1/users/nobody/") == body("/api/v1/probe/rows/9999/")


@pytest.mark.parametrize("number", ["0", "99999999999999999999999", "9" * 5000, "١"])
def test_impossible_ids_are_404(client_of, alice, problem, number):
    problem(client_of(alice).delete(f"/api/v1/auth/sessions/{number}/"), 404, "not_found")


@pytest.mark.parametrize("method", ["get", "put", "patch", "delete", "head"])
def test_other_method_is_405_with_allow(anonymous, problem, method):
    response = getattr(anonymous, method)("/api/v1/auth/login/")
    assert response.status_code == 405
    assert {word.strip() for word in response["Allow"].split(",")} == {"POST", "OPTIONS"}
    if method != "head":
        problem(response, 405, "method_not_allowed")


def test_unknown_method_is_405(anonymous, problem):
    problem(anonymous.generic("BREW", "/api/v1/auth/login/"), 405, "method_not_allowed")


def test_accept_without_json_is_406(anonymous, problem):
    problem(anonymous.get("/api/v1/", HTTP_ACCEPT="application/xml"), 406, "not_acceptable")
    assert anonymous.get("/api/v1/", HTTP_ACCEPT="application/problem+json, application/json").status_code == 200


def test_integrity_error_is_409_without_its_message(anonymous, problem):
    problem(anonymous.get("/api/v1/probe/race/"), 409, "conflict")


def test_body_over_the_limit_is_413(anonymous, problem):
    def send(size: int):
        return anonymous.post("/api/v1/auth/login/", b" " * (size - 2) + b"{}", content_type="application/json")

    response = send(1_000_001)
    problem(response, 413, "too_large")
    problem(send(1_000_000), 400, "invalid")


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"])
def test_other_content_type_is_415(anonymous, problem, kind):
    problem(anonymous.post("/api/v1/auth/login/", b"username=a", content_type=kind), 415, "unsupported_media_type")


def test_file_over_the_upload_limit_is_413(anonymous, problem):
    def send(size: int):
        body = {"file": SimpleUploadedFile("a.png", b"x" * size)}
        return anonymous.put("/api/v1/probe/upload/", body, format="multipart")

    assert send(5_000_000).json() == {"bytes": 5_000_000}
    problem(send(5_100_001), 413, "too_large")


def test_exceeded_rate_is_429_with_retry_after(anonymous, problem, rate):
    rate("register", 1)
    assert anonymous.get("/api/v1/probe/limited/").status_code == 200
    response = anonymous.get("/api/v1/probe/limited/")
    problem(response, 429, "throttled")
    assert 1 <= int(response["Retry-After"]) <= 60


@pytest.mark.parametrize("path", ["boom/", "bare/boom/"])
def test_unexpected_error_is_500_without_details(lenient, problem, path):
    problem(lenient.get(f"/api/v1/probe/{path}"), 500, "server_error")


@pytest.mark.parametrize("path", ["down/", "bare/down/"])
def test_database_down_is_503_with_retry_after(lenient, problem, path):
    response = lenient.get(f"/api/v1/probe/{path}")
    problem(response, 503, "unavailable")
    assert int(response["Retry-After"]) >= 1


def test_other_error_becomes_a_problem_with_its_headers(anonymous, problem):
    response = anonymous.get("/api/v1/probe/bare/gone/")
    problem(response, 410)
    assert response["X-Kept"] == "yes"
    assert int(response["Content-Length"]) == len(response.content)


def test_failed_precondition_of_a_read_is_a_problem(client_of, alice, problem):
    problem(client_of(alice).get("/api/v1/users/me/", HTTP_IF_MATCH='"other"'), 412, "precondition_failed")


def test_invalid_fields_are_a_flat_list_with_paths(anonymous, problem):
    response = anonymous.post("/api/v1/probe/echo/", {"lines": [{"isbn": "1"}, {}, 7, {"isbn": "1" * 14}], "kind": "z"})
    found = problem(response, 400, "invalid")["errors"]
    assert [(error["field"], error["code"]) for error in found] == [
        ("lines.1.isbn", "required"),
        ("lines.2.non_field_errors", "invalid"),
        ("lines.3.isbn", "max_length"),
        ("kind", "invalid_choice"),
    ]
    response = anonymous.post("/api/v1/probe/nested/")
    found = problem(response, 400, "invalid")["errors"]
    assert found == [{"field": "a.b.0", "code": "too_odd", "detail": "Odd."}]


@pytest.mark.parametrize("body", ["null", "[]", "[1]", "7", '"text"', "true", ""])
def test_json_that_is_not_an_object_is_400(anonymous, problem, body):
    for path in ("/api/v1/auth/login/", "/api/v1/auth/register/", "/api/v1/auth/refresh/", "/api/v1/probe/echo/"):
        problem(anonymous.post(path, body, content_type="application/json"), 400, "invalid")


@pytest.mark.parametrize(
    "body",
    [
        b"[" * 5000,
        b"[" * 5000 + b"]" * 5000,
        b'{"a":' * 100_000,
        b'{"username": "\xff\xfe"}',
        b'{"username": NaN}',
        b'{"username": Infinity}',
        b'{"n": ' + b"9" * 5000 + b"}",
        '{"username": "a"}'.encode("utf-16"),
        b"\xef\xbb\xbf{}",
        b"{'a': 1}",
    ],
    ids=["open", "deep", "deeper", "not utf-8", "nan", "infinity", "long number", "utf-16", "bom", "python"],
)
def test_invalid_json_is_400(anonymous, problem, body):
    for path in ("/api/v1/auth/login/", "/api/v1/probe/echo/"):
        document = problem(anonymous.post(path, body, content_type="application/json"), 400)
        # The maximum depth depends on the interpreter; what it can parse is a list, not an object.
        assert document["code"] == "parse_error" or body.startswith(b"[[")


@pytest.mark.parametrize("charset", ["latin1", "utf-16", "bz2_codec", "rot13", "nonsense", "utf-8"])
def test_json_is_utf_8_whatever_the_charset(anonymous, charset):
    body = {"lines": [{"isbn": "ção"}]}
    kind = f"application/json; charset={charset}"
    response = anonymous.post("/api/v1/probe/echo/", json.dumps(body, ensure_ascii=False).encode(), content_type=kind)
    assert response.json() == body


@pytest.mark.parametrize("text", ["a\x00b", "\ud800", "a\udfffb"])
def test_nul_and_lone_surrogates_are_400(anonymous, client_of, alice, problem, text):
    me = client_of(alice)
    for field in ("display_name", "bio", "language", "timezone"):
        problem(
            me.patch("/api/v1/users/me/", json.dumps({field: text}), content_type="application/json"), 400, "invalid"
        )
    for field in ("username", "password", "email", "device"):
        body = {"username": "someone", "password": "um-bom-segredo-7"} | {field: text}
        response = anonymous.post("/api/v1/auth/register/", json.dumps(body), content_type="application/json")
        assert response.status_code == 400, field
        problem(response, 400, "invalid")
    body = {"lines": [{"isbn": text}], "kind": text, text: text}
    problem(anonymous.post("/api/v1/probe/echo/", json.dumps(body), content_type="application/json"), 400, "invalid")


def test_invalid_text_in_the_path_is_404(client_of, alice):
    for name in ("%00", "%ff%fe", "a%00b", "%ED%A0%80", "a" * 3000):
        assert client_of(alice).get(f"/api/v1/users/{name}/").status_code == 404


def test_messages_are_translated_and_codes_are_not(anonymous):
    def refused(language: str) -> dict[str, str]:
        response = anonymous.post("/api/v1/auth/login/", {}, HTTP_ACCEPT_LANGUAGE=language)
        assert "Accept-Language" in response["Vary"]
        return response.json()["errors"][0]

    english, portuguese = refused("en"), refused("pt-BR,pt;q=0.9")
    assert english == {"field": "username", "code": "required", "detail": "This field is required."}
    assert portuguese == {"field": "username", "code": "required", "detail": "Este campo é obrigatório."}
    assert refused("pt") == refused("pt-br") == portuguese
    assert refused("de") == refused("x" * 4000) == refused("") == english


def test_titles_are_translated(anonymous, monkeypatch):
    # A message of Django stands in for ours; the responses of middleware are translated too.
    monkeypatch.setattr(exceptions, "TITLES", dict.fromkeys(exceptions.TITLES, gettext_lazy("Yes")))
    monkeypatch.setattr(exceptions, "DETAILS", dict.fromkeys(exceptions.DETAILS, gettext_lazy("No")))
    speak = {"HTTP_ACCEPT_LANGUAGE": "pt-BR"}
    large = anonymous.post("/api/v1/auth/login/", b" " * 1_000_001, content_type="application/json", **speak)
    for response in (
        anonymous.get("/api/v1/nothing/", **speak),
        anonymous.get("/api/v1/", HTTP_HOST="x.example", **speak),
        large,
    ):
        assert response.json()["title"] == "Sim"
        assert response.json()["detail"] == "Não"


def test_too_many_parameters_are_400(anonymous, problem):
    problem(anonymous.get("/api/v1/?" + "&".join(f"a{n}=1" for n in range(1100))), 400)


def test_status_without_a_title_uses_the_standard_phrase():
    assert problem_document(418, "teapot")["title"] == "I'm a Teapot"
