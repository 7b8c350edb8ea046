"""Attacks of docs/attack-matrix.md that have no other place: refused, and nothing is changed."""

import json
import re
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
from conftest import CREATE, LOGIN, PASSWORD, REGISTER, TASKS, UPDATE, Api, codes
from engines import CONFIG
from graphql import GraphQLObjectType, build_schema, get_named_type

from graphql_api import create_app
from graphql_api.api.graphql.schema import SCHEMA
from graphql_api.domain.accounts.passwords import Passwords

pytestmark = pytest.mark.thorough

JSON = "application/json"
REFRESH = "mutation ($input: RefreshTokenInput!) { refreshToken(input: $input) { refreshToken } }"
CHANGE = "mutation ($input: ChangePasswordInput!) { changePassword(input: $input) { token } }"
CORE = build_schema(SCHEMA.as_str())


@pytest.fixture
def hashed(monkeypatch) -> list[str]:
    """What is hashed or verified during the test."""
    done: list[str] = []
    for name in ("hash", "verify"):
        monkeypatch.setattr(Passwords, name, lambda *given: done.append(given[-1]))
    return done


# Accounts


@pytest.mark.engine_is_no_matter
@pytest.mark.parametrize("fragment", [False, True])
def test_many_logins_in_one_request_are_no_guess_at_all(ann, calls, hashed, fragment):
    guess = f'login(input: {{ username: "{ann.username}", password: "guess*" }}) {{ token }}'
    if fragment:
        query = f"mutation {{ ...F ...F }} fragment F on Mutation {{ {guess} }}"
    else:
        query = "mutation {" + " ".join(f"a{n}: " + guess for n in range(15)) + "}"
    calls.clear()

    answer = ann.api.graphql(query)

    assert codes(answer) == ["QUERY_TOO_COMPLEX"]
    assert (calls, hashed) == ([], [])


@pytest.mark.engine_is_no_matter
@pytest.mark.parametrize("length", [1_025, 60_000, 1_000_000])
def test_a_password_too_long_is_refused_before_it_is_hashed(ann, calls, hashed, length):
    account = {"username": ann.username, "password": "x" * length}
    calls.clear()

    answers = [ann.api.post(query, input=account) for query in (LOGIN, REGISTER)]
    rest = [ann.api.rest("POST", f"/auth/{way}", json=account) for way in ("login", "register")]

    status = 413 if length > 64 * 1024 else 400
    assert [set(codes(answer.json)) for answer in answers] == [{"BAD_USER_INPUT"}] * 2
    assert [answer.status_code for answer in rest] == [status] * 2
    assert (calls, hashed) == ([], [])


@pytest.mark.engine_is_no_matter
@pytest.mark.parametrize("field", ["username", "password"])
@pytest.mark.parametrize("text", ["lonely \\ud800", "lonely \\udfff end", "\\udc00\\ud800 order"])
def test_a_lone_surrogate_is_refused(ann, calls, hashed, field, text):
    account = {"username": "somebody", "password": PASSWORD, field: text}
    written = json.dumps(account).replace("\\\\", "\\")
    document = "mutation { login(input: " + re.sub(r'"(\w+)":', r"\1:", written) + ") { token } }"
    variables = f'{{"query": {json.dumps(LOGIN)}, "variables": {{"input": {written}}}}}'
    calls.clear()

    answers = [
        ann.api.client.post("/graphql", data=variables, content_type=JSON).json,
        ann.api.graphql(document),
    ]
    rest = ann.api.client.post("/auth/login", data=written, content_type=JSON)

    assert [codes(answer) for answer in answers] == [["BAD_USER_INPUT"], ["GRAPHQL_PARSE_FAILED"]]
    assert (rest.status_code, rest.json["code"]) == (400, "BAD_USER_INPUT")
    assert (calls, hashed) == ([], [])


def test_a_session_goes_on_in_another_process_and_after_keys_are_rotated(engine, ann):
    elsewhere = Api(create_app(engine).test_client())
    new = b"the next secret, also of 32 bytes and more"
    rotated = replace(engine, jwt_secret=new, jwt_previous_secret=CONFIG.jwt_secret)
    later = Api(create_app(rotated).test_client())
    login = ann.api.rest(
        "POST", "/auth/login", json={"username": ann.username, "password": PASSWORD}
    ).json

    def refreshed(api, token):
        return api.rest("POST", "/auth/refresh", json={"refresh_token": token}).json

    second = refreshed(elsewhere, login["refresh_token"])["refresh_token"]
    third = refreshed(later, second)["refresh_token"]
    fourth = refreshed(later, third)
    later.rest("POST", "/auth/logout", fourth["token"])

    assert len({login["refresh_token"], second, third, fourth["refresh_token"]}) == 4
    assert refreshed(elsewhere, fourth["refresh_token"])["code"] == "UNAUTHENTICATED"
    assert codes(ann.api.graphql(REFRESH, input={"refreshToken": third})) == ["UNAUTHENTICATED"]


