"""AWS Lambda entry points: of the service, by way of apig-wsgi, and of the dispatcher."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeAlias
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from apig_wsgi import make_lambda_handler

from graphql_api import create_app
from graphql_api.api.http import negotiation
from graphql_api.config import Config
from graphql_api.dispatcher import create_dispatcher
from graphql_api.domain.tables import TABLES
from graphql_api.errors import StartError
from graphql_api.infra import request_log
from graphql_api.infra.dynamodb import connect
from graphql_api.infra.dynamodb.tables import Tables
from graphql_api.infra.serving.wsgi import is_ambiguous

Event: TypeAlias = dict[str, Any]
Handler: TypeAlias = Callable[[Event, Any], dict[str, Any]]

DISPATCH_SECONDS = 5.0  # of one run at least, so that deliveries of webhooks have time
MARGIN_SECONDS = 10.0  # before the function would be cut off: a run ends a bit later

# Media types of texts, which are not sent as base64.
TEXT_TYPES = ("text/", negotiation.JSON, negotiation.GRAPHQL, "application/problem+json")


def create_handler(environ: Mapping[str, str]) -> Handler:
    """Return the function that Lambda calls with each event; made once, at the cold start.

    Raises StartError for invalid settings, for tables that are not as needed, and for the embedded
    engine, since a function keeps no files.
    """
    config = _config(environ)
    app = create_app(config)
    app.extensions["deletions"].sweep()  # here and now: between events no thread runs
    handler = make_lambda_handler(
        _SourceAddressMiddleware(app), non_binary_content_type_prefixes=TEXT_TYPES
    )
    return lambda event, context: handler(_without_ambiguous_headers(event), context)


def create_dispatch_handler(environ: Mapping[str, str]) -> Handler:
    """Return the function that Lambda calls by a schedule: it does what is due, and ends.

    Raises StartError as `create_handler`.
    """
    config = _config(environ)
    request_log.configure(config.log_level)
    dispatcher = create_dispatcher(config)

    def dispatch(_event: Event, context: Any) -> dict[str, Any]:
        left = context.get_remaining_time_in_millis() / 1_000
        most = max(0.0, left - MARGIN_SECONDS)
        if not dispatcher.run_briefly(min(DISPATCH_SECONDS, most), most):
            raise RuntimeError("Not everything that is due could be done: see the log")
        return {}

    return dispatch


def _config(environ: Mapping[str, str]) -> Config:
    """The settings, once the tables are there."""
    config = Config.from_env({"DYNAMODB": "aws", **environ})
    if config.embedded:
        raise StartError("DYNAMODB=embedded cannot be used on Lambda, which keeps no files")
    Tables(connect(config), config, TABLES).prepare()
    return config


def _without_ambiguous_headers(event: Event) -> Event:
    fields = ("headers", "multiValueHeaders")
    kept = {
        field: {name: value for name, value in event[field].items() if not is_ambiguous(name)}
        for field in fields
        if event.get(field)
    }
    return {**event, **kept}


class _SourceAddressMiddleware:
    """WSGI middleware that sets REMOTE_ADDR to the address from which AWS got the request.

    apig-wsgi prefers the first address of X-Forwarded-For, which the client can write.
    """

    def __init__(self, app: WSGIApplication) -> None:
        self._app = app

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer a request (PEP 3333)."""
        environ["REMOTE_ADDR"] = _source_address(environ)
        return self._app(environ, start_response)


def _source_address(environ: Mapping[str, Any]) -> str:
    context = environ.get("apig_wsgi.request_context", {})
    for field in ("http", "identity"):  # payload format 2.0, and 1.0
        if field in context:
            return str(context[field]["sourceIp"])
    # A load balancer appends the address to the header that it got.
    return str(environ.get("HTTP_X_FORWARDED_FOR", "")).rpartition(",")[2].strip()
