import pytest

from accounts.models import User
from tests.accounts.conftest import V1

pytestmark = pytest.mark.django_db
# InnoDB's full-text index sees rows after their commit.
committed = pytest.mark.django_db(transaction=True)

URL = f"{V1}users/"
ROW = {"id", "username", "display_name", "avatar_url", "bio", "joined_at", "reviews_count"}


@pytest.fixture
def client(alice, client_of):
    return client_of(alice)


@pytest.fixture
def search_usernames(client):

    def search(text):
        response = client.get(URL, {"search": text})
        assert response.status_code == 200, response.content
        return {row["username"] for row in response.json()["results"]}

    return search


@pytest.fixture
def readers(make_user):
    make_user("jose_garcia", display_name="José García Márquez")
    make_user("Ana.Souza", display_name="Ana Conceição d'Ávila")
    make_user("fyodor", display_name="Фёдор Достоевский")
    make_user("murakami", display_name="村上春樹")
    make_user("it1", display_name="It The And")
    make_user("closed", display_name="José Closed", is_active=False)
    make_user("a-1", display_name='+ - * ( ) " ~ @ 100%_')


@committed
def test_search_matches_beginnings_of_words(readers, search_usernames):
    for text, names in [
        ("jose", {"jose_garcia"}),
        ("JOSÉ", {"jose_garcia"}),
        ("garcia jose", {"jose_garcia"}),
        ("gar mar", {"jose_garcia"}),
        ("arcia", set()),
        ("jose souza", set()),
        ("Ana.Souza", {"Ana.Souza"}),
        ("souza conceicao", {"Ana.Souza"}),
        ("davila", {"Ana.Souza"}),
        ("avila", {"Ana.Souza"}),
        ("фёд", {"fyodor"}),
        ("ДОСТ фед", {"fyodor"}),
        ("春", {"murakami"}),
        ("it the", {"it1"}),
        ("closed", set()),
        ("a 1", {"a-1"}),
        ("100", {"a-1"}),
        ("%", set()),
        ("_", set()),
        ("+jose*", {"jose_garcia"}),
        ('"jose', {"jose_garcia"}),
        ("jose OR ana", set()),
        ("-jose", {"jose_garcia"}),
        ("(((", set()),
        ("jose' OR 1=1 -- ", set()),
        ("qqjose", set()),
        ("x" * 200, set()),
    ]:
        assert search_usernames(text) == names, text


@committed
def test_search_follows_display_name_changes(client, search_usernames):
    assert search_usernames("alice") == {"alice"}
    assert client.patch(f"{URL}me/", {"display_name": "Rosa Luz"}).status_code == 200
    assert search_usernames("rosa") == search_usernames("alice") == {"alice"}  # the username is searched too
    client.patch(f"{URL}me/", {"display_name": "Clara"})
    assert search_usernames("rosa") == set()
    assert search_usernames("clara") == {"alice"}
    client.patch(f"{URL}me/", {"bio": "about rosa"})
    assert search_usernames("rosa") == set()


def test_list_is_ordered_by_username(client, readers):
    response = client.get(URL)
    rows = response.json()["results"]
    names = ["a-1", "alice", "Ana.Souza", "fyodor", "it1", "jose_garcia", "murakami"]
    assert [row["username"] for row in rows] == names
    assert all(row.keys() == ROW for row in rows)
    assert client.get(f"{URL}?ordering=username").json() == response.json()
    seen, url = [], f"{URL}?page_size=2"
    while url:
        page = client.get(url).json()
        seen += [row["username"] for row in page["results"]]
        url = page["next"]
    assert seen == names


@pytest.mark.parametrize(
    "query", ["search=%20", "search=%E2%80%8B", "search=%00", "search=a&search=b", "ordering=-joined_at",
              "ordering=password", "email=alice@example.org", "is_staff=true", "search=" + "x" * 201,
              "username__startswith=a", "page_size=101"],
)  # fmt: skip
def test_invalid_query_parameters_are_400(client, query):
    response = client.get(f"{URL}?{query}")
    assert (response.status_code, response.json()["code"]) == (400, "invalid_parameter")


@pytest.mark.parametrize("name", ["Ana.Souza", "ana.souza", "ANA.SOUZA"])
def test_profile_by_username_ignores_case(client, readers, name):
    response = client.get(f"{URL}{name}/")
    assert response.status_code == 200
    profile = response.json()
    assert profile.keys() == ROW | {"clubs"}
    assert (profile["username"], profile["clubs"], profile["reviews_count"]) == ("Ana.Souza", [], 0)
    assert "etag" in {name.lower() for name in response.headers}
    assert client.get(f"{URL}{name}").json() == profile


@pytest.mark.parametrize("name", ["closed", "nobody", "%00", "josé_garcia", "x" * 500, "a%2Fb", "%F0%9F%92%A9", "."])
def test_missing_or_deactivated_user_is_404(client, readers, name):
    response = client.get(f"{URL}{name}/")
    assert (response.status_code, response.json()["code"]) == (404, "not_found")


def test_profiles_omit_address_and_permissions(client, make_user):
    make_user("boss", email="boss@example.org", email_verified=True, is_staff=True)
    for path in ("", "boss/"):
        text = client.get(URL + path).content.decode()
        for secret in ("boss@example", "is_staff", "email", "password", "argon", "md5$"):
            assert secret not in text
    assert client.get(URL, {"search": "boss example"}).json()["results"] == []


def test_users_require_authentication(anonymous, alice):
    for path in ("", "alice/", "nobody/", "?nonsense=1"):
        assert anonymous.get(URL + path).status_code == 401


def test_other_methods_are_not_allowed(client):
    for path in (URL, f"{URL}alice/"):
        for method in ("post", "put", "patch", "delete"):
            assert getattr(client, method)(path).status_code == 405
        assert client.head(path).status_code == 200


def test_list_query_count_is_constant(client, django_assert_num_queries):
    for size in (3, 300):
        missing = range(User.objects.count(), size)
        User.objects.bulk_create(
            User(username=f"r{n}", username_key=f"r{n}", display_name="Reader", search_text="qqreader") for n in missing
        )
        # Session with user; the page.
        with django_assert_num_queries(2):
            assert len(client.get(f"{URL}?page_size=100").json()["results"]) == min(size, 100)
        # Also the end of the nearby rows and the matches among them.
        with django_assert_num_queries(4):
            client.get(f"{URL}?page_size=50&search=reader")
    # Session with user; the profile; the public clubs.
    with django_assert_num_queries(3, exact=False):
        client.get(f"{URL}r299/")
