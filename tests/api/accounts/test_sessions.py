"""Sessions: opened by a login, kept up by refresh tokens, ended at once."""

import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

import pytest
from conftest import CREATE, LOGIN, PASSWORD, TASKS, Api, Person, codes
from engines import CONFIG
from whole_tables import scanned

from graphql_api import clock, create_app
from graphql_api.domain.accounts import model, session_cache
from graphql_api.domain.accounts.session_cache import TTL_SECONDS, SessionCache
from graphql_api.domain.accounts.store import UserStore
from graphql_api.domain.accounts.tokens import Identity, RefreshToken, Tokens
from graphql_api.errors import ServiceUnavailable
from graphql_api.infra.dynamodb import Table

pytestmark = pytest.mark.core

REFRESH = """
  mutation ($input: RefreshTokenInput!) {
    refreshToken(input: $input) { token refreshToken user { username } }
  }
"""
LOGIN_ALL = "mutation ($input: LoginInput!) { login(input: $input) { token refreshToken } }"
PASSWORDS = """
  mutation ($input: ChangePasswordInput!) { changePassword(input: $input) { token refreshToken } }
"""
DELETE_ACCOUNT = """
  mutation ($input: DeleteAccountInput!) { deleteAccount(input: $input) { deletedUserId } }
"""
REVOKE = """
  mutation ($input: RevokeSessionInput!) { revokeSession(input: $input) { revokedSessionId } }
"""
SESSIONS = "{ viewer { sessions { id device current createdAt lastUsedAt } } }"


@pytest.fixture
def elsewhere(engine) -> Api:
    """Another process on the same store."""
    return Api(create_app(engine).test_client())


def log_in(person: Person, device: str = "a phone") -> tuple[Person, str]:
    """One more session of this person's, and its refresh token."""
    answer = person.api.client.post(
        "/graphql",
        json={
            "query": LOGIN_ALL,
            "variables": {"input": {"username": person.username, "password": PASSWORD}},
        },
        headers={"User-Agent": device},
    ).json["data"]["login"]
    other = Person(person.api, person.username, person.id, answer["token"])
    return other, answer["refreshToken"]


def is_in(person: Person, api: Api | None = None) -> bool:
    """Whether the person's token is still good, in GraphQL and in REST."""
    api = api or person.api
    graphql = "errors" not in api.graphql("{ viewer { id } }", person.token)
    rest = api.rest("GET", "/auth/verify", person.token).status_code == 200
    assert graphql == rest
    return rest


def test_a_session_shows_its_device_and_times(ann):
    phone, _ = log_in(ann)

    first, second = phone.graphql(SESSIONS)["data"]["viewer"]["sessions"]

    assert (first["device"], first["current"], second["current"]) == ("a phone", True, False)
    assert first["createdAt"] == first["lastUsedAt"] > second["createdAt"]


def test_nobody_sees_the_sessions_of_somebody_else(ann, neighbour):
    mine = {session["id"] for session in ann.graphql(SESSIONS)["data"]["viewer"]["sessions"]}
    theirs = {s["id"] for s in neighbour.graphql(SESSIONS)["data"]["viewer"]["sessions"]}

    assert len(mine) == len(theirs) == 1
    assert mine != theirs


def test_a_refresh_token_is_exchanged_for_other_tokens(ann):
    _, token = log_in(ann)

    answer = ann.api.graphql(REFRESH, input={"refreshToken": token})["data"]["refreshToken"]
    rest = ann.api.rest("POST", "/auth/refresh", json={"refresh_token": answer["refreshToken"]})

    assert answer["user"]["username"] == ann.username
    assert is_in(Person(ann.api, ann.username, ann.id, answer["token"]))
    assert rest.status_code == 200
    assert len({token, answer["refreshToken"], rest.json["refresh_token"]}) == 3
    assert is_in(Person(ann.api, ann.username, ann.id, rest.json["token"]))


def test_a_refresh_token_is_kept_only_as_its_hash(app, ann):
    _, token = log_in(ann)
    table = app.extensions["database"].table("Users")
    user_id, session_id, secret = token.split(".")

    item = table.get(user_id=user_id, item=f"session#{session_id}")

    assert len(secret) == 43 + 22  # the secret and the tag
    assert secret not in str(item)
    assert secret[:43] not in str(item)
    assert secret[43:] not in str(item)


