"""JSON log lines, one event each, and the record of the request that they belong to.

Nothing that a client sent is written as it came: what is not ASCII and every control character is
escaped, so that one event stays one line. Bodies, variables, query strings and headers are never
written.
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

MAX_PATH = 200  # characters
MAX_NAME = 100

log = logging.getLogger(__name__)


@dataclass(slots=True)
class RequestRecord:
    """The facts about a request that are known so far, for its log line and its metrics."""

    id: str
    method: str
    path: str
    client: str
    started: float = field(default_factory=time.perf_counter)
    user_id: str | None = None
    operation: str | None = None
    codes: tuple[str, ...] = ()
    dynamodb_calls: int = 0
    endpoint: str = "none"  # a route, or a GraphQL root field

    @property
    def seconds(self) -> float:
        """The time that it has taken until now."""
        return time.perf_counter() - self.started


_record: ContextVar[RequestRecord | None] = ContextVar("request", default=None)


def bind(request_id: str, method: str, path: str, client: str) -> RequestRecord:
    """Begin the record of a request, to which this context belongs from now on."""
    record = RequestRecord(request_id, method, path[:MAX_PATH], client)
    _record.set(record)
    return record


def unbind() -> None:
    """End the request that this context belongs to."""
    _record.set(None)


def request_id() -> str:
    """Return the id of the current request; an empty text outside of one."""
    record = _record.get()
    return record.id if record else ""


def annotate(
    *,
    user_id: str | None = None,
    operation: str | None = None,
    codes: tuple[str, ...] = (),
    endpoint: str | None = None,
) -> None:
    """Add facts to the record of the current request; outside of one, do nothing."""
    if record := _record.get():
        record.user_id = user_id or record.user_id
        record.operation = operation[:MAX_NAME] if operation else record.operation
        record.codes = codes or record.codes
        record.endpoint = endpoint or record.endpoint


def count_call() -> None:
    """Count a DynamoDB call for the current request."""
    if record := _record.get():
        record.dynamodb_calls += 1


def single_or_several(names: Iterable[str]) -> str:
    """Return the only one of some names, `several` or `none`: a label for all of them."""
    distinct = set(names)
    return distinct.pop() if len(distinct) == 1 else "several" if distinct else "none"


def emit(status: int) -> None:
    """Write the line of the current request: who asked for what, how it ended, what it took."""
    record = _record.get()
    if record is None or not log.isEnabledFor(logging.INFO):
        return
    fields = {
        "client": record.client,
        "method": record.method,
        "path": record.path,
        "operation": record.operation,
        "status": status,
        "codes": record.codes or None,
        "duration_ms": round(record.seconds * 1000, 1),
        "dynamodb_calls": record.dynamodb_calls,
    }
    log.info("request", extra={"fields": fields})


class JSONFormatter(logging.Formatter):
    """Formats a record as one line of JSON; what is null is left out."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line, in ASCII without control characters."""
        request = _record.get()
        fields: dict[str, Any] = {
            "time": _timestamp(record.created),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
            "request_id": request and request.id,
            "user_id": request and request.user_id,
            **getattr(record, "fields", {}),
            "exception": self.formatException(record.exc_info) if record.exc_info else None,
        }
        known = {name: value for name, value in fields.items() if value is not None}
        with contextlib.suppress(TypeError):  # orjson refuses texts that are not Unicode
            line = orjson.dumps(known)
            if line.isascii() and b"\x7f" not in line:  # DEL, which orjson leaves as it is
                return line.decode()
        return json.dumps(known)


def configure(level: str) -> None:
    """Write JSON lines to standard error: our own from this level on, libraries' warnings."""
    handler = logging.StreamHandler()
    handler.setFormatter(JSONFormatter())
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)
    logging.getLogger("graphql_api").setLevel(level)
    process_wide.drop_unused_log_fields()


def _timestamp(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds")
