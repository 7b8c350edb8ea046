from concurrent.futures import ThreadPoolExecutor

import jwt
import pytest
from conftest import CREATE, LOGIN, PASSWORD, REGISTER, TASKS, codes
from engines import CONFIG
from passwords import hashing

from graphql_api import clock
from graphql_api.config import Config
from graphql_api.domain.accounts.tokens import Tokens

pytestmark = pytest.mark.core

WHO = "{ viewer { id username } }"


def test_a_registered_user_is_logged_in(api):
    answer = api.graphql(REGISTER, input={"username": "Carla Ruiz", "password": PASSWORD})

    payload = answer["data"]["register"]
    assert payload["user"]["username"] == "Carla Ruiz"
    assert api.graphql(WHO, payload["token"]) == {
        "data": {"viewer": {"id": payload["user"]["id"], "username": "Carla Ruiz"}}
    }


def test_the_old_clients_register_log_in_and_verify(api):
    account = {"username": "old-client", "password": "old client 123"}

    registered = api.rest("POST", "/auth/register", json=account)
    logged_in = api.rest("POST", "/auth/login", json=account)
    verified = api.rest("GET", "/auth/verify", logged_in.json["token"])

    assert (registered.status_code, registered.json["message"]) == (
        201,
        "User registered successfully",
    )
    assert logged_in.status_code == 200
    assert (verified.status_code, verified.json["user_id"]) == (
        200,
        registered.json["user"]["user_id"],
    )


def test_registering_takes_one_transaction_and_logging_in_two_reads(api, calls):
    account = {"username": "counted", "password": PASSWORD}

    api.graphql(REGISTER, input=account)
    api.graphql(LOGIN, input=account)

    assert calls == [
        *["UpdateItem", "TransactWriteItems"],
        *["UpdateItem", "UpdateItem", "GetItem", "GetItem", "PutItem"],
    ]


@pytest.mark.parametrize("name", ["{}", " {} ", "{}\u3000"])
@pytest.mark.parametrize("change", [str.upper, str.title, str.lower])
def test_one_name_belongs_to_one_user_however_it_is_written(api, ann, name, change):
    same = name.format(change(ann.username))

    again = api.graphql(REGISTER, input={"username": same, "password": PASSWORD})
    login = api.graphql(LOGIN, input={"username": same, "password": PASSWORD})
    rest = api.rest("POST", "/auth/register", json={"username": same, "password": PASSWORD})

    assert codes(again) == ["CONFLICT"]
    assert (rest.status_code, rest.json["error"]) == (409, "User already exists")
    assert login["data"]["login"]["user"] == {"id": ann.id, "username": ann.username}


def test_compatibility_forms_are_one_name(api):
    api.graphql(REGISTER, input={"username": "ﬁnn①", "password": PASSWORD})

    again = api.graphql(REGISTER, input={"username": "Finn1", "password": PASSWORD})

    assert codes(again) == ["CONFLICT"]


@pytest.mark.concurrent
def test_of_twenty_simultaneous_registrations_of_one_name_exactly_one_wins(app, api):
    def register(number):
        client = app.test_client()
        account = {"username": "Racer" if number % 2 else "racer", "password": PASSWORD}
        return client.post("/auth/register", json=account)

    with ThreadPoolExecutor(20) as pool:
        answers = list(pool.map(register, range(20)))

    assert sorted(answer.status_code for answer in answers) == [201] + [409] * 19
    [winner] = [answer for answer in answers if answer.status_code == 201]
    account = {"username": "racer", "password": PASSWORD}
    login = api.rest("POST", "/auth/login", json=account)
    assert login.json["user"] == winner.json["user"]


@pytest.mark.engine_is_no_matter
@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("username", "ab"),
        ("username", "  ab  "),
        ("username", "a" * 65),
        ("username", "ann\u0000"),
        ("username", "ann\u202e"),
        ("username", "ann\n2"),
        ("password", "seven77"),
        ("password", "x" * 1025),
        ("password", "é" * 513),
        ("password", "with \u0000 in it"),
    ],
)
def test_an_unfit_name_or_password_is_refused_by_field_before_anything_is_kept(
    api, calls, field, value
):
    account = {"username": "somebody", "password": PASSWORD, field: value}

    graphql = api.graphql(REGISTER, input=account)
    rest = api.rest("POST", "/auth/register", json=account)

    assert [error["extensions"] for error in graphql["errors"]] == [
        {"code": "BAD_USER_INPUT", "field": field}
    ]
    assert (rest.status_code, rest.json["code"], rest.json["field"]) == (
        400,
        "BAD_USER_INPUT",
        field,
    )
    assert calls == []


