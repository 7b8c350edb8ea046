"""Access tokens: made and revoked by sessions, for programs that may do a part of what they may."""

import time
import zlib
from datetime import UTC, datetime, timedelta

import pytest
import strawberry
from conftest import PASSWORD, TASK, codes
from tokens import ALL_SCOPES, CREATE_TOKEN, access_token, by_token

from graphql_api import clock
from graphql_api.api.graphql.access.scopes import permissions
from graphql_api.api.http.application import Application
from graphql_api.domain.access.model import MAX_TOKENS
from graphql_api.domain.access.secret_text import SecretText
from graphql_api.domain.access.service import AccessTokens
from graphql_api.domain.access.store import AccessTokenStore
from graphql_api.domain.accounts import session_cache
from graphql_api.domain.accounts.session_cache import TTL_SECONDS, SessionCache
from graphql_api.domain.accounts.tokens import Identity
from graphql_api.domain.changes.model import ChangeKind
from graphql_api.domain.projects.store import ProjectStore
from graphql_api.domain.tasks.filters import TaskFilter
from graphql_api.domain.webhooks.model import Webhook
from graphql_api.domain.webhooks.store import WebhookStore
from graphql_api.errors import StartError, Unauthenticated
from graphql_api.infra.dynamodb import Key

TOKENS = "/api/v1/access-tokens"
LIST = "{ accessTokens { id name scopes tags projectIds expiresAt lastUsedAt } }"
REVOKE = """mutation ($id: ID!) { revokeAccessToken(input: {id: $id}) { revokedAccessTokenId } }"""


def refused(answer: dict) -> tuple[str, object]:
    """The code of an answer's only error, and the scope that it asks for."""
    [error] = answer["errors"]
    assert answer.get("data") is None
    return error["extensions"]["code"], error["extensions"].get("requiredScope")


def stored(app, user_id: str) -> list[dict]:
    """What the store keeps of somebody's tokens."""
    where = Key("user_id").eq(user_id) & Key("item").begins_with("token#")
    return app.extensions["database"].table("Users").query(where, limit=100).items


def service(app) -> AccessTokens:
    """The service of another process."""
    database = app.extensions["database"]
    return AccessTokens(AccessTokenStore(database), ProjectStore(database))


def test_a_token_is_shown_once_and_kept_as_a_hash(ann, app):
    payload = ann.graphql(CREATE_TOKEN, input={"name": " cron ", "scopes": ["TASKS_READ"]})
    created = payload["data"]["createAccessToken"]
    text = created["token"]

    assert created["accessToken"]["name"] == "cron"
    assert created["accessToken"]["scopes"] == ["TASKS_READ"]
    assert created["accessToken"]["lastUsedAt"] is None
    lasts = datetime.fromisoformat(created["accessToken"]["expiresAt"]) - datetime.now(UTC)
    assert timedelta(days=89) < lasts <= timedelta(days=90)
    [item] = stored(app, ann.id)
    assert text not in str(item)
    assert item["item"]["S"] == "token#" + SecretText.parse(text).hash
    [listed] = ann.graphql(LIST)["data"]["accessTokens"]
    assert listed["id"] == created["accessToken"]["id"]
    assert text not in str(ann.rest("GET", TOKENS).json)


def test_rest_makes_lists_and_revokes_them_too(ann):
    body = {"name": "hass", "scopes": ["tasks_read", "plan_read"], "tags": ["home"]}
    created = ann.rest("POST", TOKENS, json=body)
    text, token = created.json["token"], created.json["access_token"]

    assert created.status_code == 201
    assert (token["scopes"], token["tags"]) == (["tasks_read", "plan_read"], ["home"])
    assert ann.api.rest("GET", "/api/v1/tasks", text).status_code == 200
    assert [each["token_id"] for each in ann.rest("GET", TOKENS).json] == [token["token_id"]]
    assert ann.rest("DELETE", f"{TOKENS}/{token['token_id']}").status_code == 200
    gone = ann.api.rest("GET", "/api/v1/tasks", text)
    assert (gone.status_code, gone.json["code"]) == (401, "UNAUTHENTICATED")
    assert "revoked" in gone.json["detail"]
    assert ann.rest("DELETE", f"{TOKENS}/{token['token_id']}").status_code == 404


