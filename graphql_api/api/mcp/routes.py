"""The routes of MCP: its endpoint, and where its metadata are."""

from functools import partial

from flask import Blueprint

from graphql_api.api.http.application import Access, open_to
from graphql_api.api.mcp.view import METADATA, MCPView


def mcp_routes(view: MCPView) -> Blueprint:
    """Route POST /mcp to the view; other methods are refused, as there is no stream."""
    routes = Blueprint("mcp", __name__)
    respond = open_to(Access.BY_FIELD, partial(view.respond))
    metadata = open_to(Access.ANYONE, partial(view.metadata))
    routes.add_url_rule("/mcp", "messages", respond, methods=["POST"])
    routes.add_url_rule(METADATA, "metadata", metadata)
    routes.add_url_rule(f"{METADATA}/mcp", "metadata_of_mcp", metadata)
    return routes
