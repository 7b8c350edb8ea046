"""The /plan page, on which people preview a plan, apply it and undo it, by GraphQL only."""

from graphql_api.api.pages.graphiql import STATIC, Asset

MEDIA_TYPES = {"plan.js": "text/javascript", "plan.css": "text/css"}


class PlanPage:
    """The page and its files, all of which are our own."""

    content_security_policy = (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src data:;"
        " connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )

    def __init__(self) -> None:
        self.html = (STATIC / "plan.html").read_text()

    def asset(self, name: str) -> Asset | None:
        """Return one of the page's files; None for any other name."""
        if name not in MEDIA_TYPES:
            return None
        return Asset((STATIC / name).read_bytes(), MEDIA_TYPES[name], "no-cache")
