"""MCP over HTTP: a message → an operation → an answer of JSON."""

from collections.abc import Callable, Collection, Mapping
from typing import Any
from urllib.parse import urlsplit

from flask import Response

from graphql_api.api.graphql.access.scopes import permission_of
from graphql_api.api.graphql.context import Context, Services
from graphql_api.api.http.requests import HTTPRequest, build_context, read_json
from graphql_api.api.http.responses import json_response
from graphql_api.api.mcp import protocol
from graphql_api.api.mcp.advice import advice
from graphql_api.api.mcp.protocol import Message, ProtocolError
from graphql_api.api.mcp.tools import (
    DRY_RUN,
    EXPECTED_WEEKDAY,
    SOURCE,
    BoundTool,
    as_json,
    bound_tools,
)
from graphql_api.api.mcp.weekdays import check_weekday
from graphql_api.api.rest.operations import operations_of
from graphql_api.errors import AppError, BadUserInput, Forbidden, Unauthenticated, Wording
from graphql_api.infra import request_log
from graphql_api.infra.executor.executor import Executor, Request

METADATA = "/.well-known/oauth-protected-resource"
TTL_MS = 300_000  # for which clients may keep what the server says of itself
INSTRUCTIONS = (
    "Tasks of one person. Look before you write: find_tasks and what_now give ids and versions;"
    " pass expected_version with changes. Try dry_run first if you are unsure. If an answer was"
    " lost, repeat the call with the same idempotency_key: it is done once. Pass expected_weekday"
    " where the person named a weekday. undo takes a change back."
)
WANTED = (
    "Send an access token: Authorization: Bearer sts_… Its user makes one by createAccessToken, or"
    " an operator by `python -m graphql_api token create`."
)
LOOPBACK = {"localhost", "127.0.0.1", "::1"}


class MCPView:
    """Answers messages of MCP by tools, which run operations with an access token's context."""

    def __init__(
        self, executor: Executor, services: Services, origins: Collection[str], version: str
    ) -> None:
        """`origins` are those of web pages that may send messages, beside this machine's own."""
        operations = operations_of(executor.schema, SOURCE)
        self._executor, self._services, self._origins = executor, services, origins
        self._document = operations.text
        self._server = {"name": "smart-task-scheduler", "version": version}
        self._tools = bound_tools(operations)
        self._listed = [tool.described for tool in self._tools.values()]
        self._methods: Mapping[str, Callable[[Message, Context], dict[str, Any]]] = {
            "initialize": self._initialize,
            "ping": lambda _message, _context: {},
            "server/discover": self._discover,
            "tools/list": self._list,
            "tools/call": self._call,
        }

    def respond(self, request: HTTPRequest) -> Response:
        """Answer a message; an error of its own in the form of JSON-RPC."""
        try:
            self._check_origin(request)
            context = self._authenticated(request)
            message = Message.parse(_body(request), _headers(request))
            if message.id is None:  # a notification, of which none is of interest
                return Response(status=202)
            handle = self._methods.get(message.method)
            if handle is None:
                error = message.refusal(
                    protocol.METHOD_NOT_FOUND, f"There is no method {message.method[:50]!r}."
                )
                return _refused(error, error.status if message.is_modern else 200)
            return json_response(message.answer(handle(message, context)))
        except ProtocolError as error:
            return _refused(error, error.status)
        except Unauthenticated as error:
            return _challenged(request, error)
        except Forbidden as error:
            return _refused(ProtocolError(protocol.INVALID_REQUEST, error.message), error.status)

    def metadata(self, request: HTTPRequest) -> Response:
        """The metadata of this resource (RFC 9728): there is no authorization server."""
        return json_response(
            {
                "resource": f"{_base(request)}/mcp",
                "resource_name": "Smart Task Scheduler",
                "authorization_servers": [],
                "bearer_methods_supported": ["header"],
                "how_to_get_a_token": WANTED,
            }
        )

    def _check_origin(self, request: HTTPRequest) -> None:
        """Raise Forbidden for a message of a foreign web page, whose name may mean this machine."""
        origin = request.environ.get("HTTP_ORIGIN")
        if origin is None or origin in self._origins or urlsplit(origin).hostname in LOOPBACK:
            return
        raise Forbidden("This origin may not send messages: CORS_ORIGINS lists those that may.")

    def _authenticated(self, request: HTTPRequest) -> Context:
        """The context of the request's access token. Raises Unauthenticated without one."""
        context = build_context(self._services, request)
        if context.access_token is None:
            raise Unauthenticated(WANTED)
        return context

    def _initialize(self, message: Message, _: Context) -> dict[str, Any]:
        asked = message.params.get("protocolVersion")
        version = asked if asked in protocol.LEGACY else protocol.LEGACY[0]
        return {
            "protocolVersion": version,
            "capabilities": {"tools": {}},
            "serverInfo": self._server,
            "instructions": INSTRUCTIONS,
        }

    def _discover(self, _message: Message, _context: Context) -> dict[str, Any]:
        return {
            "supportedVersions": [*protocol.MODERN, *protocol.LEGACY],
            "capabilities": {"tools": {}},
            "instructions": INSTRUCTIONS,
            "_meta": {protocol.SERVER_INFO: self._server},
            **_cached(),
        }

    def _list(self, message: Message, _: Context) -> dict[str, Any]:
        return {"tools": self._listed, **(_cached() if message.is_modern else {})}

    def _call(self, message: Message, context: Context) -> dict[str, Any]:
        """Run a tool. Raises ProtocolError for one that there is not."""
        name, arguments = message.params.get("name"), message.params.get("arguments") or {}
        tool = self._tools.get(name) if isinstance(name, str) else None
        if tool is None:
            raise message.refusal(
                protocol.INVALID_PARAMS,
                f"There is no such tool; there are {', '.join(self._tools)}.",
            )
        if not isinstance(arguments, dict):
            raise message.refusal(protocol.INVALID_PARAMS, "arguments must be an object.")
        try:
            result = self._run(tool, arguments, context)
            return _content(result, tool.tool.told(result))
        except AppError as error:
            request_log.annotate(codes=(error.code,))
            result = _described(error, tool.wording)
            return {**_content(result, as_json(result)), "isError": True}

    def _run(
        self, tool: BoundTool, arguments: Mapping[str, Any], context: Context
    ) -> dict[str, Any]:
        """The result of a tool. Raises AppError."""
        variables = tool.variables(arguments)
        if (expected := arguments.get(EXPECTED_WEEKDAY)) is not None:
            _check_scope(tool, context)
            timezone = context.settings_of(context.viewer_id).timezone
            check_weekday(expected, _dated(arguments, context), timezone)
        is_rehearsal = arguments.get(DRY_RUN, False)
        if not isinstance(is_rehearsal, bool):
            raise BadUserInput("dry_run must be true or false.", DRY_RUN)
        if is_rehearsal:
            context.rehearse()
        asked = Request(self._document, variables, tool.operation.name)
        answer = self._executor.run(asked, context)
        if answer.errors or answer.data is None:
            raise answer.errors[0].error
        result = tool.shown(answer.data)
        return {"dry_run": True, **result} if is_rehearsal else result


