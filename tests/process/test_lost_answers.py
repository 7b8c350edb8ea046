"""The store carries a write out, and its answer is lost: the client hears what is so.

A hook makes the call by a client of its own, and then breaks the connection: from there on it
is the service's own second attempt that meets what the first one has done.
"""

import json
import re
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from botocore.exceptions import ClientError
from conftest import CREATE, DELETE, LOGIN, PASSWORD, REGISTER, TASKS, UPDATE, Person, codes
from test_safe_writes import CREATE_MANY, DELETE_MANY, UPDATE_MANY
from test_sessions import PASSWORDS, REFRESH, REVOKE, SESSIONS, is_in, log_in

from graphql_api.infra.dynamodb import connect

pytestmark = pytest.mark.thorough

OTHER = "quite another password"
LOGOUT = "mutation { logout { endedSessions } }"
LOGOUT_EVERYWHERE = "mutation { logoutEverywhere { endedSessions } }"


class Loss:
    """Loses the answer to the next call of an operation that was carried out."""

    def __init__(self, app, engine) -> None:
        self.other = connect(engine)
        self.events = app.extensions["database"].client.meta.events
        self.operation = ""
        self.meanwhile: Callable[[], object] = lambda: None
        self.lost: list[str] = []

    def of(self, operation: str, meanwhile: Callable[[], object] = lambda: None) -> None:
        """Lose the answer to the next such call; `meanwhile` somebody else is faster."""
        self.operation, self.meanwhile = operation, meanwhile

    def send(self, request, **_) -> None:
        operation = request.headers["x-amz-target"].partition(".")[2]
        if operation != self.operation:
            return
        self.operation = ""
        method = re.sub(r"(?<!^)([A-Z])", r"_\1", operation).lower()
        try:
            getattr(self.other, method)(**json.loads(request.body))
        except ClientError:  # it has no effect: the service shall hear so
            self.operation = operation
            return
        self.lost.append(operation)
        with ThreadPoolExecutor(1) as somebody:
            somebody.submit(self.meanwhile).result()
        raise ConnectionResetError("the answer is lost")


@pytest.fixture
def lose(app, engine) -> Iterator[Loss]:
    loss = Loss(app, engine)
    loss.events.register_first("before-send.dynamodb", loss.send)
    yield loss
    loss.events.unregister("before-send.dynamodb", loss.send)
    assert loss.lost, "no answer was lost"


@pytest.fixture(params=["graphql", "rest"])
def speak(request) -> type["Speaker"]:
    return {"graphql": Speaker, "rest": RestSpeaker}[request.param]


class Speaker:
    """Writes of a person's in GraphQL; each gives the result, or the code of its error."""

    def __init__(self, person: Person) -> None:
        self.person = person

    def _say(self, query: str, **given):
        answer = self.person.graphql(query, input=given)
        if "errors" in answer:
            return codes(answer)[0]
        [result] = answer["data"].values()
        return result

    def _task(self, answer):
        return answer if isinstance(answer, str) else answer["task"]

    def create(self, **fields):
        return self._task(self._say(CREATE, **fields))

    def update(self, task, version=None, **fields):
        return self._task(self._say(UPDATE, id=task["id"], expectedVersion=version, **fields))

    def delete(self, task, version=None):
        answer = self._say(DELETE, id=task["id"], expectedVersion=version)
        return answer if isinstance(answer, str) else "gone"

    def register(self, username):
        answer = self._say(REGISTER, username=username, password=PASSWORD)
        return answer if isinstance(answer, str) else answer["token"]

    def login(self):
        answer = self._say(LOGIN, username=self.person.username, password=PASSWORD)
        return answer if isinstance(answer, str) else answer["token"]

    def refresh(self, token):
        answer = self._say(REFRESH, refreshToken=token)
        return answer if isinstance(answer, str) else answer["refreshToken"]

    def logout(self):
        return self.person.graphql(LOGOUT)["data"]["logout"]["endedSessions"]

    def change_password(self):
        answer = self._say(PASSWORDS, currentPassword=PASSWORD, newPassword=OTHER)
        return answer if isinstance(answer, str) else answer["token"]


