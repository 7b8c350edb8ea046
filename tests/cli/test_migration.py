"""Migration from the tables of the legacy service, as an operator runs it."""

import uuid
from dataclasses import replace

import pytest
from botocore.awsrequest import AWSResponse
from commands import Operator
from conftest import LOGIN, codes
from werkzeug.security import generate_password_hash

from graphql_api.cli import main
from graphql_api.infra.dynamodb import Database, connect

pytestmark = [pytest.mark.thorough, pytest.mark.engine_is_no_matter]

# Hashes as the legacy service stored them.
SCRYPT = generate_password_hash("scrypt's", "scrypt:128:8:1")
PBKDF2 = generate_password_hash("pbkdf2's", "pbkdf2:sha256:1000")


@pytest.fixture
def operator(engine):
    return Operator(engine)


def old_user(name, password=SCRYPT, **others):
    """A user as the legacy service stored it, with a name that nobody else in the session has."""
    username = f"{name}-{uuid.uuid4().hex[:8]}"
    return {"username": username, "user_id": str(uuid.uuid4()), "password": password, **others}


def old_task(user, title="Old", **others):
    return {
        "task_id": str(uuid.uuid4()),
        "user_id": user["user_id"],
        "title": title,
        "description": f"Description of {title}",
        "status": "pending",
        **others,
    }


def counted(users, tasks):
    """What a migration prints of so many items: added, existing, refused."""
    return "".join(
        f"{label}: {added} added, {there} existing, {refused} refused.\n"
        for label, (added, there, refused) in (("Users", users), ("Tasks", tasks))
    )


class Legacy:
    """The legacy tables, and the command that migrates them."""

    def __init__(self, operator, users, tasks):
        self.operator = operator
        self.users = operator.table("username", users)
        self.tasks = operator.table("task_id", tasks)

    def migrate(self, *arguments):
        names = ("--users-table", self.users, "--tasks-table", self.tasks)
        return self.operator.run("migrate", *names, *arguments)

    def content(self):
        return self.operator.items(self.users), self.operator.items(self.tasks)


def log_in(api, user, password):
    return api.graphql(LOGIN, input={"username": user["username"], "password": password})


def test_people_find_their_tasks_after_a_migration(operator, api):
    eve, max_ = old_user("eve"), old_user("max", PBKDF2)
    tasks = [old_task(eve), old_task(eve, "Done", status="completed"), old_task(max_, "Of Max")]
    legacy = Legacy(operator, [eve, max_], tasks)
    before, ours = legacy.content(), operator.everything()
    everything = counted((2, 0, 0), (3, 0, 0))

    tried = legacy.migrate("--dry-run")

    assert (tried.exit_code, tried.stdout) == (0, f"{everything}Nothing was written.\n")
    assert operator.everything() == ours

    done = legacy.migrate()

    assert (done.exit_code, done.stdout) == (0, everything)
    assert legacy.content() == before

    # Logging in with the old password, and finding the tasks under their old ids.
    assert codes(log_in(api, eve, "pbkdf2's")) == ["UNAUTHENTICATED"]
    for user, password in ((eve, "scrypt's"), (max_, "pbkdf2's")):
        login = log_in(api, user, password)["data"]["login"]
        profile = {"user_id": {"S": user["user_id"]}, "item": {"S": "profile"}}
        kept = operator.store.get_item(TableName="Users", Key=profile)["Item"]
        assert login["user"] == {"id": user["user_id"], "username": user["username"]}
        assert kept["password"]["S"].startswith("$argon2id$")
        for task in tasks:
            answer = api.rest("GET", f"/api/v1/tasks/{task['task_id']}", login["token"])
            if task["user_id"] == user["user_id"]:
                assert answer.json.items() >= task.items()
                assert (answer.json["completed_at"] is None) == (task["status"] == "pending")
                assert answer.json["version"] == 1
            else:
                assert answer.status_code == 404
        listed = api.rest("GET", "/api/v1/tasks", login["token"]).json
        assert [task["task_id"] for task in listed] == sorted(
            (t["task_id"] for t in tasks if t["user_id"] == user["user_id"]), reverse=True
        )

    # What has changed meanwhile is not undone by a second run.
    login = log_in(api, eve, "scrypt's")["data"]["login"]
    path = f"/api/v1/tasks/{tasks[0]['task_id']}"
    assert api.rest("PUT", path, login["token"], json={"title": "New"}).status_code == 200
    ours = operator.everything()

    again = legacy.migrate()

    assert (again.exit_code, again.stdout) == (0, counted((0, 2, 0), (0, 3, 0)))
    assert operator.everything() == ours