@pytest.mark.engine_is_no_matter
def test_nobody_changes_the_password_or_logs_in_for_another_by_an_id(ann, neighbour, hashed, calls):
    change = {"currentPassword": PASSWORD, "newPassword": "another password"}
    old = {"current_password": PASSWORD, "new_password": "another password"}
    account = {"username": ann.username, "password": PASSWORD}
    ids = {"userId": neighbour.id, "id": neighbour.id, "sub": neighbour.id}
    calls.clear()

    for name, value in ids.items():
        assert codes(ann.graphql(CHANGE, input={**change, name: value})) == ["BAD_USER_INPUT"]
        assert codes(ann.api.graphql(LOGIN, input={**account, name: value})) == ["BAD_USER_INPUT"]
        for path, body in (("/auth/password", old), ("/auth/login", account)):
            for spelled in (name, re.sub("I", "_i", name)):
                answer = ann.rest("POST", path, json={**body, spelled: value})
                assert (answer.status_code, answer.json["field"]) == (400, spelled)
    assert (calls, hashed) == ([], [])


# Other people's tasks

READ_ONLY = {
    "id": "0193",
    "taskId": "0193",
    "ownerId": "somebody",
    "userId": "somebody",
    "createdAt": "2000-01-01T00:00:00Z",
    "updatedAt": "2000-01-01T00:00:00Z",
    "completedAt": "2000-01-01T00:00:00Z",
    "version": 99,
}


@pytest.mark.engine_is_no_matter
@pytest.mark.parametrize("name", READ_ONLY)
def test_what_the_service_sets_cannot_be_set(ann, name):
    value = READ_ONLY[name]
    task = ann.create(title="x")
    change = {"id": task["id"], "title": "y"}

    assert codes(ann.graphql(CREATE, input={"title": "x", name: value})) == ["BAD_USER_INPUT"]
    if name != "id":
        assert codes(ann.graphql(UPDATE, input={**change, name: value})) == ["BAD_USER_INPUT"]
    assert ann.task(task["id"]) == task

    spelled = re.sub("[A-Z]", lambda letter: "_" + letter[0].lower(), name)
    before = ann.rest("GET", f"/api/v1/tasks/{task['id']}").json
    after = ann.rest("PUT", f"/api/v1/tasks/{task['id']}", json={spelled: value})
    assert after.status_code in {200, 400}  # an old client sends back what it got
    assert ann.rest("GET", f"/api/v1/tasks/{task['id']}").json == before


@pytest.mark.engine_is_no_matter
def test_whichever_way_is_taken_the_only_user_is_the_viewer(ann, neighbour):
    neighbour.create(title="not ann's")
    ann.create(title="ann's")

    found = ann.graphql(
        "{ viewer { id tasks { nodes { title owner { id } } } } tasks { nodes { owner { id } } } }"
    )["data"]

    assert found["viewer"] == {
        "id": ann.id,
        "tasks": {"nodes": [{"title": "ann's", "owner": {"id": ann.id}}]},
    }
    assert found["tasks"]["nodes"] == [{"owner": {"id": ann.id}}]


def test_each_field_that_takes_an_id_is_known():
    fields = {
        f"{kind.name}.{name}": field
        for kind in CORE.type_map.values()
        if isinstance(kind, GraphQLObjectType) and not kind.name.startswith("__")
        for name, field in kind.fields.items()
    }

    assert not {"Query.user", "Query.users"} & fields.keys()
    arguments = {name for field in fields.values() for name in field.args}
    assert not {"userId", "ownerId", "owner", "user"} & arguments
    ids = {name for name, f in fields.items() if {"id", "ids"} & f.args.keys()}
    # Each has a test that foreign ids are missing ones.
    assert ids == {
        f"Query.{name}"
        for name in ("node", "nodes", "project", "series", "task", "view", "webhook")
    }
    inputs = {get_named_type(f.args["input"].type) for f in fields.values() if "input" in f.args}
    assert not {"userId", "ownerId", "owner", "user"} & {n for kind in inputs for n in kind.fields}


@pytest.mark.engine_is_no_matter
@pytest.mark.parametrize("name", ["ownerId", "userId", "owner_id", "user_id", "owner"])
def test_no_filter_order_or_parameter_names_another_owner(ann, neighbour, calls, name):
    calls.clear()

    graphql = ann.graphql(TASKS, filter={name: neighbour.id})
    order = ann.graphql(TASKS, orderBy={"field": name.upper(), "direction": "ASC"})
    rest = ann.rest("GET", f"/api/v1/tasks?{name}={neighbour.id}")

    assert (codes(graphql), codes(order)) == (["BAD_USER_INPUT"], ["BAD_USER_INPUT"])
    assert (rest.status_code, rest.json["field"]) == (400, name)
    assert calls == []


