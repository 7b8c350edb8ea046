"""A deletion is completed though every process that knows of it is killed."""

import signal
import time
from pathlib import Path

import pytest
from conftest import PASSWORD, Api, bearer
from test_process import APP, SECRET, Program
from whole_tables import scanned

from graphql_api import clock
from graphql_api.infra.dynamodb import connect

pytestmark = [pytest.mark.whole, pytest.mark.engine_is_no_matter]

LONG = 120  # seconds: more than a start and a pass take on any machine
DELETE_ACCOUNT = """
  mutation ($input: DeleteAccountInput!) { deleteAccount(input: $input) { deletedUserId } }
"""


@pytest.fixture
def start(engine, tmp_path):
    """Start services on the engine's tables, each with one worker."""
    if engine.endpoint is None:
        pytest.skip("processes cannot share an in-process mock")
    settings = {"DYNAMODB": engine.endpoint, "JWT_SECRET": SECRET, "WORKERS": "1"}
    programs: list[Program] = []

    def start(name: str) -> Program:
        directory = Path(tmp_path, name)
        directory.mkdir()
        program = Program(APP, directory, **settings)
        programs.append(program)
        program.ready()
        return program

    yield start
    for program in programs:
        program.__exit__()


@pytest.fixture
def store(engine):
    return connect(engine)


def traces(store, user_id: str) -> dict[str, int]:
    """How many items of each table tell of a user."""
    return {
        name: sum(user_id in str(item) for item in scanned(store, name))
        for name in ("Users", "Tasks")
    }


def make_due(store, user_id: str) -> None:
    """Let the time of the second pass come."""
    store.update_item(
        TableName="Users",
        Key={"user_id": {"S": "job#deletion"}, "item": {"S": user_id}},
        UpdateExpression="SET due_at = :now",
        ExpressionAttributeValues={":now": {"N": str(int(clock.now().timestamp()))}},
    )


def late_writes(service: Program, token: str) -> int:
    """How many tasks with receipts are created until the session has ended there, too."""
    for number in range(100):
        headers = {"Idempotency-Key": f"{number}", **bearer(token)}
        if service.post("/api/v1/tasks", {"title": f"{number}"}, headers).status != 201:
            return number
    return 100


def deleted_while_cached(here: Program, there: Program) -> tuple[str, int]:
    """Delete an account here while a session of it is cached there; its id, and the late writes."""
    ann = Api(here).register("killed")
    account = {"username": ann.username, "password": PASSWORD}
    token = there.post("/auth/login", account, {}).get_json()["token"]
    answer = ann.graphql(DELETE_ACCOUNT, input={"password": PASSWORD})
    assert answer == {"data": {"deleteAccount": {"deletedUserId": ann.id}}}
    return ann.id, late_writes(there, token)


def test_an_account_is_deleted_whole_though_both_processes_are_killed(start, store):
    here, there = start("here"), start("there")
    for _ in range(10):  # on a busy machine a deletion may take longer than a session is cached
        user_id, late = deleted_while_cached(here, there)
        if late:
            break
    here.end(signal.SIGKILL)
    there.end(signal.SIGKILL)

    left = traces(store, user_id)
    assert left["Tasks"] == late > 0
    assert left["Users"] > late  # receipts, and the job

    make_due(store, user_id)
    start("next")

    deadline = time.monotonic() + LONG
    while traces(store, user_id) != {"Users": 0, "Tasks": 0}:
        assert time.monotonic() < deadline, traces(store, user_id)
        time.sleep(0.1)
