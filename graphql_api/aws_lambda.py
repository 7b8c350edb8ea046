"""AWS Lambda: events of API Gateway and load balancers; the only door to apig-wsgi."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeAlias

from apig_wsgi import make_lambda_handler

from graphql_api import create_app
from graphql_api.api.http import negotiation
from graphql_api.config import Config
from graphql_api.domain.tables import TABLES
from graphql_api.errors import StartError
from graphql_api.infra.dynamodb import connect
from graphql_api.infra.dynamodb.tables import Tables
from graphql_api.infra.serving.wsgi import Wsgi, is_ambiguous

Event: TypeAlias = dict[str, Any]
Handler: TypeAlias = Callable[[Event, Any], dict[str, Any]]

# What is text, and so is not sent as base64.
TEXTS = ("text/", negotiation.JSON, negotiation.GRAPHQL, "application/problem+json")


def create_handler(environ: Mapping[str, str]) -> Handler:
    """What Lambda calls with each event; made once, at the cold start.

    Raises StartError: for settings that cannot be, for tables that are not as needed, and for
    the embedded engine, since a function keeps no files.
    """
    config = Config.from_env({"DYNAMODB": "aws", **environ})
    if config.embedded:
        raise StartError("DYNAMODB=embedded cannot be used on Lambda, which keeps no files")
    Tables(connect(config), config, TABLES).prepare()
    app = create_app(config)
    app.extensions["deletions"].sweep()  # here and now: between events no thread runs
    adapted = make_lambda_handler(_Addressed(app), non_binary_content_type_prefixes=TEXTS)
    return lambda event, context: adapted(_unambiguous(event), context)


def _unambiguous(event: Event) -> Event:
    """The event without headers that would pass for others."""
    kinds = ("headers", "multiValueHeaders")
    kept = {
        kind: {name: value for name, value in event[kind].items() if not is_ambiguous(name)}
        for kind in kinds
        if event.get(kind)
    }
    return {**event, **kept}


class _Addressed:
    """WSGI middleware: a request comes from where AWS saw it come from.

    apig-wsgi takes the first address of X-Forwarded-For where it can, which the client wrote.
    """

    def __init__(self, app: Wsgi) -> None:
        self._app = app

    def __call__(
        self, environ: dict[str, Any], start_response: Callable[..., Any]
    ) -> Iterable[bytes]:
        """Answer a request (PEP 3333)."""
        environ["REMOTE_ADDR"] = _source(environ)
        return self._app(environ, start_response)


def _source(environ: Mapping[str, Any]) -> str:
    context = environ.get("apig_wsgi.request_context", {})
    for kind in ("http", "identity"):  # payload format 2.0, and 1.0
        if kind in context:
            return str(context[kind]["sourceIp"])
    # A load balancer adds the address to the end of what it was sent.
    return str(environ.get("HTTP_X_FORWARDED_FOR", "")).rpartition(",")[2].strip()