def test_a_client_that_missed_the_answer_gets_the_same_again_for_a_moment(ann):
    _, token = log_in(ann)

    first, second = (
        ann.api.graphql(REFRESH, input={"refreshToken": token})["data"]["refreshToken"]
        for _ in range(2)
    )

    assert first["refreshToken"] == second["refreshToken"]
    for answer in (first, second):  # two tabs that were refreshed at once
        assert "errors" not in ann.api.graphql("{ viewer { id } }", answer["token"])
    later = ann.api.graphql(REFRESH, input={"refreshToken": first["refreshToken"]})
    assert later["data"]["refreshToken"]["refreshToken"] not in {token, first["refreshToken"]}


def test_a_refresh_token_cannot_be_told_from_the_one_before_without_the_key(ann):
    _, token = log_in(ann)
    fresh = ann.api.graphql(REFRESH, input={"refreshToken": token})["data"]["refreshToken"]

    ours = Tokens([CONFIG.jwt_secret], 3600).successor(RefreshToken.parse(token))
    theirs = Tokens([b"another key of at least thirty-two bytes"], 3600)

    assert fresh["refreshToken"] == ours.text
    assert theirs.successor(RefreshToken.parse(token)).text != ours.text


@pytest.fixture(params=["graphql", "rest"])
def refresh(api, request) -> Callable[[str], str | None]:
    """Exchange a refresh token by one of the entry points; None if it is refused."""

    def by_graphql(token: str) -> str | None:
        answer = api.graphql(REFRESH, input={"refreshToken": token})
        if "errors" not in answer:
            return answer["data"]["refreshToken"]["refreshToken"]
        assert codes(answer) == ["UNAUTHENTICATED"]
        return None

    def by_rest(token: str) -> str | None:
        answer = api.rest("POST", "/auth/refresh", json={"refresh_token": token})
        assert (answer.status_code, answer.json.get("code")) in {
            (200, None),
            (401, "UNAUTHENTICATED"),
        }
        return answer.json.get("refresh_token")

    return {"graphql": by_graphql, "rest": by_rest}[request.param]


def stored_session(app, token: str) -> dict:
    user_id, session_id, _ = token.split(".")
    table = app.extensions["database"].table("Users")
    return table.get(user_id=user_id, item=f"session#{session_id}")


def untagged(token: str) -> str:
    """The token as it was issued before tags were introduced."""
    return token[:-22]


INVENTED = {
    "of the old form": lambda _own, _theirs: "A" * 43,
    "with an invented tag": lambda _own, _theirs: "A" * 65,
    "with the tag of the current one": lambda own, _: "A" * 43 + own[43:],
    "of somebody else": lambda _, theirs: theirs,
    "of somebody else, without its tag": lambda _, theirs: theirs[:43],
}


@pytest.mark.parametrize("invent", INVENTED.values(), ids=INVENTED)
def test_an_invented_refresh_token_ends_no_session(app, ann, neighbour, refresh, invent):
    phone, token = log_in(ann)
    token = refresh(token)
    ids, own = token.rsplit(".", 1)
    theirs = log_in(neighbour)[1].rsplit(".", 1)[1]
    before = stored_session(app, token)

    assert refresh(f"{ids}.{invent(own, theirs)}") is None

    assert stored_session(app, token) == before
    assert is_in(phone)
    assert refresh(token) is not None


def test_a_tag_by_another_key_ends_no_session(ann, refresh):
    phone, token = log_in(ann)
    user_id, session_id, _ = token.split(".")
    another = Tokens([b"another key of at least thirty-two bytes"], 3600)

    assert refresh(another.new_refresh_token(user_id, session_id).text) is None

    assert is_in(phone)
    assert refresh(token) is not None


def test_a_refused_refresh_does_not_tell_whether_the_session_exists(ann):
    phone, token = log_in(ann)
    ids = token.rsplit(".", 1)[0]
    nowhere = ids[:-1] + ("0" if ids[-1] != "0" else "1")

    answers = [
        ann.api.rest("POST", "/auth/refresh", json={"refresh_token": f"{name}.{'A' * 65}"}).data
        for name in (ids, nowhere)
    ]

    assert answers[0] == answers[1]
    assert is_in(phone)


def test_a_token_from_before_tags_is_exchanged_for_one_with_a_tag(ann, refresh):
    phone, token = log_in(ann)

    fresh = refresh(untagged(token))

    assert len(fresh) == len(token)
    assert refresh(untagged(token)) == fresh  # within the grace
    assert refresh(fresh) is not None
    assert is_in(phone)


