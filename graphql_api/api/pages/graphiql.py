"""The GraphiQL page, in which people try queries, and its files from the official npm packages.

`make run` installs the packages if there is npm (graphiql/package.json); then the page needs
nothing from outside. Without them it loads the same files from a CDN, by their hashes.
"""

from dataclasses import dataclass
from pathlib import Path

CDN = "https://unpkg.com"
STATIC = Path(__file__).parent / "static"
INSTALLED = Path(__file__).parents[3] / "graphiql" / "node_modules"


@dataclass(frozen=True)
class Package:
    """A file of an npm package, with its subresource integrity hash."""

    name: str
    version: str
    file: str
    integrity: str


# The versions and hashes of Strawberry's own page, and a client for subscriptions.
PACKAGES = (
    Package(
        "react",
        "18.2.0",
        "umd/react.production.min.js",
        "sha384-tMH8h3BGESGckSAVGZ82T9n90ztNXxvdwvdM6UoR56cYcf+0iGXBliJ29D+wZ/x8",
    ),
    Package(
        "react-dom",
        "18.2.0",
        "umd/react-dom.production.min.js",
        "sha384-bm7MnzvK++ykSwVJ2tynSE5TRdN+xL418osEVF2DE/L/gfWHj91J2Sphe582B1Bh",
    ),
    Package(
        "graphiql",
        "3.8.3",
        "graphiql.min.css",
        "sha384-Mq3vbRBY71jfjQAt/DcjxUIYY33ksal4cgdRt9U/hNPvHBCaT2JfJ/PTRiPKf0aM",
    ),
    Package(
        "graphiql",
        "3.8.3",
        "graphiql.min.js",
        "sha384-HbRVEFG0JGJZeAHCJ9Xm2+tpknBQ7QZmNlO/DgZtkZ0aJSypT96YYGRNod99l9Ie",
    ),
    Package(
        "@graphiql/plugin-explorer",
        "1.0.2",
        "dist/style.css",
        "sha384-5DFJlDPW2tSATRbM8kzoP1j194jexLswuNmClWoRr2Q0x7R68JIQzPHZ02Faktwi",
    ),
    Package(
        "@graphiql/plugin-explorer",
        "1.0.2",
        "dist/index.umd.js",
        "sha384-2oonKe47vfHIZnmB6ZZ10vl7T0Y+qrHQF2cmNTaFDuPshpKqpUMGMc9jgj9MLDZ9",
    ),
    Package(
        "graphql-sse",
        "2.6.1",
        "umd/graphql-sse.min.js",
        "sha384-UsvndtFvDnjGmKs11OV8EvlC6rGNPfLJL0VuJCUUWVglJHD4sFt9jcb48vhqaMtj",
    ),
)


@dataclass(frozen=True)
class Asset:
    """A file that a page loads from this service."""

    content: bytes
    media_type: str
    cache_control: str


class GraphiQL:
    """The page and its files, of which the packages may be installed here or on the CDN."""

    def __init__(self, installed: Path = INSTALLED) -> None:
        self._files = {f"start.{kind}": STATIC / f"graphiql.{kind}" for kind in ("js", "css")}
        paths = {package: installed / package.name / package.file for package in PACKAGES}
        self.local = all(path.is_file() for path in paths.values())
        if self.local:
            self._files.update((_name(package), path) for package, path in paths.items())
        self.html = (
            (STATIC / "graphiql.html").read_text().replace("<!-- packages -->", self._tags())
        )

    @property
    def content_security_policy(self) -> str:
        """The sources of the page: our own files, or the CDN. CodeMirror sets inline styles."""
        source = "'self'" if self.local else f"'self' {CDN}"
        return (
            f"default-src 'none'; script-src {source}; style-src {source} 'unsafe-inline';"
            f" img-src 'self' data:; font-src {source} data:; connect-src 'self';"
            " base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
        )

    def asset(self, name: str) -> Asset | None:
        """Return one of the page's files; None for any other name."""
        path = self._files.get(name)
        if path is None:
            return None
        return Asset(
            path.read_bytes(),
            "text/css" if path.suffix == ".css" else "text/javascript",
            # The packages' names hold their version; our own files change without notice.
            "no-cache" if path.parent == STATIC else "public, max-age=86400",
        )

    def _tags(self) -> str:
        return "\n    ".join(self._tag(package) for package in PACKAGES)

    def _tag(self, package: Package) -> str:
        url = f"{CDN}/{package.name}@{package.version}/{package.file}"
        if self.local:
            url = f"/graphiql/{_name(package)}"
        attributes = f'integrity="{package.integrity}" crossorigin="anonymous"'
        if package.file.endswith(".css"):
            return f'<link rel="stylesheet" href="{url}" {attributes}>'
        return f'<script src="{url}" {attributes} defer></script>'


def _name(package: Package) -> str:
    """Return the flat name of a package's file: `react-18.2.0.js`."""
    return f"{package.name.split('/')[-1]}-{package.version}{Path(package.file).suffix}"
