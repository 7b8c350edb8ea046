"""Files that are answers are closed once the server has sent them."""

import tempfile
from pathlib import Path

from graphql_api.infra.serving import files
from graphql_api.infra.serving.files import close_when_sent

SOON = 60  # seconds that a thread gets on any machine


def test_a_file_is_closed_once_the_server_has_closed_it():
    file = tempfile.TemporaryFile()  # noqa: SIM115 - what is tested closes it
    with Path(f"/dev/fd/{file.fileno()}").open("rb"):
        thread = close_when_sent(file)
        thread.join(0.2)
        assert not file.closed

    thread.join(SOON)
    assert file.closed


def test_a_file_that_is_never_opened_is_closed_in_the_end(monkeypatch):
    monkeypatch.setattr(files, "OPEN_SECONDS", 0.0)
    file = tempfile.TemporaryFile()  # noqa: SIM115 - what is tested closes it

    close_when_sent(file).join(SOON)

    assert file.closed
