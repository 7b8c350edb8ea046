"""Webhooks of a service that is killed again and again: what was acknowledged is delivered."""

import http.client
import logging
import signal
import threading
import time

import pytest
from conftest import CREATE, REGISTER, UPDATE
from receiver import receiving
from test_process import APP, LONG, Program

pytestmark = [pytest.mark.whole, pytest.mark.engine_is_no_matter]

LIVES = 4
log = logging.getLogger(__name__)
WEBHOOK = """mutation ($url: String!) {
  createWebhook(input: {url: $url}) { secret webhook { id } } }"""


class Writer:
    """Creates and updates tasks until the service is gone; what was acknowledged, by version."""

    def __init__(self) -> None:
        self.token, self.acknowledged, self.tried = "", [], 0

    def ask(self, program, query, **variables):
        headers = {"Authorization": f"Bearer {self.token}"} if self.token else {}
        answer = program.post("/graphql", {"query": query, "variables": variables}, headers)
        return answer.get_json()["data"]

    def write(self, program) -> None:
        """Write for as long as somebody answers."""
        try:
            while True:
                self.tried += 1
                task = self.ask(program, CREATE, input={"title": "1"})["createTask"]["task"]
                self.acknowledged.append((task["id"], 1))
                for version in (2, 3):
                    given = {"id": task["id"], "title": f"{version}"}
                    self.ask(program, UPDATE, input=given)
                    self.acknowledged.append((task["id"], version))
        except (OSError, http.client.HTTPException, TypeError, ValueError):
            return  # the service was killed


def wait_for(happens) -> None:
    deadline = time.monotonic() + LONG
    while not happens():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_what_was_acknowledged_is_delivered_though_every_process_is_killed(tmp_path, caplog):
    caplog.set_level(logging.INFO)
    writer = Writer()
    settings = {"DATA_DIR": tmp_path / "data", "WEBHOOK_ALLOW_PRIVATE": "1", "WORKERS": "1"}
    with receiving() as receiver:
        for life in range(LIVES):
            with Program(APP, tmp_path, **settings) as program:
                program.ready()
                if life == 0:
                    account = {"username": "ann", "password": "correct horse battery"}
                    answer = writer.ask(program, REGISTER, input=account)
                    writer.token = answer["register"]["token"]
                    created = writer.ask(program, WEBHOOK, url=receiver.url)["createWebhook"]
                writing = threading.Thread(target=writer.write, args=(program,))
                before = len(receiver.messages)
                writing.start()
                wait_for(lambda before=before: len(receiver.messages) > before + 10)
                program.end(signal.SIGKILL, group=True)
                writing.join()
        with Program(APP, tmp_path, **settings) as program:
            program.ready()
            wait_for(lambda: set(writer.acknowledged) <= set(came(receiver)))

    ids = {}
    for message in receiver.messages:
        key = message.task, message.payload["data"]["version"]
        ids.setdefault(key, set()).add(message.id)
        assert message.is_signed_by(created["secret"])
    assert {len(each) for each in ids.values()} == {1}  # a message that came again has its id
    for task in {task for task, _ in ids}:
        order = list(dict.fromkeys(version for each, version in came(receiver) if each == task))
        assert order == sorted(order)
    unknown = set(ids) - set(writer.acknowledged)
    assert len(unknown) <= LIVES  # those whose answer was lost when the service was killed
    log.info(
        "kill -9 during deliveries: %s acknowledged changes, %s kills: %s messages, %s of them"
        " again, none missing",
        *(len(writer.acknowledged), LIVES, len(receiver.messages)),
        len(receiver.messages) - len(ids),
    )


def came(receiver):
    return [(message.task, message.payload["data"]["version"]) for message in receiver.messages]
