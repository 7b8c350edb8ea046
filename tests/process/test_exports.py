"""Exports of the whole service: sent as fast as they are read, and cut where nobody reads."""

import json
import socket
import uuid
from contextlib import ExitStack
from urllib.parse import urlsplit

import pytest
from conftest import CREATE, Api, bearer
from test_process import APP, Program

from graphql_api.config import Config
from graphql_api.infra.dynamodb import connect, embedded

pytestmark = pytest.mark.whole

COPIES = 1_600
DESCRIPTION = "x" * 5_000  # so that an export has some 8 MB: more than any buffer
CUT = "Connections of slow clients were cut: "


def copy_task(data):
    """Write many copies of the only task there is, beside the service."""
    client = connect(embedded.prepare(Config(data_dir=data), beside=True))
    [item] = client.scan(TableName="Tasks")["Items"]
    copies = [{**item, "task_id": {"S": str(uuid.uuid4())}} for _ in range(COPIES)]
    for start in range(0, COPIES, 25):
        puts = [{"PutRequest": {"Item": each}} for each in copies[start : start + 25]]
        client.batch_write_item(RequestItems={"Tasks": puts})


def test_a_long_export_is_whole_and_a_reader_that_stops_is_cut(tmp_path):
    data = tmp_path / "data"
    with Program(APP, tmp_path, DATA_DIR=data, WORKERS=1) as service:
        service.ready()
        person = Api(service).register("ann")
        person.graphql(CREATE, input={"title": "x", "description": DESCRIPTION})
        copy_task(data)
        answer = service.get("/api/v1/export", **bearer(person.token))
        address = urlsplit(service.url)
        head = f"GET /api/v1/export HTTP/1.1\r\nHost: x\r\nAuthorization: {person.token}\r\n\r\n"
        with ExitStack() as silent:

            def is_begun() -> bool:
                """Ask for an export of which no more than the status is read."""
                place = (address.hostname, address.port)
                connection = silent.enter_context(socket.create_connection(place))
                connection.sendall(head.encode())
                return connection.recv(12) == b"HTTP/1.1 200"

            for _ in range(2):  # as many as a user may have, once the first is given back
                service.eventually(is_begun)
            refused = service.get("/api/v1/export", **bearer(person.token)).status
            service.eventually(lambda: CUT in service.errors.read_text())
            service.eventually(
                lambda: service.get("/api/v1/export", **bearer(person.token)).status == 200
            )
        service.end()

    assert refused == 429
    assert len(answer.body) == int(answer.headers["Content-Length"]) > 8_000_000
    last = json.loads(answer.body.splitlines()[-1])
    assert last == {"type": "end", "lines": COPIES + 3}
