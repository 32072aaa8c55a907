"""The OpenAPI document as the developer of a client needs it."""

from collections.abc import Iterator
from typing import Any

import pytest
from drf_spectacular.generators import SchemaGenerator
from jsonschema import Draft202012Validator, validate

from catalog.models import Book


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    return SchemaGenerator().get_schema(request=None, public=True)


def operations(document: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            yield path, method, operation


def headers(operation: dict[str, Any]) -> set[str]:
    return {p["name"] for p in operation.get("parameters", []) if p["in"] == "header"}


def test_summaries_are_unique_within_a_path(document):
    for path in document["paths"].values():
        summaries = [operation.get("summary") for operation in path.values()]
        assert all(summaries)
        assert len(set(summaries)) == len(summaries)
    assert document["paths"]["/api/v1/auth/register/"]["post"]["summary"] == "Open an account and sign in"


def test_ids_are_integers(document):
    for path, method, operation in operations(document):
        for parameter in operation.get("parameters", []):
            if parameter["in"] == "path" and parameter["name"].endswith(("id", "pk")):
                assert parameter["schema"]["type"] == "integer", (path, method)


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
    for schema, field in (("CurrentUser", "email"), ("BookList", "language"), ("Edition", "language")):
        assert {"type": "string", "maxLength": 0} in schemas[schema]["properties"][field]["anyOf"]


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
        if "properties" in schema and not name.endswith("Request") and name != "Problem":
            assert set(schema["required"]) == set(schema["properties"]), name


def test_only_account_deletion_has_a_delete_body(document):
    told = {
        path: o["requestBody"] for path, method, o in operations(document) if "requestBody" in o and method == "delete"
    }
    assert set(told) == {"/api/v1/users/me/"}
    assert told["/api/v1/users/me/"] == {
        "required": True,
        "content": {"application/json": {"schema": {"$ref": "#/components/schemas/AccountDeletionRequest"}}},
    }


def test_every_error_is_a_problem(document):
    for path, method, operation in operations(document):
        for status, response in operation["responses"].items():
            if status >= "400":
                shared = response.get("$ref", "").rpartition("/")[2]
                content = (document["components"]["responses"][shared] if shared else response)["content"]
                assert set(content) == {"application/problem+json"}, (path, method, status)