def test_secret_scanners_know_a_token_by_its_prefix_and_checksum():
    text = SecretText.new("0191-ab_c").text
    number = 0
    for digit in text[-6:]:
        digits = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
        number = number * 62 + digits.index(digit)

    assert text[:4] == "sts_"
    assert text[4:].isalnum()
    assert number == zlib.crc32(text[:-6].encode())
    assert SecretText.parse(text).user_id == "0191-ab_c"


@pytest.mark.parametrize(
    "spoil",
    [
        lambda t: t[:-1],
        lambda t: t[:20],
        lambda t: t + "0",
        lambda t: t[:-9] + ("x" if t[-9] != "x" else "y") + t[-8:],
    ],
)
def test_a_truncated_or_mistyped_token_is_told_so(ann, spoil):
    text = spoil(access_token(ann))
    answer = ann.api.graphql("{ viewer { id } }", text)

    assert codes(answer) == ["UNAUTHENTICATED"]
    assert "checksum" in answer["errors"][0]["message"]
    assert ann.api.rest("GET", "/auth/verify", text).status_code == 401


def test_a_token_of_another_user_or_of_nobody_is_refused(ann, bob):
    with pytest.raises(Unauthenticated):
        SecretText.parse("sts_")
    for text in (SecretText.new(bob.id).text, SecretText.new("nobody").text):
        assert ann.api.rest("GET", "/auth/verify", text).status_code == 401


def test_an_expired_token_says_when_that_was(ann, app):
    end = datetime.now(UTC).replace(microsecond=0) + timedelta(milliseconds=1_500)
    text = access_token(ann, expiresAt=end.isoformat())
    tokens = service(app)
    _, user = tokens.authenticate(text, end - timedelta(milliseconds=1))
    assert user.user_id == ann.id
    with pytest.raises(Unauthenticated, match=f"expired at {clock.text(end)}: make another"):
        tokens.authenticate(text, end)

    time.sleep(max(0, (end - datetime.now(UTC)).total_seconds()))
    answer = ann.api.rest("GET", "/auth/verify", text)
    assert (answer.status_code, answer.headers["WWW-Authenticate"]) == (401, "Bearer")
    assert codes(ann.api.graphql("{ tasks { totalCount } }", text)) == ["UNAUTHENTICATED"]


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"name": " "}, "name"),
        ({"name": "x" * 101}, "name"),
        ({"name": "\u2800"}, "name"),
        ({"scopes": []}, "scopes"),
        ({"tags": [str(n) for n in range(11)]}, "tags"),
        ({"tags": []}, "tags"),
        ({"tags": [""]}, "tags"),
        ({"projectIds": [str(n) for n in range(11)]}, "projectIds"),
        ({"projectIds": []}, "projectIds"),
        ({"expiresAt": "2020-01-01T00:00:00Z"}, "expiresAt"),
        ({"expiresAt": "2999-01-01T00:00:00Z"}, "expiresAt"),
    ],
)
def test_bad_input_is_told_by_its_field_and_makes_no_token(ann, given, field):
    values = {"name": "x", "scopes": ["TASKS_READ"], **given}
    answer = ann.graphql(CREATE_TOKEN, input=values)

    assert codes(answer) == ["BAD_USER_INPUT"]
    assert answer["errors"][0]["extensions"]["field"] == field
    assert ann.graphql(LIST)["data"]["accessTokens"] == []


def test_unknown_scopes_and_projects_are_refused(ann):
    unknown = ann.graphql(CREATE_TOKEN, input={"name": "x", "scopes": ["ALL"]})
    by_rest = ann.rest("POST", TOKENS, json={"name": "x", "scopes": ["all"]})
    nowhere = ann.graphql(
        CREATE_TOKEN, input={"name": "x", "scopes": ["TASKS_READ"], "projectIds": ["no"]}
    )

    assert codes(unknown) == ["BAD_USER_INPUT"]
    assert (by_rest.status_code, by_rest.json["code"]) == (400, "BAD_USER_INPUT")
    assert codes(nowhere) == ["NOT_FOUND"]
    assert ann.graphql(LIST)["data"]["accessTokens"] == []