class RestSpeaker(Speaker):
    """The same in REST."""

    def _send(self, method, path, json=None, **headers):
        options = {"json": json} if json else {}
        answer = self.person.rest(method, path, headers=headers, **options).json
        return answer.get("code", answer)

    def _seen(self, answer):
        if isinstance(answer, str):
            return answer
        return {"id": answer["task_id"], "title": answer["title"], "version": answer["version"]}

    @staticmethod
    def _match(version):
        return {"If-Match": f'"{version}"'} if version else {}

    def create(self, idempotencyKey=None, **fields):  # noqa: N803 - as GraphQL calls it
        headers = {"Idempotency-Key": idempotencyKey} if idempotencyKey else {}
        return self._seen(self._send("POST", "/api/v1/tasks", fields, **headers))

    def update(self, task, version=None, **fields):
        path = f"/api/v1/tasks/{task['id']}"
        return self._seen(self._send("PATCH", path, fields, **self._match(version)))

    def delete(self, task, version=None):
        path = f"/api/v1/tasks/{task['id']}"
        answer = self._send("DELETE", path, **self._match(version))
        return answer if isinstance(answer, str) else "gone"

    def register(self, username):
        answer = self._send("POST", "/auth/register", {"username": username, "password": PASSWORD})
        return answer if isinstance(answer, str) else answer["token"]

    def login(self):
        body = {"username": self.person.username, "password": PASSWORD}
        answer = self._send("POST", "/auth/login", body)
        return answer if isinstance(answer, str) else answer["token"]

    def refresh(self, token):
        answer = self._send("POST", "/auth/refresh", {"refresh_token": token})
        return answer if isinstance(answer, str) else answer["refresh_token"]

    def logout(self):
        return self._send("POST", "/auth/logout")["ended_sessions"]

    def change_password(self):
        body = {"current_password": PASSWORD, "new_password": OTHER}
        answer = self._send("POST", "/auth/password", body)
        return answer if isinstance(answer, str) else answer["token"]


def tasks(person: Person) -> list[tuple[str, int]]:
    """The titles and versions of the person's tasks."""
    nodes = person.graphql(TASKS)["data"]["tasks"]["nodes"]
    return [(task["title"], task["version"]) for task in nodes]


def sessions(person: Person) -> int:
    return len(person.graphql(SESSIONS)["data"]["viewer"]["sessions"])


# The client hears of success, and there is one effect


@pytest.mark.parametrize("key", [{}, {"idempotencyKey": "k"}], ids=str)
def test_a_task_is_created_once(lose, ann, speak, key):
    lose.of("TransactWriteItems")

    task = speak(ann).create(title="x", **key)

    assert (task["title"], task["version"]) == ("x", 1)
    assert tasks(ann) == [("x", 1)]
    assert ann.task(task["id"])["title"] == "x"


@pytest.mark.parametrize("version", [1, None])
def test_a_task_changes_once(lose, ann, speak, version):
    task = ann.create(title="x")
    lose.of("TransactWriteItems")

    changed = speak(ann).update(task, version, title="y")

    assert (changed["title"], changed["version"]) == ("y", 2)
    assert tasks(ann) == [("y", 2)]


@pytest.mark.parametrize("version", [1, None])
def test_a_task_is_deleted(lose, ann, speak, version):
    task, _ = ann.create(title="x"), ann.create(title="other")
    lose.of("TransactWriteItems")

    assert speak(ann).delete(task, version) == "gone"
    assert tasks(ann) == [("other", 1)]


