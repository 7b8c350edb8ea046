"""The routes beside REST: GraphQL, its page, the plan's page, calendars and the health checks."""

import hashlib
from collections.abc import Callable
from datetime import datetime
from functools import partial

from flask import Blueprint, Response

from graphql_api.api.http.application import Access, open_to
from graphql_api.api.http.graphql_view import GraphQLView
from graphql_api.api.http.negotiation import GRAPHQL_PATH
from graphql_api.api.http.problems import not_found
from graphql_api.api.http.requests import HTTPRequest
from graphql_api.api.http.responses import asset_response, html_response, json_response
from graphql_api.api.pages.graphiql import Asset, GraphiQL
from graphql_api.api.pages.plan import PlanPage
from graphql_api.domain.calendars.icalendar import MEDIA_TYPE
from graphql_api.domain.calendars.service import PATH as CALENDARS
from graphql_api.domain.calendars.service import CalendarFeeds
from graphql_api.domain.health import StoreHealth
from graphql_api.errors import ServiceUnavailable
from graphql_api.infra import request_log

to_anyone = partial(open_to, Access.ANYONE)
by_field = partial(open_to, Access.BY_FIELD)


def graphql_routes(view: GraphQLView, page: GraphiQL | None) -> Blueprint:
    """Route /graphql to the view, or a browser to the page if there is one."""
    routes = Blueprint("http", __name__)

    @routes.route(GRAPHQL_PATH, methods=["GET", "POST"])
    @by_field
    def graphql(request: HTTPRequest) -> Response:
        if page and _asks_for_page(request):
            return html_response(page.html, page.content_security_policy)
        return view.respond(request)

    @routes.get("/")
    @to_anyone
    def root(_: HTTPRequest) -> Response:
        if page:
            return Response(status=302, headers={"Location": GRAPHQL_PATH})
        return not_found()

    @routes.get("/graphiql/<name>")
    @to_anyone
    def graphiql_asset(_: HTTPRequest, name: str) -> Response:
        return _file(page.asset(name) if page else None)

    return routes


def plan_routes(page: PlanPage) -> Blueprint:
    """Route /plan and the files of its page."""
    routes = Blueprint("plan", __name__)

    @routes.get("/plan")
    @to_anyone
    def html(_: HTTPRequest) -> Response:
        return html_response(page.html, page.content_security_policy)

    @routes.get("/plan/<name>")
    @to_anyone
    def asset(_: HTTPRequest, name: str) -> Response:
        return _file(page.asset(name))

    return routes


def calendar_routes(feeds: CalendarFeeds, now: Callable[[], datetime]) -> Blueprint:
    """Route the addresses of calendar feeds, which are secrets, to their calendars.

    No cache may answer by itself, so that a deleted feed is gone; what has not changed is a 304.
    """
    routes = Blueprint("calendars", __name__)

    @routes.get(f"{CALENDARS}/<token>.ics")
    @to_anyone
    def calendar(request: HTTPRequest, token: str) -> Response:
        feed = feeds.open(token)
        request_log.annotate(user_id=feed.user_id)
        text = feeds.text(feed, now())
        response = Response(text, content_type=f"{MEDIA_TYPE}; charset=utf-8")
        response.headers["Cache-Control"] = "private, no-cache"
        response.set_etag(hashlib.sha256(text).hexdigest()[:32])
        response.make_conditional(request.environ)
        return response

    return routes


def health_routes(
    check_store: Callable[[], StoreHealth], is_draining: Callable[[], bool]
) -> Blueprint:
    """Route /healthz and /readyz.

    A process is ready unless it is draining or cannot read; whether it can write is told.
    """
    routes = Blueprint("health", __name__)

    @routes.get("/healthz")
    @to_anyone
    def healthz(_: HTTPRequest) -> Response:
        return json_response({"status": "ok"})

    @routes.get("/readyz")
    @to_anyone
    def readyz(_: HTTPRequest) -> Response:
        if is_draining():
            raise ServiceUnavailable("The service is about to end.")
        health = check_store()
        if not health.read:
            raise ServiceUnavailable("The store cannot be read, try again.", **health._asdict())
        return json_response({"status": "ready", **health._asdict()})

    return routes


def _asks_for_page(request: HTTPRequest) -> bool:
    return (
        request.method != "POST"
        and "text/html" in request.environ.get("HTTP_ACCEPT", "")
        and "query" not in request.parsed.args
    )


def _file(asset: Asset | None) -> Response:
    return asset_response(asset) if asset else not_found("There is no such file.")