def test_a_user_has_so_many_tokens_and_no_more(ann):
    query = " ".join(
        f't{n}: createAccessToken(input: {{name: "x", scopes: [TASKS_READ]}}) {{ token }}'
        for n in range(10)
    )
    for _ in range(MAX_TOKENS // 10):
        assert "errors" not in ann.graphql(f"mutation {{ {query} }}")
    answer = ann.graphql(CREATE_TOKEN, input={"name": "x", "scopes": ["TASKS_READ"]})
    first = ann.graphql(LIST)["data"]["accessTokens"][-1]["id"]
    ann.graphql(REVOKE, id=first)

    assert codes(answer) == ["CONFLICT"]
    assert access_token(ann)
    assert len(ann.graphql(LIST)["data"]["accessTokens"]) == MAX_TOKENS


SESSION_ONLY = {
    "{ accessTokens { id } }": None,
    "{ viewer { sessions { id } } }": None,
    "{ viewer { id ...on User { sessions { id } } } }": None,
    'mutation { createAccessToken(input: {name: "x", scopes: [TASKS_READ]}) { token } }': None,
    'mutation { revokeAccessToken(input: {id: "x"}) { revokedAccessTokenId } }': None,
    "mutation { logout { endedSessions } }": None,
    "mutation { logoutEverywhere { endedSessions } }": None,
    'mutation { revokeSession(input: {id: "x"}) { revokedSessionId } }': None,
    'mutation { deleteAccount(input: {password: "x"}) { deletedUserId } }': None,
    'mutation { changePassword(input: {currentPassword: "x", newPassword: "y"}) { token } }': None,
}


@pytest.mark.parametrize("query", SESSION_ONLY)
def test_no_token_makes_tokens_ends_sessions_or_takes_the_account(ann, query):
    program = by_token(ann)

    assert refused(program.graphql(query)) == ("FORBIDDEN", None)
    assert len(ann.graphql(LIST)["data"]["accessTokens"]) == 1
    assert "errors" not in ann.graphql("{ viewer { id sessions { id } } }")


def test_rest_refuses_a_token_the_same(ann):
    program = by_token(ann)
    for method, path, body in (
        ("GET", TOKENS, None),
        ("POST", TOKENS, {"name": "x", "scopes": ["tasks_read"]}),
        ("POST", "/auth/logout", None),
        ("POST", "/auth/password", {"current_password": "x", "new_password": "y"}),
        ("DELETE", "/auth/account", {"password": "x"}),
    ):
        answer = program.rest(method, path, json=body)
        assert (answer.status_code, answer.json["code"]) == (403, "FORBIDDEN"), path
        assert answer.json["required_scope"] is None


@pytest.mark.parametrize(
    ("query", "scope"),
    [
        ("{ tasks { totalCount } }", "TASKS_READ"),
        ("{ viewer { openCount } }", "TASKS_READ"),
        ("{ viewer { tasks { totalCount } } }", "TASKS_READ"),
        ("{ viewer { settings { timezone } } }", "PLAN_READ"),
        ("{ changes { endCursor } }", "TASKS_READ"),
        ("{ projects { totalCount } }", "TASKS_READ"),
        ("{ webhooks { id } }", "WEBHOOKS"),
        ('mutation { createTask(input: {title: "x"}) { task { id } } }', "TASKS_WRITE"),
        ('mutation { createProject(input: {name: "x"}) { project { id } } }', "TASKS_WRITE"),
        ('mutation { updateSettings(input: {timezone: "UTC"}) { __typename } }', "PLAN_WRITE"),
        ('{ planPreview(input: {from: "2030-01-07T08:00:00Z"}) { inputHash } }', "PLAN_READ"),
    ],
)
def test_what_a_token_lacks_the_scope_for_is_refused_and_not_done(ann, query, scope):
    others = [each for each in ALL_SCOPES if each != scope]

    assert refused(by_token(ann, others).graphql(query)) == ("FORBIDDEN", scope)
    assert ann.graphql("{ tasks { totalCount } projects { totalCount } }")["data"] == {
        "tasks": {"totalCount": 0},
        "projects": {"totalCount": 0},
    }
    assert "errors" not in by_token(ann, ALL_SCOPES).graphql(query)


def test_no_id_leads_a_token_to_what_it_lacks_the_scope_for(ann, app):
    webhook = Webhook.new(
        ann.id,
        url="https://example.com",
        kinds=(ChangeKind.TASK_CREATED,),
        filter=TaskFilter(),
        secret="whsec_x",
        now=clock.now(),
    )
    WebhookStore(app.extensions["database"]).add(webhook, clock.now())
    query = f'{{ node(id: "{webhook.webhook_id}") {{ id }} }}'

    assert codes(by_token(ann, ["TASKS_READ"]).graphql(query)) == ["NOT_FOUND"]
    for holder in (ann, by_token(ann, ["TASKS_READ", "WEBHOOKS"])):
        assert holder.graphql(query) == {"data": {"node": {"id": webhook.webhook_id}}}


def test_one_field_without_its_scope_refuses_the_whole_request(ann):
    program = by_token(ann, ["TASKS_WRITE", "TASKS_READ"])
    query = """mutation {
      createTask(input: {title: "x"}) { task { id } }
      createWebhook(input: {url: "https://example.com"}) { secret }
    }"""

    assert refused(program.graphql(query)) == ("FORBIDDEN", "WEBHOOKS")
    assert ann.graphql("{ tasks { totalCount } }")["data"]["tasks"]["totalCount"] == 0


def test_rest_names_the_scope_as_rest_spells_it(ann):
    program = by_token(ann, ["TASKS_READ"])
    answer = program.rest("POST", "/api/v1/tasks", json={"title": "x"})

    assert (answer.status_code, answer.json["required_scope"]) == (403, "tasks_write")
    assert answer.json["detail"] == "This access token lacks the scope TASKS_WRITE."
    assert ann.rest("GET", "/api/v1/tasks").json == []
    assert program.rest("GET", "/api/v1/tasks").status_code == 200


def test_changes_name_the_token_as_their_actor(ann):
    program = by_token(ann, name="Home Assistant")
    program.create(title="x")
    query = "{ changes { nodes { actor { kind name } } } }"

    [change] = ann.graphql(query)["data"]["changes"]["nodes"]
    assert change["actor"] == {"kind": "TOKEN", "name": "Home Assistant"}


def test_a_token_s_use_is_noted_beside_the_request_and_not_each_time(ann, app):
    text, now = access_token(ann), clock.milliseconds(datetime.now(UTC))
    works = []

    def use(at: datetime) -> None:
        tokens = service(app)
        tokens._crew.add = lambda _, work: works.append(work)
        tokens.authenticate(text, at)

    use(now)
    works.pop()()
    assert ann.graphql(LIST)["data"]["accessTokens"][0]["lastUsedAt"] == clock.text(now)
    use(now + timedelta(minutes=4))
    assert works == []
    use(now + timedelta(minutes=5))
    works.pop()()

    used = ann.graphql(LIST)["data"]["accessTokens"][0]["lastUsedAt"]
    assert used == clock.text(now + timedelta(minutes=5))


def test_a_token_revoked_elsewhere_is_refused_within_five_seconds(ann, app, monkeypatch):
    monkeypatch.setattr(session_cache, "TTL_SECONDS", TTL_SECONDS)
    text, now = access_token(ann), datetime.now(UTC)
    passed = [0.0]
    tokens = service(app)
    tokens._cache = SessionCache(timer=lambda: passed[0])
    tokens.authenticate(text, now)
    ann.graphql(REVOKE, id=ann.graphql(LIST)["data"]["accessTokens"][0]["id"])

    passed[0] = 5.0
    with pytest.raises(Unauthenticated, match="revoked"):
        tokens.authenticate(text, now)


def test_what_took_long_to_read_is_not_known_for_longer(ann, app, monkeypatch):
    monkeypatch.setattr(session_cache, "TTL_SECONDS", TTL_SECONDS)
    assert TTL_SECONDS < 5
    passed = [0.0]
    cache = SessionCache(timer=lambda: passed[0])
    before = cache.epoch
    for key, at, is_known in (("fast", 1.0, True), ("slow", TTL_SECONDS, False)):
        passed[0] = at
        cache.add(Identity(ann.id, key), app, before)
        assert (cache.get(Identity(ann.id, key)) is app) == is_known
    passed[0] = TTL_SECONDS
    assert cache.get(Identity(ann.id, "fast")) is None


def every_token(person) -> dict[str, str]:
    """A token of each kind that there is."""
    login = person.rest(
        "POST", "/auth/login", json={"username": person.username, "password": PASSWORD}
    ).json
    feed = person.rest("POST", "/api/v1/calendar-feeds", json={"name": "x", "content": ["due"]})
    return {
        "session": login["token"],
        "refresh": login["refresh_token"],
        "access": access_token(person),
        "calendar": feed.json["url"].rpartition("/")[2].removesuffix(".ics"),
    }


def test_no_token_is_good_for_what_another_kind_is_for(ann):
    tokens = every_token(ann)
    uses = {
        "graphql": lambda text: (
            401 if "errors" in ann.api.graphql("{ viewer { id } }", text) else 200
        ),
        "rest": lambda text: ann.api.rest("GET", "/api/v1/tasks", text).status_code,
        "calendar": lambda text: ann.api.rest("GET", f"/calendars/{text}.ics").status_code,
        "refresh": lambda text: (
            ann.api.rest("POST", "/auth/refresh", json={"refresh_token": text}).status_code
        ),
    }
    good = {
        name: {use for use, ask in uses.items() if ask(text) == 200}
        for name, text in tokens.items()
    }

    assert good == {
        "session": {"graphql", "rest"},
        "access": {"graphql", "rest"},
        "calendar": {"calendar"},
        "refresh": {"refresh"},
    }


@pytest.mark.parametrize("prefix", ["", "sts_", "eyJ"])
def test_no_text_that_is_made_of_others_is_a_token(ann, prefix):
    tokens = every_token(ann)
    for text in tokens.values():
        for other in tokens.values():
            for made in (f"{prefix}{text}.{other}", f"{prefix}{text}{other}"):
                assert ann.api.rest("GET", "/auth/verify", made).status_code == 401


@pytest.mark.parametrize("name", ["access_token", "token", "Authorization", "api_key"])
def test_a_token_in_a_url_is_not_read(ann, name):
    for text in (access_token(ann), ann.token):
        for path in ("/api/v1/tasks", "/auth/verify", "/api/v1/export", "/api/v1/events"):
            answer = ann.api.rest("GET", path, query_string={name: text})
            assert answer.status_code in {400, 401}, path
            assert text not in answer.text
        query = {"query": "{ viewer { id } }", name: text}
        by_get = ann.api.rest("GET", "/graphql", query_string=query)
        assert by_get.json.get("data") is None
        form = ann.api.rest("POST", "/graphql", data={"query": "{ viewer { id } }", name: text})
        assert form.status_code in {400, 401, 415}


def test_a_deleted_account_takes_its_tokens_with_it(api, app):
    person = api.register("shortlived")
    text = access_token(person)
    assert api.rest("GET", "/auth/verify", text).status_code == 200
    person.graphql(
        "mutation ($p: String!) { deleteAccount(input: {password: $p}) { deletedUserId } }",
        p="correct horse battery",
    )

    assert api.rest("GET", "/auth/verify", text).status_code == 401
    assert stored(app, person.id) == []


def test_a_session_costs_no_more_for_there_being_tokens(ann, calls):
    ann.graphql("{ viewer { id } }")
    calls.clear()
    task = ann.create(title="x")
    assert len(calls) == 1
    program = by_token(ann)
    program.graphql("{ viewer { id } }")
    calls.clear()
    program.graphql(TASK, id=task["id"])

    assert [name for name in calls if name != "UpdateItem"] == ["GetItem"]  # its use is noted once


def test_a_route_that_does_not_say_who_may_have_it_stops_the_start():
    application = Application("x")
    application.add_url_rule("/forgotten", "forgotten", lambda _: None)

    with pytest.raises(StartError, match="/forgotten: a route declares who may have it"):
        application.require_access()


def test_a_root_field_that_declares_no_scope_stops_the_start():
    @strawberry.type
    class Query:
        forgotten: str

    with pytest.raises(StartError, match=r"Query\.forgotten: a root field declares who"):
        permissions(strawberry.Schema(Query))