def test_a_reused_token_from_before_tags_is_refused_and_ends_nothing(ann, refresh, monkeypatch):
    phone, token = log_in(ann)
    fresh = refresh(untagged(token))
    monkeypatch.setattr(model, "REFRESH_GRACE", timedelta(seconds=-1))

    assert refresh(untagged(token)) is None

    assert is_in(phone)
    assert refresh(fresh) is not None


def test_a_reused_token_with_its_tag_by_the_previous_key_ends_the_session(ann, engine, monkeypatch):
    phone, token = log_in(ann)
    other = b"the new secret, also of 32 bytes and more"
    rotated = replace(engine, jwt_secret=other, jwt_previous_secret=engine.jwt_secret)
    api = Api(create_app(rotated).test_client())
    fresh = api.rest("POST", "/auth/refresh", json={"refresh_token": token})
    monkeypatch.setattr(model, "REFRESH_GRACE", timedelta(seconds=-1))

    reused = api.rest("POST", "/auth/refresh", json={"refresh_token": token})

    assert (fresh.status_code, reused.status_code) == (200, 401)
    assert not is_in(phone, api)


def test_a_retry_that_meets_a_process_with_another_key_gets_the_same_token(ann, engine):
    _, token = log_in(ann)
    new = b"the new secret, also of 32 bytes and more"
    first, second = (
        create_app(replace(engine, jwt_secret=signing, jwt_previous_secret=accepted)).test_client()
        for signing, accepted in ((engine.jwt_secret, new), (new, engine.jwt_secret))
    )

    answers = [
        client.post("/auth/refresh", json={"refresh_token": token}).json["refresh_token"]
        for client in (first, second)
    ]

    assert len({answer[:-22] for answer in answers}) == 1  # the tags are by each one's key
    again = second.post("/auth/refresh", json={"refresh_token": answers[1]})
    assert again.status_code == 200


def test_a_token_is_good_after_both_of_its_keys_are_gone(ann, engine):
    _, token = log_in(ann)
    app = create_app(replace(engine, jwt_secret=b"a third secret, also of 32 bytes and more"))

    answer = app.test_client().post("/auth/refresh", json={"refresh_token": token})

    assert answer.status_code == 200


def test_every_token_of_the_last_ten_seconds_gives_the_current_one(ann, refresh):
    phone, token = log_in(ann)
    chain = [token]
    for _ in range(3):
        chain.append(refresh(chain[-1]))

    assert [refresh(spent) for spent in chain[:-1]] == [chain[-1]] * 3
    assert len(set(chain)) == 4
    assert is_in(phone)


def test_an_earlier_token_ends_the_session_after_the_grace(ann, refresh, monkeypatch):
    phone, token = log_in(ann)
    fresh = refresh(refresh(token))
    monkeypatch.setattr(model, "REFRESH_GRACE", timedelta(seconds=-1))

    assert refresh(token) is None

    assert refresh(fresh) is None
    assert not is_in(phone)


def test_a_token_that_was_spent_before_ends_the_session_and_is_logged(ann, monkeypatch, caplog):
    phone, token = log_in(ann)
    monkeypatch.setattr(model, "REFRESH_GRACE", timedelta(seconds=-1))
    fresh = ann.api.graphql(REFRESH, input={"refreshToken": token})["data"]["refreshToken"]

    with caplog.at_level(logging.WARNING):
        reused = ann.api.graphql(REFRESH, input={"refreshToken": token})

    assert codes(reused) == ["UNAUTHENTICATED"]
    assert not is_in(phone)
    assert codes(ann.api.graphql(REFRESH, input={"refreshToken": fresh["refreshToken"]})) == [
        "UNAUTHENTICATED"
    ]
    assert is_in(ann)
    [record] = [r for r in caplog.records if r.levelno == logging.WARNING]
    assert "was reused" in record.getMessage()
    assert token not in record.getMessage()


@pytest.mark.concurrent
def test_of_fifty_refreshes_at_once_one_chain_survives(app, ann):
    _, token = log_in(ann)

    def refresh(_):
        return app.test_client().post("/auth/refresh", json={"refresh_token": token})

    with ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(refresh, range(50)))

    assert {answer.status_code for answer in answers} == {200}
    [fresh] = {answer.json["refresh_token"] for answer in answers}
    again = ann.api.rest("POST", "/auth/refresh", json={"refresh_token": fresh})
    assert again.status_code == 200