@pytest.mark.parametrize("password", ["x7 k!2pq", "x" * 1024, "é" * 512, " spaces count "])
def test_a_password_is_used_whole(api, password):
    somebody = api.register("exact", password)

    def attempt(text):
        account = {"username": somebody.username, "password": text}
        return api.rest("POST", "/auth/login", json=account).status_code

    assert attempt(password) == 200
    assert attempt(password[:-1]) == 401
    assert attempt(password[:-1] + "z") == 401


@pytest.mark.parametrize(
    "password",
    ["password1", "Password123", "12345678", "a" * 8, "é" * 64, "SAM Gamgee ", "sam gamgee"],
)
@pytest.mark.parametrize("entry", ["graphql", "rest"])
def test_a_password_that_is_tried_first_is_refused(api, calls, entry, password):
    account = {"username": "Sam Gamgee", "password": password}

    if entry == "graphql":
        [error] = api.graphql(REGISTER, input=account)["errors"]
        refused = {"error": error["message"], **error["extensions"]}
    else:
        refused = api.rest("POST", "/auth/register", json=account).json

    assert (refused["code"], refused["field"]) == ("BAD_USER_INPUT", "password")
    assert refused["error"] == (
        "The password must not be the username."
        if "gam" in password.lower()
        else "This password is too common, choose another one."
    )
    assert calls == []


def test_composed_and_decomposed_letters_are_one_password(api):
    somebody = api.register("normal", "caf\u00e9 au lait")

    login = api.graphql(
        LOGIN, input={"username": somebody.username, "password": "cafe\u0301 au lait"}
    )

    assert login["data"]["login"]["user"]["id"] == somebody.id


def test_a_wrong_password_and_an_unknown_name_get_the_same_bytes(api, ann):
    def attempt(username):
        account = {"username": username, "password": "not the password"}
        graphql = api.post(LOGIN, input=account)
        rest = api.rest("POST", "/auth/login", json=account)
        return graphql.data, rest.status_code, rest.data

    wrong, unknown, impossible = attempt(ann.username), attempt("nobody-at-all"), attempt("?")

    assert wrong == unknown == impossible
    assert b'"UNAUTHENTICATED"' in wrong[0]
    assert wrong[1] == 401


def test_an_unknown_name_costs_as_many_reads_as_a_known_one(api, ann, calls):
    for username in (ann.username, "nobody-at-all"):
        api.graphql(LOGIN, input={"username": username, "password": "not the password"})

    assert calls == ["UpdateItem", "UpdateItem", "GetItem", "GetItem"] * 2


@pytest.mark.engine_is_no_matter
@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"username": "ann"}, "password"),
        ({"password": PASSWORD}, "username"),
        ({"username": "ann", "password": None}, "password"),
        ({"username": ["ann"], "password": PASSWORD}, "username"),
        ({"username": "ann", "password": PASSWORD, "admin": True}, "admin"),
    ],
)
@pytest.mark.parametrize("path", ["/auth/register", "/auth/login"])
def test_a_body_of_another_shape_is_refused_by_field(api, calls, path, body, field):
    answer = api.rest("POST", path, json=body)

    assert (answer.status_code, answer.json["code"], answer.json["field"]) == (
        400,
        "BAD_USER_INPUT",
        field,
    )
    assert answer.content_type.startswith("application/problem+json")
    assert calls == []


def test_a_missing_field_is_named_as_old_clients_know_it(api):
    answer = api.rest("POST", "/auth/login", json={"username": "ann"})

    assert answer.json["error"] == answer.json["message"] == "Missing required field: password"


