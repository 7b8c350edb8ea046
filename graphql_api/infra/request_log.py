"""What the service tells its operators: JSON lines, one event each, under the request's id.

Nothing that a client sent is written as it came: what is not ASCII and every control
character is escaped, so that one event stays one line. Bodies, variables, query strings and
headers are never written.
"""

import contextlib
import json
import logging
import time
from collections.abc import Iterable
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import orjson

from graphql_api.infra import process_wide

LONGEST_PATH = 200  # characters
LONGEST_NAME = 100

log = logging.getLogger(__name__)


@dataclass(slots=True)
class Request:
    """What is known so far of the request that this thread is answering."""

    id: str
    method: str
    path: str
    client: str
    started: float = field(default_factory=time.perf_counter)
    user_id: str | None = None
    operation: str | None = None
    codes: tuple[str, ...] = ()
    dynamodb_calls: int = 0
    does: str = "none"  # a route, or a GraphQL root field

    @property
    def seconds(self) -> float:
        """How long it has taken until now."""
        return time.perf_counter() - self.started


_request: ContextVar[Request | None] = ContextVar("request", default=None)


def begin(request_id: str, method: str, path: str, client: str) -> Request:
    """Answer another request from now on, on this thread."""
    request = Request(request_id, method, path[:LONGEST_PATH], client)
    _request.set(request)
    return request


def request_id() -> str:
    """The id of the request that this thread is answering; empty outside of one."""
    request = _request.get()
    return request.id if request else ""


def note(
    *,
    user_id: str | None = None,
    operation: str | None = None,
    codes: tuple[str, ...] = (),
    does: str | None = None,
) -> None:
    """Remember what turned out about the request; outside of one, nothing."""
    if request := _request.get():
        request.user_id = user_id or request.user_id
        request.operation = operation[:LONGEST_NAME] if operation else request.operation
        request.codes = codes or request.codes
        request.does = does or request.does


def only(names: Iterable[str]) -> str:
    """The only one of some names, `several` or `none`: what of them is told in one word."""
    found = set(names)
    return found.pop() if len(found) == 1 else "several" if found else "none"


def count_call() -> None:
    """One more DynamoDB call was made for the request."""
    if request := _request.get():
        request.dynamodb_calls += 1


def end() -> None:
    """Answer no request any more, on this thread."""
    _request.set(None)


def finish(status: int) -> None:
    """Write the request's line: who asked for what, how it ended, what it took."""
    request = _request.get()
    if request is None or not log.isEnabledFor(logging.INFO):
        return
    what = {
        "client": request.client,
        "method": request.method,
        "path": request.path,
        "operation": request.operation,
        "status": status,
        "codes": request.codes or None,
        "duration_ms": round(request.seconds * 1000, 1),
        "dynamodb_calls": request.dynamodb_calls,
    }
    log.handle(_Finished(what))


_BLANK = vars(logging.LogRecord(log.name, logging.INFO, "", 0, "request", None, None))


class _Finished(logging.LogRecord):
    """That a request has its answer: a record without what Python finds out for each one.

    Nothing of that is written, and it takes 5 of the 15 µs of a line.
    """

    def __init__(self, what: dict[str, Any]) -> None:
        vars(self).update(_BLANK, created=time.time(), what=what)


class JsonLines(logging.Formatter):
    """One JSON object a line; what is null is left out."""

    def format(self, record: logging.LogRecord) -> str:
        """The line of a record."""
        request = _request.get()
        line: dict[str, Any] = {
            "time": _instant(record.created),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
            "request_id": request and request.id,
            "user_id": request and request.user_id,
            **getattr(record, "what", {}),
            "exception": self.formatException(record.exc_info) if record.exc_info else None,
        }
        known = {name: value for name, value in line.items() if value is not None}
        with contextlib.suppress(TypeError):  # orjson refuses what is no Unicode
            text = orjson.dumps(known)
            if text.isascii() and b"\x7f" not in text:  # DEL, which orjson leaves as it is
                return text.decode()
        return json.dumps(known)


def install(level: str) -> None:
    """Write JSON lines to standard error: our own from this level on, others' warnings."""
    handler = logging.StreamHandler()
    handler.setFormatter(JsonLines())
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)
    logging.getLogger("graphql_api").setLevel(level)
    process_wide.drop_unused_log_fields()


def _instant(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds")