@pytest.mark.parametrize(
    "token",
    [
        "",
        "x",
        "a.b.c",
        f"nobody.nothing.{'x' * 43}",
        f"{'x' * 200}.x.{'x' * 43}",
        f"a#b.c.{'x' * 43}",
        "x" * 60_000,
    ],
)
def test_what_is_no_refresh_token_is_refused(api, token):
    graphql = api.graphql(REFRESH, input={"refreshToken": token})
    rest = api.rest("POST", "/auth/refresh", json={"refresh_token": token})

    assert codes(graphql) == ["UNAUTHENTICATED"]
    assert rest.status_code == 401


def test_an_access_token_does_not_refresh_and_a_refresh_token_gives_no_access(ann):
    _, refresh = log_in(ann)

    assert codes(ann.api.graphql(REFRESH, input={"refreshToken": ann.token})) == ["UNAUTHENTICATED"]
    assert codes(ann.api.graphql("{ viewer { id } }", refresh)) == ["UNAUTHENTICATED"]


@pytest.mark.parametrize("entry", ["graphql", "rest"])
def test_logging_out_ends_this_session_only(ann, entry):
    phone, token = log_in(ann)

    if entry == "graphql":
        answer = phone.graphql("mutation { logout { endedSessions } }")
        assert answer == {"data": {"logout": {"endedSessions": 1}}}
    else:
        answer = phone.rest("POST", "/auth/logout")
        assert answer.json == {"message": "Logged out successfully", "ended_sessions": 1}

    assert not is_in(phone)
    assert is_in(ann)
    assert codes(ann.api.graphql(REFRESH, input={"refreshToken": token})) == ["UNAUTHENTICATED"]


def test_a_token_after_logout_opens_nothing_and_changes_nothing(ann):
    task = ann.create(title="x")
    phone, _ = log_in(ann)
    phone.graphql("mutation { logout { endedSessions } }")

    graphql = phone.graphql(CREATE, input={"title": "after"})
    rest = [
        phone.rest("GET", "/api/v1/tasks"),
        phone.rest("POST", "/api/v1/tasks", json={"title": "after"}),
        phone.rest("PUT", f"/api/v1/tasks/{task['id']}", json={"title": "after"}),
        phone.rest("DELETE", f"/api/v1/tasks/{task['id']}"),
        phone.rest("POST", "/auth/logout"),
    ]

    assert codes(graphql) == ["UNAUTHENTICATED"]
    assert {answer.status_code for answer in rest} == {401}
    assert ann.graphql(TASKS)["data"]["tasks"]["nodes"] == [task]


def test_logging_out_everywhere_ends_all_sessions(ann):
    phone, token = log_in(ann)

    answer = phone.graphql("mutation { logoutEverywhere { endedSessions } }")

    assert answer == {"data": {"logoutEverywhere": {"endedSessions": 2}}}
    assert not is_in(phone)
    assert not is_in(ann)
    assert codes(ann.api.graphql(REFRESH, input={"refreshToken": token})) == ["UNAUTHENTICATED"]
    again, _ = log_in(ann)
    assert is_in(again)


def test_a_session_can_be_ended_from_another(ann, neighbour):
    phone, _ = log_in(ann)
    theirs = neighbour.graphql(SESSIONS)["data"]["viewer"]["sessions"][0]["id"]
    mine = phone.graphql(SESSIONS)["data"]["viewer"]["sessions"][0]["id"]

    foreign = ann.graphql(REVOKE, input={"id": theirs})
    revoked = ann.graphql(REVOKE, input={"id": mine})
    again = ann.graphql(REVOKE, input={"id": mine})

    assert codes(foreign) == codes(again) == ["NOT_FOUND"]
    assert revoked == {"data": {"revokeSession": {"revokedSessionId": mine}}}
    assert not is_in(phone)
    assert is_in(ann)
    assert is_in(neighbour)