def test_a_hash_of_other_parameters_is_renewed_at_the_next_login(app, api, ann, calls):
    table = app.extensions["database"].table("Users")
    weaker = hashing("PRE_21_2").hash(PASSWORD)
    item = table.get(user_id=ann.id, item="profile")
    app.extensions["database"].client.put_item(
        TableName="Users", Item={**item, "password": {"S": weaker}}
    )
    calls.clear()

    for _ in range(2):
        login = api.graphql(LOGIN, input={"username": ann.username, "password": PASSWORD})
        assert login["data"]["login"]["user"]["id"] == ann.id

    counted = ["UpdateItem", "UpdateItem", "GetItem", "GetItem"]
    assert calls == [*counted, "PutItem", "PutItem", *counted, "BatchWriteItem", "PutItem"]
    assert table.get(user_id=ann.id, item="profile")["password"]["S"] != weaker


def test_a_password_is_kept_only_as_an_argon2id_hash(app, ann):
    item = app.extensions["database"].table("Users").get(user_id=ann.id, item="profile")

    assert item["password"]["S"].startswith("$argon2id$v=19$")
    assert PASSWORD not in str(item)


def test_production_hashes_with_the_librarys_default_profile():
    hashed = hashing(Config.argon2_profile).hash("x")

    assert hashed.startswith("$argon2id$v=19$m=65536,t=3,p=4$")


# Tokens


def header_of(token):
    return jwt.get_unverified_header(token)


def forged(token, *, key=CONFIG.jwt_secret, headers=None, **claims):
    """The token with other claims (None removes one) or headers, signed with the key."""
    payload = {**jwt.decode(token, options={"verify_signature": False}), **claims}
    payload = {name: value for name, value in payload.items() if value is not None}
    return jwt.encode(payload, key, "HS256", {**header_of(token), **(headers or {})})


def test_a_token_says_who_for_whom_since_when_and_until_when(ann):
    claims = jwt.decode(ann.token, options={"verify_signature": False})

    assert claims.keys() == {"iss", "aud", "sub", "sid", "jti", "iat", "exp"}
    assert claims["sub"] == ann.id
    assert claims["exp"] - claims["iat"] == CONFIG.jwt_ttl
    assert header_of(ann.token)["typ"] == "at+jwt"


@pytest.mark.engine_is_no_matter
@pytest.mark.parametrize(
    "change",
    [
        {"iss": "another"},
        {"iss": None},
        {"aud": "another"},
        {"aud": ["smart-task-scheduler", "another"]},
        {"aud": None},
        {"sub": None},
        {"sub": 1},
        {"sid": None},
        {"sid": 1},
        {"jti": None},
        {"jti": 5},
        {"iat": None},
        {"iat": "1"},
        {"exp": None},
        {"exp": 1},
        {"exp": 1e30},
        {"exp": "9999999999"},
        {"exp": True},
        {"exp": 9_999_999_999},
        {"nbf": 9_999_999_999},
        {"key": b"another key of at least thirty-two bytes"},
        {"headers": {"typ": "JWT"}},
        {"headers": {"typ": "rt+jwt"}},
        {"headers": {"kid": "another"}},
        {"headers": {"kid": "../../etc/passwd"}},
        {"headers": {"crit": ["unknown"], "unknown": 1}},
    ],
    ids=str,
)
def test_a_token_with_anything_else_in_it_is_refused_everywhere(ann, calls, change):
    token = forged(ann.token, **change)

    assert_nobody(ann.api, f"Bearer {token}")
    assert calls == []


@pytest.mark.engine_is_no_matter
@pytest.mark.parametrize(
    "authorization",
    [
        "",
        "Bearer",
        "Bearer ",
        "Basic {token}",
        "Token {token}",
        "{token} {token}",
        "Bearer {token}, Bearer {token}",
        "Bearer {token}x",
        "Bearer {header}.{payload}.",
        "Bearer {header}.{payload}",
        "Bearer " + "x" * 7000,
        "Bearer a.b.c",
        "Bearer eyJhbGciOiJub25lIn0.e30.",
    ],
)
def test_a_header_that_holds_no_token_of_ours_is_refused_everywhere(ann, calls, authorization):
    header, payload, _ = ann.token.split(".")

    assert_nobody(ann.api, authorization.format(token=ann.token, header=header, payload=payload))
    assert calls == []


ABSENT = "Authentication is required."
MALFORMED_HEADER = "The Authorization header must be 'Bearer <token>'."
UNREADABLE = "The token cannot be read: it is incomplete or malformed."
INVALID = "The token is invalid."