@pytest.mark.parametrize("writes", [1, 5])
def test_an_interrupted_migration_goes_on_where_it_stopped(operator, monkeypatch, writes):
    users = [old_user(f"user{number}") for number in range(3)]
    legacy = Legacy(operator, users, [old_task(user) for user in users for _ in range(2)])
    left, call = writes, Database.call

    def interrupted(self, operation, **arguments):
        nonlocal left
        if operation in {"PutItem", "TransactWriteItems"}:
            if left == 0:
                raise KeyboardInterrupt
            left -= 1
        return call(self, operation, **arguments)

    with monkeypatch.context() as patch:
        patch.setattr(Database, "call", interrupted)
        stopped = legacy.migrate()
    done, again = legacy.migrate(), legacy.migrate()

    users, tasks = min(writes, 3), max(writes - 3, 0)  # that were there at the interruption
    assert (stopped.exit_code, stopped.stderr.splitlines()[-1]) == (1, "Aborted!")
    assert done.stdout == counted((3 - users, users, 0), (6 - tasks, tasks, 0))
    assert again.stdout == counted((0, 3, 0), (0, 6, 0))


def test_tables_of_many_pages_are_taken_over_whole(operator, monkeypatch):
    monkeypatch.setattr("graphql_api.cli.migration.PAGE_SIZE", 2)
    users = [old_user(f"user{number}") for number in range(5)]
    legacy = Legacy(operator, users, [old_task(user) for user in users])

    assert legacy.migrate().stdout == counted((5, 0, 0), (5, 0, 0))


# `concurrent` leaves moto out: it would do what is asked before our own answer gets in the way.


@pytest.mark.concurrent
def test_a_store_that_throttles_is_waited_for(operator, monkeypatch):
    users = [old_user("eve")]
    legacy = Legacy(operator, users, [old_task(users[0]) for _ in range(4)])
    pauses, sent = [], []
    body = b'{"__type": "com.amazonaws.dynamodb.v20120810#ThrottlingException", "message": "slow"}'

    def throttle(request, **_):
        sent.append(request)
        return None if len(sent) % 2 else _answer(400, body)

    def slow(config, **options):
        connection = connect(config, **options)
        for operation in ("Scan", "BatchGetItem", "PutItem", "TransactWriteItems"):
            connection.meta.events.register(f"before-send.dynamodb.{operation}", throttle)
        return connection

    monkeypatch.setattr(main, "connect", slow)
    monkeypatch.setattr("graphql_api.infra.concurrency.waiting.time.sleep", pauses.append)

    assert legacy.migrate().stdout == counted((1, 0, 0), (4, 0, 0))
    assert len(pauses) == len(sent) // 2 >= 3


def test_keys_that_the_store_leaves_for_later_are_asked_for_again(operator, monkeypatch):
    users = [old_user("eve"), old_user("max")]
    legacy = Legacy(operator, users, [])
    call, pauses = Database.call, []

    def busy(self, operation, **arguments):
        if operation == "BatchGetItem" and len(pauses) < 8:  # a request would have given up
            return {"Responses": {}, "UnprocessedKeys": arguments["RequestItems"]}
        return call(self, operation, **arguments)

    monkeypatch.setattr(Database, "call", busy)
    monkeypatch.setattr("graphql_api.infra.concurrency.waiting.time.sleep", pauses.append)

    assert legacy.migrate().stdout == counted((2, 0, 0), (0, 0, 0))
    assert len(pauses) == 8


def _answer(status, body):
    class Raw:
        def stream(self):
            yield body

    return AWSResponse("", status, {"Content-Type": "application/x-amz-json-1.0"}, Raw())


def told(result):
    """What a migration says of single items, in an order of its own."""
    return sorted(
        line for line in result.stderr.splitlines() if ": user " in line or "task " in line
    )


def test_what_cannot_be_taken_over_is_told_and_the_rest_is_taken_over(operator, api):
    eve, taken = old_user("eve"), api.register("taken")
    users = [
        eve,
        {**old_user("x"), "username": taken.username},
        {**old_user("short"), "username": "ab"},
        plain := old_user("plain", "plain$$old"),
        {**old_user("key"), "user_id": "username#eve"},
        double := {**old_user("double"), "user_id": taken.id},
    ]
    tasks = [
        old_task(eve, "x" * 201, description="more"),
        old_task(eve, status="In Progress"),
        old_task(eve, status="someday"),
        old_task(eve, " "),
        old_task(eve, "Long", description="é" * 16_385),
        old_task(eve, task_id="a/b"),
        old_task({"user_id": str(uuid.uuid4())}, "Nobody's"),
        old_task(users[1], "Of somebody refused"),
    ]
    legacy = Legacy(operator, users, tasks)
    ours = operator.everything()

    tried = legacy.migrate("--dry-run")
    unchanged = operator.everything() == ours
    done = legacy.migrate()

    assert unchanged
    assert (tried.exit_code, done.exit_code) == (1, 1)
    assert tried.stdout == f"{done.stdout}Nothing was written.\n"
    assert done.stdout == counted((1, 0, 5), (3, 0, 5))
    ids = [task["task_id"] for task in tasks]
    id_rule = "An id must have 1 to 128 letters, digits, '_' or '-'."
    expected = [
        f"refused: user {taken.username!r}: the name belongs to another account",
        "refused: user 'ab': A username must have 3 to 64 characters.",
        f"refused: user {plain['username']!r}: a password hash by 'plain' cannot be verified",
        f"refused: user {users[4]['username']!r}: user_id 'username#eve' cannot be an id",
        f"refused: user {double['username']!r}: the user_id is that of {taken.username!r}",
        f"added: task {ids[0]!r}: the whole title is in the description",
        f"added: task {ids[2]!r}: the status 'someday' is now 'pending'",
        f"refused: task {ids[3]!r}: A title must have 1 to 200 characters.",
        f"refused: task {ids[4]!r}: A description must have at most 32768 bytes.",
        f"refused: task 'a/b': {id_rule}",
        f"refused: task {ids[6]!r}: its user {tasks[6]['user_id']!r} was not migrated",
        f"refused: task {ids[7]!r}: its user {tasks[7]['user_id']!r} was not migrated",
    ]
    assert told(tried) == told(done) == sorted(expected)

    token = log_in(api, eve, "scrypt's")["data"]["login"]["token"]
    kept = {task["task_id"]: task for task in api.rest("GET", "/api/v1/tasks", token).json}
    assert kept.keys() == set(ids[:3])
    assert kept[ids[0]]["title"] == "x" * 199 + "…"
    assert kept[ids[0]]["description"] == "x" * 201 + "\n\nmore"
    assert [kept[task_id]["status"] for task_id in ids[1:3]] == ["in_progress", "pending"]


