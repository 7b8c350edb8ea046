"""Messages of MCP over HTTP: JSON-RPC 2.0 in two eras of the protocol. Pure.

https://modelcontextprotocol.io/specification/2026-07-28/basic/transports and, with `initialize`,
/specification/2025-11-25. No era has a session here: each request stands for itself.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

MODERN = ("2026-07-28",)
LEGACY = ("2025-11-25", "2025-06-18", "2025-03-26")

PARSE_ERROR, INVALID_REQUEST = -32700, -32600
METHOD_NOT_FOUND, INVALID_PARAMS = -32601, -32602
HEADER_MISMATCH, UNSUPPORTED_VERSION = -32020, -32022
_STATUS = {METHOD_NOT_FOUND: 404}  # others: 400

_VERSION = "io.modelcontextprotocol/protocolVersion"
_CAPABILITIES = "io.modelcontextprotocol/clientCapabilities"
SERVER_INFO = "io.modelcontextprotocol/serverInfo"


class ProtocolError(Exception):
    """A message that is not carried out; its answer is an error of JSON-RPC."""

    def __init__(self, code: int, message: str, data: Any = None, id: Any = None) -> None:
        super().__init__(message)
        self.code, self.data, self.id = code, data, id

    @property
    def status(self) -> int:
        """The HTTP status."""
        return _STATUS.get(self.code, 400)

    @property
    def body(self) -> dict[str, Any]:
        """The answer."""
        error = {"code": self.code, "message": str(self)}
        if self.data is not None:
            error["data"] = self.data
        return {"jsonrpc": "2.0", "id": self.id, "error": error}


@dataclass(frozen=True, slots=True)
class Message:
    """A request, or a notification without `id`; `is_modern` if it needs no `initialize`."""

    id: str | int | None
    method: str
    params: Mapping[str, Any]
    is_modern: bool

    @classmethod
    def parse(cls, body: Any, headers: Mapping[str, str]) -> "Message":
        """Read a message with its headers, by names in lower case. Raises ProtocolError."""
        if not isinstance(body, dict) or body.get("jsonrpc") != "2.0":
            raise ProtocolError(INVALID_REQUEST, "Send one JSON-RPC 2.0 message in each request.")
        number, method, params = body.get("id"), body.get("method"), body.get("params", {})
        if isinstance(number, bool) or not isinstance(number, str | int | None):
            raise ProtocolError(INVALID_REQUEST, "id must be a text or a whole number.")
        if not isinstance(method, str) or not isinstance(params, dict):
            raise ProtocolError(
                INVALID_REQUEST, "method must be a text, and params an object.", id=number
            )
        meta = params.get("_meta")
        asked = headers.get("mcp-protocol-version")
        is_modern = asked in MODERN or (isinstance(meta, dict) and _VERSION in meta)
        if is_modern:
            _check_envelope(number, method, params, headers)
        elif asked is not None and asked not in LEGACY:
            raise _unsupported(asked, number)
        return cls(number, method, params, is_modern)

    def answer(self, result: Mapping[str, Any]) -> dict[str, Any]:
        """The answer with a result, which the modern era marks as complete."""
        complete = {"resultType": "complete"} if self.is_modern else {}
        return {"jsonrpc": "2.0", "id": self.id, "result": {**complete, **result}}

    def refusal(self, code: int, message: str, data: Any = None) -> ProtocolError:
        """The error of a message that cannot be carried out."""
        return ProtocolError(code, message, data, self.id)


def _check_envelope(
    id: Any, method: str, params: Mapping[str, Any], headers: Mapping[str, str]
) -> None:
    """Raise ProtocolError for a message of the modern era whose parts do not agree."""
    meta = params.get("_meta")
    if not isinstance(meta, dict) or not isinstance(meta.get(_VERSION), str):
        raise ProtocolError(INVALID_PARAMS, f"params._meta must have {_VERSION}.", id=id)
    if id is not None and _CAPABILITIES not in meta:
        raise ProtocolError(INVALID_PARAMS, f"params._meta must have {_CAPABILITIES}.", id=id)
    mirrored = {"mcp-protocol-version": meta[_VERSION], "mcp-method": method}
    if method == "tools/call" and isinstance(params.get("name"), str):
        mirrored["mcp-name"] = params["name"]
    for name, value in mirrored.items():
        if headers.get(name) != value:
            raise ProtocolError(
                HEADER_MISMATCH, f"The header {name} must be what the body says.", id=id
            )
    if meta[_VERSION] not in MODERN:
        raise _unsupported(meta[_VERSION], id)


def _unsupported(asked: str, id: Any) -> ProtocolError:
    supported = [*MODERN, *LEGACY]
    return ProtocolError(
        UNSUPPORTED_VERSION,
        f"This server speaks {', '.join(supported)}.",
        {"supported": supported, "requested": asked[:50]},
        id,
    )