def test_a_name_is_registered_and_is_nobody_elses(lose, api, ann, speak):
    name = f"{ann.username}-twin"
    lose.of("TransactWriteItems")

    token = speak(Person(api, name, "", "")).register(name)

    assert api.graphql("{ viewer { username } }", token)["data"]["viewer"]["username"] == name
    assert sessions(Person(api, name, "", token)) == 1
    assert speak(ann).register(name) == "CONFLICT"


def test_a_login_opens_one_session(lose, ann, speak):
    lose.of("PutItem")

    token = speak(ann).login()

    assert is_in(Person(ann.api, ann.username, ann.id, token))
    assert sessions(ann) == 2


def test_a_refresh_token_is_spent_once(lose, ann, speak):
    _, refresh = log_in(ann)
    lose.of("UpdateItem")

    second = speak(ann).refresh(refresh)
    third = speak(ann).refresh(second)

    assert len({refresh, second, third}) == 3
    assert sessions(ann) == 2  # nobody was taken for a thief


def test_a_session_ends(lose, ann, speak):
    phone, _ = log_in(ann)
    lose.of("DeleteItem")

    assert speak(phone).logout() == 1
    assert not is_in(phone)
    assert sessions(ann) == 1


def test_another_session_ends(lose, ann):
    phone, _ = log_in(ann)
    found = ann.graphql(SESSIONS)["data"]["viewer"]["sessions"]
    [other] = [session["id"] for session in found if not session["current"]]
    lose.of("DeleteItem")

    answer = ann.graphql(REVOKE, input={"id": other})

    assert answer["data"]["revokeSession"] == {"revokedSessionId": other}
    assert not is_in(phone)


def test_all_sessions_end(lose, ann):
    phone, _ = log_in(ann)
    lose.of("PutItem")

    assert ann.graphql(LOGOUT_EVERYWHERE)["data"]["logoutEverywhere"] == {"endedSessions": 2}
    assert not is_in(phone)
    assert not is_in(ann)


def test_a_password_changes_and_one_session_is_left(lose, ann, speak):
    log_in(ann)
    lose.of("TransactWriteItems")

    token = speak(ann).change_password()

    renewed = Person(ann.api, ann.username, ann.id, token)
    assert sessions(renewed) == 1
    assert not is_in(ann)
    assert speak(ann).login() == "UNAUTHENTICATED"  # by the old one


def test_of_many_writes_each_is_done_once(lose, ann):
    def results(query, items):
        [payload] = ann.graphql(query, input={"tasks": items})["data"].values()
        assert all(result["error"] is None for result in payload["results"])
        return payload["results"]

    lose.of("TransactWriteItems")
    made = [r["task"] for r in results(CREATE_MANY, [{"title": title} for title in "abc"])]
    assert tasks(ann) == [("c", 1), ("b", 1), ("a", 1)]

    lose.of("TransactWriteItems")
    results(UPDATE_MANY, [{"id": task["id"], "title": task["title"] * 2} for task in made])
    assert tasks(ann) == [("cc", 2), ("bb", 2), ("aa", 2)]

    lose.of("TransactWriteItems")
    results(DELETE_MANY, [{"id": task["id"]} for task in made])
    assert tasks(ann) == []
    assert lose.lost == ["TransactWriteItems"] * 3


# Somebody else is faster than the second attempt: nobody is told what is not so

UNKNOWN = "SERVICE_UNAVAILABLE"


@pytest.mark.parametrize("version", [1, None])
def test_a_change_that_was_overtaken_is_known_to_be_done(lose, ann, speak, version):
    task = ann.create(title="x")
    lose.of("TransactWriteItems", lambda: Speaker(ann).update(task, title="theirs"))

    changed = speak(ann).update(task, version, title="mine")

    assert (changed["title"], changed["version"]) == ("mine", 2)
    assert tasks(ann) == [("theirs", 3)]