@pytest.mark.engine_is_no_matter
@pytest.mark.parametrize(
    "name",
    ["#a", "a.b", ":v", "owner = :x OR", "user_id", "size(title)", "attribute_exists(a)", ""],
)
def test_no_name_of_a_clients_comes_into_an_expression(ann, calls, name):
    calls.clear()

    answers = [
        ann.graphql(TASKS, filter={name: "x"}),
        ann.graphql(TASKS, orderBy={"field": name, "direction": "ASC"}),
        ann.graphql(CREATE, input={"title": "x", name: "x"}),
    ]
    rest = [
        ann.rest("GET", "/api/v1/tasks", query_string={"sort": name}),
        ann.rest("GET", "/api/v1/tasks", query_string={name: "x"}),
        ann.rest("POST", "/api/v1/tasks", json={"title": "x", f"{name}?": 1}),
    ]

    assert [set(codes(answer)) for answer in answers] == [{"BAD_USER_INPUT"}] * 3
    assert {answer.status_code for answer in rest} == {400}
    assert calls == []


def test_every_route_with_a_task_in_it_hides_a_foreign_one(app, ann, neighbour):
    foreign = neighbour.create(title="not yours")
    mine = ann.create(title="mine")["id"]
    bodies = {"blockers": {"blocker_ids": [mine]}, "complete": {}, "time": {"minutes": 5}}
    rules = [rule for rule in app.url_map.iter_rules() if "<task_id>" in rule.rule]

    statuses = {
        (method, rule.rule): ann.rest(
            method,
            rule.rule.replace("<task_id>", foreign["id"]),
            json=bodies.get(rule.rule.rpartition("/")[2], {"title": "mine"}),
        ).status_code
        for rule in rules
        for method in rule.methods - {"OPTIONS", "HEAD"}
    }

    assert len(statuses) >= 4
    assert statuses == dict.fromkeys(statuses, 404)
    assert neighbour.task(foreign["id"]) == foreign


@pytest.mark.concurrent
@pytest.mark.engine_is_no_matter
def test_a_thousand_requests_of_two_people_at_once_never_mix_them_up(app, ann, neighbour):
    everybody = {person.token: person.id for person in (ann, neighbour)}
    for person in (ann, neighbour):
        person.create(title=person.id)
    query = "{ viewer { id } tasks(first: 5) { nodes { ownerId owner { id } } } }"

    def owners(token):
        data = Api(app.test_client()).graphql(query, token)["data"]
        nodes = data["tasks"]["nodes"]
        assert nodes
        found = {data["viewer"]["id"], *(n["ownerId"] for n in nodes)}
        return token, found | {n["owner"]["id"] for n in nodes}

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(owners, [*everybody] * 500))

    assert all(found == {everybody[token]} for token, found in answers)
    assert len(answers) == 1_000


# Documents


@pytest.mark.engine_is_no_matter
@pytest.mark.parametrize("hidden", ["@skip(if: true)", "@include(if: false)", "@include(if: $no)"])
def test_what_is_skipped_counts_as_if_it_were_not(ann, calls, hidden):
    calls.clear()
    login = 'login(input: { username: "a", password: "b" }) { token }'
    query = "query ($no: Boolean = false) { __typename ... @x { viewer { ...F ...F } } } "
    query = query.replace("@x", hidden) + "fragment F on User { " + "id " * 300 + "}"
    mutation = f"mutation ($no: Boolean = false) {{ ... {hidden} {{ a: {login} }} b: {login} }}"

    for document in (query, mutation):
        assert codes(ann.graphql(document)) == ["QUERY_TOO_COMPLEX"]
    assert calls == []


# HTTP


@pytest.mark.engine_is_no_matter
@pytest.mark.parametrize(
    "task_id",
    [
        *("..%2f..%2fetc%2fpasswd", "%00", "x%00y", "%ff", "%ed%a0%80", "%0d%0aX-Evil:%201"),
        *("x" * 3_000, "%25%30%30", "%E2%80%AE", "'%20OR%201=1", "profile", "session%23x"),
    ],
)
def test_a_path_of_impossible_ids_is_not_found(ann, task_id):
    for method in ("GET", "PUT", "DELETE"):
        answer = ann.rest(method, f"/api/v1/tasks/{task_id}", json={"title": "x"})

        assert (answer.status_code, answer.json["code"]) == (404, "NOT_FOUND")
        assert "X-Evil" not in answer.headers