def _check_scope(tool: BoundTool, context: Context) -> None:
    """Raise Forbidden if the token may not run a tool, before anything of its user's is read."""
    permission, token = permission_of(tool.operation.root), context.access_token
    if permission and token:
        permission.check(token)


def _dated(arguments: Mapping[str, Any], context: Context) -> Mapping[str, Any]:
    """The values of the task that a tool writes: its arguments, or what its text stands for."""
    text = arguments.get("text")
    if not isinstance(text, str):
        return arguments
    return context.quick_adds.read(context.viewer_id, text, None, context.now).values


def _body(request: HTTPRequest) -> Any:
    try:
        return read_json(request)
    except BadUserInput as error:
        raise ProtocolError(protocol.PARSE_ERROR, error.message) from None


def _headers(request: HTTPRequest) -> dict[str, str]:
    """The headers that tell of a message, by their names in lower case."""
    names = ("mcp-protocol-version", "mcp-method", "mcp-name")
    keys = {name: "HTTP_" + name.upper().replace("-", "_") for name in names}
    return {name: request.environ[key] for name, key in keys.items() if key in request.environ}


def _cached() -> dict[str, Any]:
    """The members by which clients may keep a result: it is the same for all tokens."""
    return {"ttlMs": TTL_MS, "cacheScope": "public"}


def _content(result: Mapping[str, Any], text: str) -> dict[str, Any]:
    """A result, for programs and as text."""
    return {"content": [{"type": "text", "text": text}], "structuredContent": result}


def _described(error: AppError, wording: Wording) -> dict[str, Any]:
    """An error, with its code, its details, and what to do next."""
    message, details = error.render(*wording)
    return {"error": message, "code": error.code, **details, "next": advice(error)}


def _refused(error: ProtocolError, status: int) -> Response:
    request_log.annotate(codes=(str(error.code),))
    return json_response(error.body, status)


def _challenged(request: HTTPRequest, error: Unauthenticated) -> Response:
    """The answer to a message without a good token (RFC 6750, RFC 9728)."""
    request_log.annotate(codes=(error.code,))
    body = ProtocolError(protocol.INVALID_REQUEST, error.message).body
    response = json_response(body, error.status)
    metadata = f"{_base(request)}{METADATA}/mcp"
    response.headers["WWW-Authenticate"] = (
        f'Bearer error="invalid_token", resource_metadata="{metadata}"'
    )
    return response


def _base(request: HTTPRequest) -> str:
    """The URL of this service, as the client has reached it."""
    return request.parsed.host_url.rstrip("/")