@pytest.mark.engine_is_no_matter
@pytest.mark.parametrize(
    ("authorization", "message"),
    [
        ("", ABSENT),
        ("Bearer", MALFORMED_HEADER),
        ("bearer ", MALFORMED_HEADER),
        ("Bearer Bearer", MALFORMED_HEADER),
        ("Basic {token}", MALFORMED_HEADER),
        ("{token} {token}", MALFORMED_HEADER),
        ("Bearer {token}, Bearer {token}", MALFORMED_HEADER),
        ("Bearer abc", UNREADABLE),
        ("abc", UNREADABLE),
        ("Bearer {header}", UNREADABLE),
        ("Bearer {header}.{payload}", UNREADABLE),
        ("Bearer {header}.{payload}.", UNREADABLE),
        ("Bearer {token}=", UNREADABLE),
        ("Bearer " + "x" * 7000, UNREADABLE),
        ("Bearer a.b.c", INVALID),
        ("Bearer {token}x", INVALID),
    ],
)
def test_a_client_is_told_whether_the_header_or_the_token_is_wrong(ann, authorization, message):
    header, payload, _ = ann.token.split(".")
    headers = {
        "Authorization": authorization.format(token=ann.token, header=header, payload=payload)
    }

    graphql = ann.api.client.post("/graphql", json={"query": WHO}, headers=headers)
    rest = ann.api.rest("GET", "/auth/verify", headers=headers)

    assert [error["message"] for error in graphql.json["errors"]] == [message]
    assert (rest.status_code, rest.json["error"]) == (401, message)


@pytest.mark.parametrize("authorization", ["Bearer {}", "bearer {}", "BEARER  {}", "{}"])
def test_the_scheme_is_read_in_any_case_and_may_be_left_out(ann, authorization):
    headers = {"Authorization": authorization.format(ann.token)}

    assert ann.api.rest("GET", "/auth/verify", headers=headers).json["user_id"] == ann.id


def test_a_token_anywhere_but_in_the_header_does_not_count(ann):
    ann.api.client.set_cookie("Authorization", f"Bearer {ann.token}")
    ann.api.client.set_cookie("token", ann.token)

    answer = ann.api.rest("GET", f"/auth/verify?token={ann.token}&access_token={ann.token}")

    assert answer.status_code == 401


def test_a_token_of_the_previous_secret_is_still_good_and_no_longer_issued(ann):
    new = b"the new secret, also of 32 bytes and more"
    rotated = Tokens([new, CONFIG.jwt_secret], ttl=3600)
    only_new = Tokens([new], ttl=3600)

    assert rotated.verify(ann.token).user_id == ann.id
    assert only_new.verify(rotated.issue(ann.id, "s", clock.now()).token).user_id == ann.id


def assert_nobody(api, authorization):
    """With this header nobody is asking, whichever way, and nothing is done."""
    headers = {"Authorization": authorization}
    for query, variables in ((WHO, {}), (TASKS, {}), (CREATE, {"input": {"title": "No"}})):
        body = {"query": query, "variables": variables}
        answer = api.client.post("/graphql", json=body, headers=headers)
        assert codes(answer.json) == ["UNAUTHENTICATED"]
        assert answer.json["data"] is None
    for method, path in (
        ("GET", "/auth/verify"),
        ("GET", "/api/v1/tasks"),
        ("POST", "/api/v1/tasks"),
        ("GET", "/api/v1/tasks/x"),
        ("PUT", "/api/v1/tasks/x"),
        ("PATCH", "/api/v1/tasks/x"),
        ("DELETE", "/api/v1/tasks/x"),
    ):
        answer = api.rest(method, path, headers=headers)
        assert (answer.status_code, answer.json["code"]) == (401, "UNAUTHENTICATED")
        assert answer.headers["WWW-Authenticate"] == "Bearer"


def test_checking_nobodys_password_is_the_same_work_as_checking_somebodys(monkeypatch):
    passwords = hashing()
    checked = []
    verify = passwords._hasher.verify

    def noted(hashed, password):
        checked.append(hashed.rsplit("$", 2)[0])
        return verify(hashed, password)

    monkeypatch.setattr(type(passwords._hasher), "verify", lambda _, *given: noted(*given))

    assert not passwords.verify(None, "x")
    assert not passwords.verify(passwords.hash("y"), "x")
    assert len(checked) == 2
    assert checked[0] == checked[1]  # the same algorithm with the same costs
