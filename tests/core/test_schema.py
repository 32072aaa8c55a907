"""The OpenAPI document as the developer of a client needs it."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from drf_spectacular.generators import SchemaGenerator
from jsonschema import Draft202012Validator, ValidationError, validate

from catalog.models import Book
from core.api.openapi import render_document


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    return SchemaGenerator().get_schema(request=None, public=True)


def operations(document: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            yield path, method, operation


def headers(operation: dict[str, Any]) -> set[str]:
    return {p["name"] for p in operation.get("parameters", []) if p.get("in") == "header"}


def schemas(node: Any) -> Iterator[dict[str, Any]]:
    """Yield all schemas that have a type, of the whole document."""
    if isinstance(node, dict):
        if isinstance(node.get("type"), str | list):
            yield node
        node = [child for key, child in node.items() if key != "examples"]
    for child in node if isinstance(node, list) else ():
        yield from schemas(child)


def test_schema_view_builds_the_document_once(document, anonymous, monkeypatch):
    render_document.cache_clear()
    first = anonymous.get("/api/v1/schema/?format=json")
    monkeypatch.setattr(SchemaGenerator, "get_schema", None)
    assert anonymous.get("/api/v1/schema/?format=json").content == first.content
    assert json.loads(first.content)["paths"].keys() == document["paths"].keys()


def test_schema_view_has_one_document_per_language(anonymous):
    english, portuguese = (
        anonymous.get("/api/v1/schema/?format=json", HTTP_ACCEPT_LANGUAGE=tag) for tag in ("en", "pt-BR")
    )
    assert (english["Content-Language"], portuguese["Content-Language"]) == ("en", "pt-br")
    assert english["ETag"] != portuguese["ETag"]


def test_summaries_are_unique_within_a_path(document):
    for path in document["paths"].values():
        summaries = [operation.get("summary") for operation in path.values()]
        assert all(summaries)
        assert len(set(summaries)) == len(summaries)
    assert document["paths"]["/api/v1/auth/register/"]["post"]["summary"] == "Create an account and sign in"


def test_ids_are_integers(document):
    for path, method, operation in operations(document):
        for parameter in operation.get("parameters", []):
            if parameter.get("in") == "path" and parameter["name"].endswith("id"):
                assert parameter["schema"] == {"type": "integer", "format": "int64"}, (path, method)
    components = document["components"]["schemas"]
    for name, schema in components.items():
        for field, described in schema.get("properties", {}).items():
            if field == "id" or (field.endswith("_id") and field != "request_id"):
                assert described["format"] == "int64", (name, field)
    assert components["Entry"]["properties"]["position"]["format"] == "int32"
    assert components["BallotCreateRequest"]["properties"]["candidates"]["items"]["format"] == "int64"


def test_numbers_have_one_format_each(document):
    formats = {(kind, schema.get("format")) for schema in schemas(document) for kind in types(schema)}
    assert {(kind, form) for kind, form in formats if kind in ("integer", "number")} == {
        ("integer", "int32"),
        ("integer", "int64"),
        ("number", "double"),
    }


def types(schema: dict[str, Any]) -> list[str]:
    kinds: str | list[str] = schema["type"]
    return [kinds] if isinstance(kinds, str) else kinds


def test_no_schema_makes_a_generator_choose_or_guess(document):
    """A union is only that of a component with null; every object has properties or says what it maps to."""
    unions = [node for node in nodes(document) if {"anyOf", "oneOf"} & node.keys()]
    assert len(unions) >= 20
    for node in unions:
        reference, null = node.get("anyOf") or node["oneOf"]
        assert (list(reference), null) == (["$ref"], {"type": "null"})
    for schema in schemas(document):
        if "object" in types(schema):
            assert "properties" in schema or "additionalProperties" in schema


def nodes(node: Any) -> Iterator[dict[str, Any]]:
    if isinstance(node, dict):
        yield node
        node = [child for key, child in node.items() if key != "examples"]
    for child in node if isinstance(node, list) else ():
        yield from nodes(child)


def test_booleans_in_the_query_are_booleans(document):
    parameters = {
        parameter["name"]: parameter["schema"]
        for _path, _method, operation in operations(document)
        for parameter in operation["parameters"]
        if parameter.get("in") == "query"
    }
    assert parameters["mine"] == {"type": "boolean"}
    assert parameters["unread"] == {"type": "boolean"}
    assert not [name for name, schema in parameters.items() if set(schema.get("enum", ())) == {"true", "false"}]


def test_open_operations_have_no_security(document):
    security = {f"{method} {path}": o["security"] for path, method, o in operations(document)}
    assert security["post /api/v1/auth/login/"] == security["post /api/v1/auth/register/"] == []
    assert security["get /api/v1/books/"] == [{"bearer": []}, {}]
    assert security["post /api/v1/clubs/"] == [{"bearer": []}]
    # Its token is in the URL.
    assert security["get /api/v1/users/me/calendar.ics"] == []


def test_common_headers_are_declared(document):
    declared = document["components"]["parameters"]
    assert {p["name"] for p in declared.values()} == {"Accept-Language", "X-Request-ID", "If-None-Match"}
    for path, method, operation in operations(document):
        common = {p["$ref"].rpartition("/")[2] for p in operation["parameters"] if "$ref" in p}
        assert common == {"AcceptLanguage", "RequestId"} | ({"IfNoneMatch"} if method == "get" else set()), path


def test_document_says_where_and_under_what_license(document):
    assert document["servers"][0]["url"] == "/"
    assert document["info"]["license"] == {"name": "BSD-3-Clause", "identifier": "BSD-3-Clause"}
    assert all(tag["description"] for tag in document["tags"])


def test_retry_headers_are_documented(document):
    paths = document["paths"]
    assert headers(paths["/api/v1/books/"]["post"]) == {"Idempotency-Key"}
    assert headers(paths["/api/v1/auth/login/"]["post"]) == set()
    for method in ("put", "patch", "delete"):
        assert headers(paths["/api/v1/books/{book_id}/"][method]) == {"If-Match"}
    assert headers(paths["/api/v1/users/me/"]["patch"]) == {"If-Match"}
    assert headers(paths["/api/v1/books/{book_id}/"]["get"]) == set()


def test_optional_texts_may_be_empty(document):
    schemas = document["components"]["schemas"]
    for schema, field, text in (
        ("CurrentUser", "email", "ana@example.org"),
        ("BookList", "language", "pt-BR"),
        ("Edition", "language", "en"),
    ):
        described = schemas[schema]["properties"][field]
        assert described["type"] == "string"
        for allowed in ("", text):
            validate(allowed, described, Draft202012Validator)
        with pytest.raises(ValidationError):
            validate("!", described, Draft202012Validator)


@pytest.mark.django_db
def test_response_matches_the_schema(document, client_of, bob):
    """Bob has no e-mail address: an empty text must be valid even without format validation."""
    assert bob.email == ""
    own = {"$ref": "#/components/schemas/CurrentUser", "components": document["components"]}
    validate(client_of(bob).get("/api/v1/users/me/").json(), own, Draft202012Validator)


@pytest.mark.django_db
def test_book_without_authors_matches_the_schema(document, client_of, alice):
    """The book provider has books without authors; a request must name one."""
    book = Book.create_book(by=alice, title="Beowulf", authors=[])
    response = client_of(alice).get(f"/api/v1/books/{book.pk}/").json()
    assert response["authors"] == []
    validate(
        response, {"$ref": "#/components/schemas/Book", "components": document["components"]}, Draft202012Validator
    )
    assert document["components"]["schemas"]["BookRequest"]["properties"]["authors"]["minItems"] == 1


def test_response_fields_are_required(document):
    """So that a generated client has no optional fields in responses; requests need fewer."""
    schemas = document["components"]["schemas"]
    assert schemas["ClubRequest"]["required"] == ["name"]
    for name, schema in schemas.items():
        if (
            "properties" in schema
            and not name.endswith("Request")
            and name not in ("ExportedBookChanges", "Problem", "Vote")
        ):
            assert set(schema["required"]) == set(schema["properties"]), name


def test_only_account_deletion_has_a_delete_body(document):
    told = {
        path: o["requestBody"] for path, method, o in operations(document) if "requestBody" in o and method == "delete"
    }
    assert set(told) == {"/api/v1/users/me/"}
    [(media_type, content)] = told["/api/v1/users/me/"]["content"].items()
    assert told["/api/v1/users/me/"]["required"] is True
    assert (media_type, content["schema"]) == (
        "application/json",
        {"$ref": "#/components/schemas/AccountDeletionRequest"},
    )


def test_every_error_is_a_problem(document):
    for path, method, operation in operations(document):
        for status, response in operation["responses"].items():
            if status >= "400":
                shared = response.get("$ref", "").rpartition("/")[2]
                content = (document["components"]["responses"][shared] if shared else response)["content"]
                assert set(content) == {"application/problem+json"}, (path, method, status)


def test_orderings_have_identifiers_for_generators(document):
    """`name` is no entry of a Kotlin enum, and a default would be referred to by the name without these."""
    orderings = [
        parameter["schema"]
        for path in document["paths"].values()
        for operation in path.values()
        for parameter in operation.get("parameters", [])
        if parameter.get("name") == "ordering"
    ]
    assert len(orderings) > 10
    for schema in orderings:
        names = schema["x-enum-varnames"]
        assert len(set(names)) == len(schema["enum"])
        assert all(name.isidentifier() and name.endswith(("_ascending", "_descending")) for name in names)
        assert "default" not in schema


def test_every_object_has_a_type(document):
    """Client generators have no type for others, so an app would have to cast."""
    assert [node for node in nodes(document) if node.get("additionalProperties") in ({}, True)] == []
