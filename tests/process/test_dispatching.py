"""What is due is told by the service that runs, and by commands when it does not."""

import json
import os
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta

import pytest
from conftest import CREATE, REGISTER
from service import ROOT, SETTINGS, running
from test_live_streams import post, subscribed

pytestmark = pytest.mark.whole

LIVE = "subscription { changes { kind lateSeconds task { title } } }"
FEED = "{ changes { nodes { kind lateSeconds } } }"
TIMED = {"REMINDER", "TASK_DUE", "TASK_OVERDUE"}


def soon(seconds):
    return (datetime.now(UTC) + timedelta(seconds=seconds)).isoformat()


def command(data, *arguments):
    """A command on the data of a service that does not run."""
    kept = {n: v for n, v in os.environ.items() if n not in SETTINGS and not n.startswith("AWS_")}
    return subprocess.Popen(
        [sys.executable, "-m", "graphql_api", *arguments],
        cwd=ROOT,
        env={**kept, "DATA_DIR": str(data)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def register(url):
    name = f"timed-{time.monotonic_ns()}"
    answer = post(url, REGISTER, input={"username": name, "password": "correct horse battery"})
    return answer["data"]["register"]["token"]


def timed(url, token):
    nodes = post(url, FEED, token)["data"]["changes"]["nodes"]
    return [node for node in nodes if node["kind"] in TIMED]


def test_a_subscriber_is_told_what_is_due(tmp_path):
    with running(tmp_path / "data", WORKERS="2") as url:
        token = register(url)
        with subscribed(url, token, LIVE) as events:
            fields = {"title": "Tea", "dueAt": soon(3), "reminders": [{"at": soon(2)}]}
            post(url, CREATE, token, input=fields)
            told = [json.loads(events.next()["data"])["data"]["changes"] for _ in range(4)]

    assert [change["kind"] for change in told] == [
        *("TASK_CREATED", "REMINDER", "TASK_DUE", "TASK_OVERDUE")
    ]
    assert {change["task"]["title"] for change in told} == {"Tea"}


def test_what_was_due_while_nothing_ran_is_told_late(tmp_path):
    for seconds in (5, 25, 125):  # a busy machine may take longer to stop than it is until then
        data = tmp_path / f"data-{seconds}"
        with running(data) as url:
            token = register(url)
            due = time.time() + seconds
            post(url, CREATE, token, input={"title": "Tea", "dueAt": soon(seconds)})
        if time.time() < due:
            break
    time.sleep(max(0.0, due + 2 - time.time()))  # while the clock of the whole service goes on

    once = command(data, "dispatch", "--once")
    said, _ = once.communicate(timeout=120)
    with running(data) as url:
        told = timed(url, token)

    assert (once.returncode, said) == (0, "")
    assert [node["kind"] for node in told] == ["TASK_DUE", "TASK_OVERDUE"]
    assert all(node["lateSeconds"] >= 1 for node in told)


@pytest.mark.parametrize("ending", [signal.SIGTERM, signal.SIGINT])
def test_a_dispatching_process_ends_by_a_signal(tmp_path, ending):
    data = tmp_path / "data"
    with running(data):
        pass
    process = command(data, "dispatch")
    first = process.stdout.readline()
    process.send_signal(ending)

    rest, _ = process.communicate(timeout=120)

    assert (first, rest) == ("Dispatching, until SIGTERM or Ctrl-C.\n", "")
    assert process.returncode == 0