@pytest.mark.parametrize("version", [1, None])
def test_a_change_of_a_task_that_is_gone_since_is_known_to_be_done(lose, ann, speak, version):
    task = ann.create(title="x")
    lose.of("TransactWriteItems", lambda: Speaker(ann).delete(task))

    changed = speak(ann).update(task, version, title="mine")

    assert (changed["title"], changed["version"]) == ("mine", 2)
    assert tasks(ann) == []


def test_a_creation_is_done_once_though_the_task_is_deleted_meanwhile(lose, ann, speak):
    def delete():
        [task] = ann.graphql(TASKS)["data"]["tasks"]["nodes"]
        assert Speaker(ann).delete(task) == "gone"

    lose.of("TransactWriteItems", delete)

    assert speak(ann).create(title="x")["title"] == "x"
    assert tasks(ann) == []


def test_a_deletion_is_known_as_ours_whatever_others_delete_meanwhile(lose, ann, speak):
    task, others = ann.create(title="x"), [ann.create(title="y") for _ in range(3)]

    def delete_others():
        for other in others:
            assert Speaker(ann).delete(other) == "gone"

    lose.of("TransactWriteItems", delete_others)

    assert speak(ann).delete(task) == "gone"
    assert tasks(ann) == []


def test_a_key_that_others_use_meanwhile_has_made_our_task(lose, ann, speak):
    theirs = []

    def repeat():
        theirs.append(Speaker(ann).create(title="x", idempotencyKey="k"))

    lose.of("TransactWriteItems", repeat)
    mine = speak(ann).create(title="x", idempotencyKey="k")

    assert mine["id"] == theirs[0]["id"]
    assert tasks(ann) == [("x", 1)]


def test_a_task_that_is_deleted_before_its_key_is_tried_again_stays_so(lose, ann, speak):
    def delete():
        [task] = ann.graphql(TASKS)["data"]["tasks"]["nodes"]
        assert Speaker(ann).delete(task) == "gone"

    lose.of("TransactWriteItems", delete)

    assert speak(ann).create(title="x", idempotencyKey="k")["title"] == "x"
    assert tasks(ann) == []


def test_a_name_that_others_want_meanwhile_is_ours(lose, api, ann, speak):
    name, theirs = f"{ann.username}-twin", []
    lose.of("TransactWriteItems", lambda: theirs.append(Speaker(ann).register(name)))

    token = speak(Person(api, name, "", "")).register(name)

    assert theirs == ["CONFLICT"]
    assert api.graphql("{ viewer { username } }", token)["data"]["viewer"]["username"] == name


def test_a_refresh_that_another_tab_repeats_gives_both_the_same(lose, ann, speak):
    _, refresh = log_in(ann)
    theirs = []
    lose.of("UpdateItem", lambda: theirs.append(Speaker(ann).refresh(refresh)))

    assert speak(ann).refresh(refresh) == theirs[0]
    assert sessions(ann) == 2


def test_a_password_that_was_changed_twice_is_never_said_not_to_have_been_changed_once(
    lose, ann, speak
):
    def change_again():
        answer = ann.graphql(LOGIN, input={"username": ann.username, "password": OTHER})
        them = Person(ann.api, ann.username, ann.id, answer["data"]["login"]["token"])
        given = {"currentPassword": OTHER, "newPassword": "a third password"}
        assert "errors" not in them.graphql(PASSWORDS, input=given)

    lose.of("TransactWriteItems", change_again)

    # Where the store knows the transaction's token again, the second attempt says: done.
    told = speak(ann).change_password()
    assert told == UNKNOWN or told.count(".") == 2
    assert "errors" not in ann.api.graphql(
        LOGIN, input={"username": ann.username, "password": "a third password"}
    )


def test_a_lost_answer_is_no_news_in_the_log(lose, ann, caplog):
    caplog.clear()
    lose.of("TransactWriteItems")

    ann.create(title="x")

    assert [record.levelname for record in caplog.records if record.levelname != "INFO"] == []
