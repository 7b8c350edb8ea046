"""The /plan page, on which people see what is planned, work through it and plan anew.

It is plain modules of our own, which a browser loads one by one, and asks by GraphQL only.
"""

from graphql_api.api.pages.graphiql import STATIC, Asset

FILES = STATIC / "plan"
MEDIA_TYPES = {".js": "text/javascript", ".css": "text/css"}


class PlanPage:
    """The page and its files, all of which are our own."""

    content_security_policy = (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src data:;"
        " connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )

    def __init__(self) -> None:
        self.html = (FILES / "plan.html").read_text()
        self._assets = {
            file.name: Asset(file.read_bytes(), MEDIA_TYPES[file.suffix], "no-cache")
            for file in FILES.iterdir()
            if file.suffix in MEDIA_TYPES
        }

    def asset(self, name: str) -> Asset | None:
        """Return one of the page's files; None for any other name."""
        return self._assets.get(name)
