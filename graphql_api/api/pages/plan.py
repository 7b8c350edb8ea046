"""The page on which people see their plan, apply it and undo that. It speaks only GraphQL."""

from graphql_api.api.pages.graphiql import HERE, Asset

MEDIA_TYPES = {"plan.js": "text/javascript", "plan.css": "text/css"}


class PlanPage:
    """The page and its files, all of which are our own."""

    content_security_policy = (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src data:;"
        " connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )

    def __init__(self) -> None:
        self.html = (HERE / "plan.html").read_text()

    def asset(self, name: str) -> Asset | None:
        """One of the page's files; None for any other name."""
        if name not in MEDIA_TYPES:
            return None
        return Asset((HERE / name).read_bytes(), MEDIA_TYPES[name], "no-cache")