def test_changing_the_password_ends_all_other_sessions(ann):
    phone, token = log_in(ann)
    change = {"currentPassword": PASSWORD, "newPassword": "another good one"}

    fresh = phone.graphql(PASSWORDS, input=change)["data"]["changePassword"]

    assert not is_in(ann)
    assert not is_in(phone)
    assert is_in(Person(ann.api, ann.username, ann.id, fresh["token"]))
    assert codes(ann.api.graphql(REFRESH, input={"refreshToken": token})) == ["UNAUTHENTICATED"]
    old, new = (
        ann.api.graphql(LOGIN, input={"username": ann.username, "password": password})
        for password in (PASSWORD, "another good one")
    )
    assert codes(old) == ["UNAUTHENTICATED"]
    assert new["data"]["login"]["user"]["id"] == ann.id


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"currentPassword": "wrong", "newPassword": "another good one"}, "currentPassword"),
        ({"currentPassword": PASSWORD, "newPassword": "short"}, "newPassword"),
        ({"currentPassword": PASSWORD, "newPassword": "Password123"}, "newPassword"),
        ({"currentPassword": PASSWORD, "newPassword": "with \u0000 in it"}, "newPassword"),
    ],
)
def test_a_refused_change_of_the_password_changes_nothing(ann, change, field):
    graphql = ann.graphql(PASSWORDS, input=change)
    body = {
        "current_password": change["currentPassword"],
        "new_password": change["newPassword"],
    }
    rest = ann.rest("POST", "/auth/password", json=body)

    assert [error["extensions"] for error in graphql["errors"]] == [
        {"code": "BAD_USER_INPUT", "field": field}
    ]
    assert rest.status_code == 400
    assert is_in(ann)
    assert is_in(log_in(ann)[0])


@pytest.mark.parametrize("entry", ["graphql", "rest"])
def test_a_deleted_account_leaves_nothing_behind(app, ann, neighbour, entry):
    for number in range(30):
        ann.create(title=f"{number}", dueAt="2030-01-01T00:00:00Z", idempotencyKey=f"{number}")
    rule = {"rrule": "FREQ=DAILY"}
    daily = {"title": "Sweep", "due_at": "2030-01-01T00:00:00Z", "recurrence": rule}
    task = ann.rest("POST", "/api/v1/tasks", json=daily).json
    assert ann.rest("POST", f"/api/v1/tasks/{task['task_id']}/complete").status_code == 200
    phone, token = log_in(ann)

    if entry == "graphql":
        answer = phone.graphql(DELETE_ACCOUNT, input={"password": PASSWORD})
        assert answer == {"data": {"deleteAccount": {"deletedUserId": ann.id}}}
    else:
        answer = phone.rest("DELETE", "/auth/account", json={"password": PASSWORD})
        assert answer.json == {"message": "Account deleted successfully", "user_id": ann.id}

    assert not is_in(ann)
    assert not is_in(phone)
    assert codes(ann.api.graphql(REFRESH, input={"refreshToken": token})) == ["UNAUTHENTICATED"]
    login = {"username": ann.username, "password": PASSWORD}
    assert codes(ann.api.graphql(LOGIN, input=login)) == ["UNAUTHENTICATED"]
    raw = app.extensions["database"].client
    items = [item for name in ("Users", "Tasks") for item in scanned(raw, name)]
    assert ann.username not in str(items)
    [job] = [item for item in items if ann.id in str(item)]
    assert (job["user_id"]["S"], job["item"]["S"]) == ("job#deletion", ann.id)
    assert is_in(neighbour)
    again = ann.api.rest("POST", "/auth/register", json=login)
    assert again.status_code == 201
    assert ann.api.rest("GET", "/api/v1/tasks", again.json["token"]).json == []


def test_an_account_is_not_deleted_without_its_password(ann):
    task = ann.create(title="x")

    answer = ann.graphql(DELETE_ACCOUNT, input={"password": "wrong password"})

    assert [error["extensions"] for error in answer["errors"]] == [
        {"code": "BAD_USER_INPUT", "field": "password"}
    ]
    assert is_in(ann)
    assert ann.task(task["id"]) == task


def test_an_interrupted_deletion_goes_on_at_the_next_login(app, ann, monkeypatch):
    ann.create(title="x")

    def interrupted(*_):
        raise ServiceUnavailable

    with monkeypatch.context() as patch:
        patch.setattr(Table, "delete_many", interrupted)
        answer = ann.graphql(DELETE_ACCOUNT, input={"password": PASSWORD})
    assert codes(answer) == ["SERVICE_UNAVAILABLE"]
    assert not is_in(ann)

    login = {"username": ann.username, "password": PASSWORD}
    assert codes(ann.api.graphql(LOGIN, input=login)) == ["UNAUTHENTICATED"]

    raw = app.extensions["database"].client
    users, tasks = ([*scanned(raw, name)] for name in ("Users", "Tasks"))
    assert ann.username not in str(users)
    assert [item["user_id"]["S"] for item in users if ann.id in str(item)] == ["job#deletion"]
    assert ann.id not in str(tasks)


# Across processes


