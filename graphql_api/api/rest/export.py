"""GET /api/v1/export: all that is the user's, as JSON Lines, while the service runs.

The lines are written to an unnamed file, one page of tasks in memory at a time. The server sends it
as fast as the client reads, and cuts one that stops reading (`infra/serving/connections.py`). Until
then it takes room on the disk: a user, and a process, have only so many at a time.
"""

import io
import logging
import tempfile
from collections.abc import Callable, Iterable
from contextlib import ExitStack, suppress
from functools import partial
from typing import IO

from flask import Response

from graphql_api.api.graphql.access.scopes import Permission, Scope
from graphql_api.api.graphql.changes import feed_cursor
from graphql_api.api.graphql.context import Services
from graphql_api.api.http.requests import HTTPRequest, build_context
from graphql_api.api.http.responses import file_response
from graphql_api.domain.archive.lines import Archives
from graphql_api.domain.changes.model import Position
from graphql_api.errors import QueryTooComplex, ServiceUnavailable
from graphql_api.infra.concurrency.bulkhead import Bulkhead
from graphql_api.infra.concurrency.quota import Quota

PATH = "/api/v1/export"
JSON_LINES = "application/jsonl"
MAX_BYTES = 1024**3  # that one export may take of the disk
MAX_OPEN, MAX_OPEN_OF_USER = 8, 2  # exports of a process that are not read to their end
RETRY_SECONDS = 60
PERMISSION = Permission(Scope.TASKS_READ)

logger = logging.getLogger(__name__)


class ExportView:
    """Answers with an export; as many at a time are written as long lists."""

    def __init__(self, services: Services, archives: Archives, bulkhead: Bulkhead) -> None:
        self._services, self._archives, self._bulkhead = services, archives, bulkhead
        self._open = Quota(
            MAX_OPEN,
            MAX_OPEN_OF_USER,
            full="Too many exports are being read, try again.",
            too_many=f"{MAX_OPEN_OF_USER} exports of yours are still being read.",
            retry_after=RETRY_SECONDS,
        )

    def respond(self, request: HTTPRequest) -> Response:
        """Write the export, and send it.

        Raises Unauthenticated, Forbidden, QueryTooComplex, RateLimited, ServiceUnavailable.
        """
        context = build_context(self._services, request)
        user = context.user(context.viewer_id)
        if token := context.access_token:
            PERMISSION.check(token)
        if request.method == "HEAD":
            return Response(mimetype=JSON_LINES)
        cursor = feed_cursor(context, Position.end(context.now))
        lines = self._archives.lines(user, cursor, token)
        self._open.take(user.user_id)
        with ExitStack() as unless_sent:
            file = ExportFile(partial(self._open.give_back, user.user_id))
            unless_sent.callback(file.close)
            self._bulkhead.run_in_thread(lambda: _write(file, lines))
            unless_sent.pop_all()
        return file_response(file, request.environ, JSON_LINES)


class ExportFile(io.BufferedRandom):
    """A file that nobody else finds, and that tells when it is closed, or dropped."""

    def __init__(self, on_close: Callable[[], None]) -> None:
        self._on_close: Callable[[], None] | None = on_close
        super().__init__(tempfile.TemporaryFile(buffering=0))  # noqa: SIM115 - it is closed with this

    def close(self) -> None:
        """Close it, which frees its room on the disk."""
        with suppress(OSError):  # of a full disk: who has written has heard of it
            super().close()
        told, self._on_close = self._on_close, None
        if told:
            told()


def _write(file: IO[bytes], lines: Iterable[bytes]) -> None:
    """Write lines. Raises QueryTooComplex, and ServiceUnavailable if the disk is full."""
    size = 0
    try:
        for line in lines:
            size += file.write(line)
            if size > MAX_BYTES:
                raise QueryTooComplex("There is too much to export it: ask the operator.")
        file.flush()  # what does not fit is told before the answer begins
    except OSError as error:
        logger.exception("An export could not be written")
        raise ServiceUnavailable("There is no room for an export now: try again.") from error
