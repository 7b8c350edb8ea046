"""GET /api/v1/export: all that is the user's, as JSON Lines, while the service runs.

The lines are written to an unnamed file, one page of tasks in memory at a time. The server sends it
as fast as the client reads, and cuts one that stops reading (`infra/serving/connections.py`).
"""

import logging
import tempfile
from collections.abc import Iterable
from contextlib import ExitStack
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

PATH = "/api/v1/export"
JSON_LINES = "application/jsonl"
MAX_BYTES = 1024**3  # that one export may take of the disk
PERMISSION = Permission(Scope.TASKS_READ)

logger = logging.getLogger(__name__)


class ExportView:
    """Answers with an export; as many at a time as long lists."""

    def __init__(self, services: Services, archives: Archives, bulkhead: Bulkhead) -> None:
        self._services, self._archives, self._bulkhead = services, archives, bulkhead

    def respond(self, request: HTTPRequest) -> Response:
        """Write the export, and send it.

        Raises Unauthenticated, Forbidden, QueryTooComplex, ServiceUnavailable.
        """
        context = build_context(self._services, request)
        user = context.user(context.viewer_id)
        if token := context.access_token:
            PERMISSION.check(token)
        if request.method == "HEAD":
            return Response(mimetype=JSON_LINES)
        cursor = feed_cursor(context, Position.end(context.now))
        lines = self._archives.lines(user, cursor, token)
        file = self._bulkhead.run_in_thread(lambda: _written(lines))
        return file_response(file, request.environ, JSON_LINES)


def _written(lines: Iterable[bytes]) -> IO[bytes]:
    """The lines in a file. Raises QueryTooComplex, and ServiceUnavailable if the disk is full."""
    try:
        return _file_of(lines)
    except OSError as error:
        logger.exception("An export could not be written")
        raise ServiceUnavailable("There is no room for an export now: try again.") from error


def _file_of(lines: Iterable[bytes]) -> IO[bytes]:
    """The lines in a file that nobody else finds. Raises QueryTooComplex if it grows too large."""
    size = 0
    with ExitStack() as unless_done:
        file = unless_done.enter_context(tempfile.TemporaryFile())
        for line in lines:
            size += file.write(line)
            if size > MAX_BYTES:
                raise QueryTooComplex("There is too much to export it: ask the operator.")
        file.flush()  # what does not fit is told before the answer begins
        unless_done.pop_all()
    return file