def test_a_process_asks_once_for_a_session_that_another_has_opened(ann, engine):
    other = create_app(engine)
    names = []
    other.extensions["database"].client.meta.events.register_first(
        "before-send.dynamodb",
        lambda event_name, **_: names.append(event_name.rpartition(".")[2]),
    )
    api = Api(other.test_client())

    for _ in range(3):
        assert api.rest("GET", "/api/v1/tasks", ann.token).status_code == 200

    assert names == ["BatchGetItem", "Query", "Query", "Query"]


@pytest.mark.parametrize(
    "end",
    [
        "mutation { logout { endedSessions } }",
        "mutation { logoutEverywhere { endedSessions } }",
    ],
)
def test_what_ends_here_ends_elsewhere_once_the_answer_there_is_old(
    ann, elsewhere, monkeypatch, end
):
    assert is_in(ann, elsewhere)

    assert "errors" not in ann.graphql(end)

    assert is_in(ann, elsewhere)  # this is the moment that may last 5 seconds
    monkeypatch.setattr(SessionCache, "get", lambda *_: None)  # and now it is over
    assert not is_in(ann, elsewhere)


def test_an_answer_is_good_for_less_than_five_seconds(monkeypatch):
    monkeypatch.setattr("graphql_api.domain.accounts.session_cache.TTL_SECONDS", TTL_SECONDS)
    now = [100.0]
    cache = SessionCache(timer=lambda: now[0])
    identity, user = Identity("user", "session"), object()

    cache.add(identity, user, cache.epoch)
    assert cache.get(identity) is user
    now[0] += 4.9  # less than the five seconds that are promised
    assert cache.get(identity) is None


def test_of_a_session_that_nobody_asks_for_nothing_is_kept():
    now = [100.0]
    cache = SessionCache(timer=lambda: now[0])
    gone, here = Identity("user", "gone"), Identity("user", "here")

    cache.add(gone, object(), cache.epoch)
    now[0] += session_cache.TTL_SECONDS + 1
    cache.add(here, object(), cache.epoch)

    assert list(cache._entries) == [here]


def test_what_is_remembered_of_sessions_is_bounded(monkeypatch):
    monkeypatch.setattr("graphql_api.domain.accounts.session_cache.CAPACITY", 3)
    cache = SessionCache()

    for number in range(5):
        cache.add(Identity("user", str(number)), number, cache.epoch)

    assert [cache.get(Identity("user", str(n))) for n in range(5)] == [None, None, 2, 3, 4]


def test_a_session_ends_when_it_is_idle_and_at_its_end():
    now = clock.now()
    user = model.User.new(username="ann", password="x", now=now)
    session = model.Session.new(
        user, session_id="s", device="", address="", refresh_hash="h", now=now
    )

    assert session.is_active(user, now + timedelta(days=13, hours=23))
    assert not session.is_active(user, now + timedelta(days=14, seconds=1))
    late = session.refreshed("h2", now + timedelta(days=59))
    assert late["expires_at"] == int(session.ends_at.timestamp())


@pytest.mark.parametrize(
    "ends",
    [
        "logout { endedSessions }",
        "logoutEverywhere { endedSessions }",
        f'deleteAccount(input: {{ password: "{PASSWORD}" }}) {{ deletedUserId }}',
    ],
)
def test_nothing_may_stand_beside_what_ends_the_session(ann, calls, ends):
    calls.clear()
    after = 'createTask(input: { title: "ghost" }) { task { id } }'

    assert codes(ann.graphql(f"mutation {{ {ends} {after} }}")) == ["QUERY_TOO_COMPLEX"]
    assert calls == []


def test_a_second_removal_leaves_the_name_to_its_next_owner(app, ann):
    store = UserStore(app.extensions["database"])
    old = store.get(ann.id)
    store.remove(ann.id)
    again = ann.api.rest(
        "POST", "/auth/register", json={"username": ann.username, "password": PASSWORD}
    )

    store._remove_profile(old)  # as by a pass that has read it before the other one deleted it
    store.remove(ann.id)

    assert again.status_code == 201
    assert store.find(ann.username).user_id == again.json["user"]["user_id"]


def test_what_ends_while_a_session_is_looked_up_is_not_taken_for_alive():
    cache = SessionCache()
    identity = Identity("user", "session")

    epoch = cache.epoch
    cache.discard(identity)
    cache.add(identity, object(), epoch)

    assert cache.get(identity) is None


def test_a_session_id_that_is_none_is_not_found(ann):
    for session_id in ("", "x", "x" * 3000):
        assert codes(ann.graphql(REVOKE, input={"id": session_id})) == ["NOT_FOUND"]