def test_of_names_that_have_become_one_the_first_is_taken_over(operator):
    eve = old_user("eve")
    other = {**old_user("eve"), "username": eve["username"].upper()}
    legacy = Legacy(operator, [eve, other], [old_task(eve), old_task(other)])

    tried, done = legacy.migrate("--dry-run"), legacy.migrate()

    assert done.exit_code == 1
    assert done.stdout == counted((1, 0, 1), (1, 0, 1))
    assert told(tried) == told(done)
    names = (eve["username"], other["username"])
    [line] = [line for line in told(done) if "user " in line and "task " not in line]
    assert line in {
        f"refused: user {one!r}: the name is the same as {two!r}"
        for one, two in (names, names[::-1])
    }


def test_an_old_time_of_creation_is_kept(operator):
    eve = old_user("eve", created_at="2024-02-03T04:05:06.789012")
    task = old_task(eve, created_at="2024-05-06T07:08:09+02:00", status="completed")
    legacy = Legacy(operator, [eve], [task])

    legacy.migrate()

    users, tasks = operator.everything()
    [user] = [item for item in users if item.get("username", {}).get("S") == eve["username"]]
    [kept] = [item for item in tasks if item["task_id"]["S"] == task["task_id"]]
    assert user["created_at"]["S"] == "2024-02-03T04:05:06.789Z"
    times = {kept[name]["S"] for name in ("created_at", "updated_at", "completed_at")}
    assert times == {"2024-05-06T05:08:09.000Z"}


@pytest.mark.engine_is_no_matter
def test_tables_that_are_our_own_are_not_taken_for_old_ones(operator):
    ours = operator.everything()

    refused = operator.run("migrate")

    assert refused.exit_code == 1
    assert refused.output == (
        "Error: The legacy tables Tasks and Users are the service's own:"
        " set TABLE_PREFIX for this command and for the service.\n"
    )
    assert operator.everything() == ours


@pytest.mark.engine_is_no_matter
def test_old_tables_of_another_kind_or_none_are_told(operator):
    legacy = Legacy(operator, [], [])
    wrong = {
        ("no-such-table", legacy.tasks): "DynamoDB has no table no-such-table ",
        (legacy.tasks, legacy.tasks): f"Table {legacy.tasks} has the key task_id (HASH, S), but",
        (legacy.users, legacy.users): f"Table {legacy.users} has the key username (HASH, S), but",
    }

    for (users, tasks), reason in wrong.items():
        refused = operator.run("migrate", "--users-table", users, "--tasks-table", tasks)
        assert refused.exit_code == 1
        assert refused.output.startswith(f"Error: {reason}")
        assert refused.output.count("\n") == 1


@pytest.mark.concurrent
def test_old_tables_may_be_at_an_endpoint_of_their_own(operator, engine):
    ours = Operator(replace(engine, table_prefix=f"{uuid.uuid4().hex}-"))
    ours.run("tables", "create")
    legacy = Legacy(operator, [eve := old_user("eve")], [old_task(eve)])

    done = ours.run(
        *("migrate", "--users-table", legacy.users, "--tasks-table", legacy.tasks),
        *("--endpoint-url", engine.endpoint),
    )
    wrong = ours.run("migrate", "--endpoint-url", "somewhere")

    assert done.stdout == counted((1, 0, 0), (1, 0, 0))
    # And a change, the item of the open task, and that all open ones have theirs.
    assert [len(items) for items in ours.everything()] == [5, 1]
    assert (wrong.exit_code, wrong.output.count("\n")) == (1, 1)
    assert wrong.output.startswith("Error: --endpoint-url: ")