@pytest.mark.engine_is_no_matter
@pytest.mark.parametrize("host", ["evil.example", "evil.example:80@x", "[::1", "x" * 300, "a b"])
def test_no_link_is_made_of_what_a_client_says_the_host_is(ann, host):
    for _ in range(2):
        ann.create(title="x")
    headers = {"Host": host, "X-Forwarded-Host": host, "Forwarded": f"host={host}"}

    created = ann.rest("POST", "/api/v1/tasks", json={"title": "x"}, headers=headers)
    listed = ann.rest("GET", "/api/v1/tasks?limit=1", headers=headers)
    root = ann.api.rest("GET", "/", headers=headers)

    for answer in (created, listed, root):
        assert answer.status_code < 500
        assert host not in str(answer.headers)
    assert root.headers.get("Location", "/graphql") == "/graphql"


@pytest.mark.engine_is_no_matter
def test_health_tells_nothing_of_what_is_behind(api):
    told = [api.rest("GET", path) for path in ("/healthz", "/readyz")]

    assert [answer.json for answer in told] == [
        {"status": "ok"},
        {"status": "ready", "read": True, "write": True},
    ]
    for path in ("/metrics", "/debug", "/console", "/.env", "/server-status", "/schema.graphql"):
        assert api.rest("GET", path).status_code == 404


# Data

EXACT = [
    "\u0001\u0008\u000b\u001b[31m\u007f",
    "tab\tline\nreturn\rend",
    "👩‍👩‍👧‍👦 🏳️‍🌈 e\u0301 \u00e9",
    "\u202eright to left\u202c שלום مرحبا",
    "zero\u200bwidth\ufeff",
    "<script>alert(1)</script> ${7*7} {{7*7}} '; DROP TABLE Tasks; --",
    "\U0010ffff \ufffe",
]


@pytest.mark.parametrize("text", EXACT)
def test_a_text_comes_back_exactly_as_it_was_sent(ann, text):
    by_graphql = ann.create(title="x" + text + "x", description=text)
    by_rest = ann.rest("POST", "/api/v1/tasks", json={"title": "x", "description": text}).json

    assert (by_graphql["title"], by_graphql["description"]) == ("x" + text + "x", text)
    assert ann.task(by_rest["task_id"])["description"] == text
    assert ann.rest("GET", f"/api/v1/tasks/{by_graphql['id']}").json["description"] == text


@pytest.mark.engine_is_no_matter
@pytest.mark.parametrize(
    "number",
    ["NaN", "Infinity", "-Infinity", "1e400", "9" * 5_000, "-0", "1.0", "9007199254740993"],
)
def test_odd_numbers_are_refused_or_taken_for_what_they_are_and_never_crash(ann, calls, number):
    calls.clear()
    bodies = {
        "/graphql": f'{{"query": {json.dumps(CREATE)}, "variables": {{"input": {{"title": *}}}}}}',
        "/api/v1/tasks": '{"title": *}',
    }
    first = "query ($n: Int) { tasks(first: $n) { totalCount } }"
    for path, body in bodies.items():
        answer = ann.rest("POST", path, data=body.replace("*", number), content_type=JSON)
        code = answer.json.get("code") or codes(answer.json)[0]
        assert (code, answer.status_code in {200, 400}) == ("BAD_USER_INPUT", True)
    assert calls == []
    body = f'{{"query": {json.dumps(first)}, "variables": {{"n": {number}}}}}'
    answer = ann.rest("POST", "/graphql", data=body, content_type=JSON).json
    assert "data" in answer if number == "1.0" else codes(answer) == ["BAD_USER_INPUT"]


@pytest.mark.engine_is_no_matter
def test_of_a_member_that_is_there_twice_the_last_counts(ann):
    body = '{"title": "first", "title": "last"}'
    query = f'{{"query": {json.dumps(CREATE)}, "variables": {{"input": {body}}}}}'

    rest = ann.rest("POST", "/api/v1/tasks", data=body, content_type=JSON).json
    graphql = ann.rest("POST", "/graphql", data=query, content_type=JSON).json

    assert rest["title"] == graphql["data"]["createTask"]["task"]["title"] == "last"
    twice = 'mutation { createTask(input: { title: "a", title: "b" }) { task { id } } }'
    assert codes(ann.graphql(twice)) == ["GRAPHQL_VALIDATION_FAILED"]


def test_the_largest_task_that_can_be_is_kept_whole(ann):
    largest = {
        "title": "\U0001f600" * 200,
        "description": "\U0001f600" * 8_192,
        "tags": [f"{number:02}" + "\U0001f600" * 48 for number in range(20)],
    }

    task = ann.create(**largest)

    assert {name: task[name] for name in largest} == largest
    assert ann.rest("GET", "/api/v1/tasks").json[0]["description"] == largest["description"]
