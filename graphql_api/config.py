"""Every setting of the service, read once from the environment."""

import contextlib
import importlib.util
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import TypeVar
from urllib.parse import urlsplit

from graphql_api.errors import StartError

T = TypeVar("T")

MINIMUM_SECRET_BYTES = 32
CONNECTIONS = 1_024  # of each process, at a time, with one request each; further ones wait
LOCAL_STORE_CONCURRENCY, REMOTE_STORE_CONCURRENCY = 8, 64  # see Config.concurrency
LOOPBACK_OF = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - compared, not bound
MAX_REPEATED_UNIT = 24  # bytes: a secret that repeats a text of up to this length is refused

TRACING = (
    "OTEL_TRACES_EXPORTER",
    "OTEL_EXPORTER_OTLP_ENDPOINT",
    "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT",
)

# Secrets from tutorials that are long enough to be accepted otherwise.
WELL_KNOWN_SECRETS = {
    b"a-string-secret-at-least-256-bits-long",
    b"your-super-secret-jwt-token-with-at-least-32-characters-long",
    b"super-secret-jwt-token-with-at-least-32-characters-long",
    b"this-is-a-very-long-secret-key-for-jwt",
    b"my-32-character-ultra-secure-and-ultra-long-secret",
}


@dataclass(frozen=True, slots=True)
class Limits:
    """Limits of a GraphQL document that operators can set."""

    tokens: int = 1_000
    depth: int = 8
    fields: int = 500  # after fragments are expanded
    aliases: int = 15
    root_fields: int = 10
    directives: int = 50
    answer_bytes: int = 8 * 1024 * 1024

    def for_own_documents(self) -> "Limits":
        """Lift all limits but that of answers, for documents of the service's own."""
        names = (limit.name for limit in fields(self))
        return Limits(**{**dict.fromkeys(names, 1_000_000), "answer_bytes": self.answer_bytes})


DEFAULT_LIMITS = Limits()


@dataclass(frozen=True)
class Config:
    """The settings of this process; docs/settings.md documents the variable of each field."""

    host: str = "127.0.0.1"
    port: int = 5000
    workers: int = 1
    threads: int = 4
    drain_seconds: int = 5
    dynamodb: str = "embedded"
    data_dir: Path = Path("data")
    table_prefix: str = ""
    jwt_secret: bytes = field(default=b"", repr=False)
    jwt_previous_secret: bytes = field(default=b"", repr=False)
    jwt_ttl: int = 3600
    graphiql: bool = True
    plan_page: bool = True
    introspection: bool = True
    cors_origins: tuple[str, ...] = ()
    public_url: str = ""  # what addresses that users are given begin with
    trusted_documents: Path | None = None
    graphql_http: str = "2025"
    trusted_proxies: int = 0
    max_connections_per_address: int = 256  # of a process
    max_streams: int = 10_000  # subscriptions of a process
    max_streams_per_user: int = 20
    changes_days: int = 30  # that changes of tasks are kept for
    webhook_allow_private: bool = False  # http, and addresses that are not public
    mcp: bool = False
    log_level: str = "INFO"
    limits: Limits = DEFAULT_LIMITS
    compiled_operations: bool = True
    metrics_host: str = "127.0.0.1"
    metrics_port: int = 0
    traces: bool = False  # where OpenTelemetry's own variables ask for them

    # Not from the environment:
    engine_url: str = ""  # of the embedded engine, once it runs
    argon2_profile: str = "RFC_9106_LOW_MEMORY"  # an argon2-cffi profile; tests use a cheaper one
    max_hashes: int = 3  # passwords hashed at a time, each in 64 MiB; tests use more

    @property
    def embedded(self) -> bool:
        """Tell whether the service runs its own engine."""
        return self.dynamodb == "embedded"

    @property
    def base_url(self) -> str:
        """The beginning of addresses that users are given; empty if that is not known."""
        return self.public_url or (f"http://{self.host}:{self.port}" if self.port else "")

    @property
    def endpoint(self) -> str | None:
        """The URL of the store, or None for DynamoDB in the configured AWS region."""
        if self.embedded:
            return self.engine_url
        return None if self.dynamodb == "aws" else self.dynamodb

    @property
    def secrets(self) -> list[bytes]:
        """The secrets of tokens and cursors: the first signs, the others only verify."""
        return [secret for secret in (self.jwt_secret, self.jwt_previous_secret) if secret]

    @property
    def concurrency(self) -> int:
        """The number of requests that a process handles at the same time.

        A store on the same machine serves no more requests a second if more are waiting; each
        would only take longer, beyond its deadline.
        """
        if _is_local(self.dynamodb):
            return LOCAL_STORE_CONCURRENCY
        return REMOTE_STORE_CONCURRENCY

    @classmethod
    def from_env(cls, environ: Mapping[str, str], *, serving: bool = True) -> "Config":
        """Read the configuration. Raises StartError, with all problems in one message.

        JWT_SECRET may be missing in embedded mode, where `embedded.prepare` generates it, and
        for commands (not `serving`), which sign no tokens.
        """
        read = _Reader(environ)
        dynamodb = read("DYNAMODB", "embedded", _store)
        embedded = dynamodb == "embedded"
        config = cls(
            host=read("HOST", cls.host, str),
            port=read("PORT", cls.port, _integer(0, 65535)),
            workers=read("WORKERS", os.cpu_count() or 1, _integer(1, 256)),
            threads=read("THREADS", cls.threads, _integer(1, 256)),
            # A load balancer needs them to notice that a process is draining; on a laptop they
            # delay every Ctrl-C.
            drain_seconds=read(
                "DRAIN_SECONDS", 1 if embedded else cls.drain_seconds, _integer(0, 60)
            ),
            dynamodb=dynamodb,
            data_dir=read("DATA_DIR", cls.data_dir.absolute(), _path),
            table_prefix=read("TABLE_PREFIX", cls.table_prefix, _prefix),
            jwt_secret=read("JWT_SECRET", b"", _secret),
            jwt_previous_secret=read("JWT_PREVIOUS_SECRET", b"", _secret),
            jwt_ttl=read("JWT_TTL", cls.jwt_ttl, _integer(60, 30 * 86_400)),
            graphiql=read("GRAPHIQL", embedded, _switch),
            plan_page=read("PLAN_PAGE", cls.plan_page, _switch),
            introspection=read("INTROSPECTION", embedded, _switch),
            public_url=read("PUBLIC_URL", cls.public_url, _public_url),
            cors_origins=read("CORS_ORIGINS", cls.cors_origins, _origins),
            trusted_documents=read("TRUSTED_DOCUMENTS", cls.trusted_documents, _path),
            trusted_proxies=read("TRUSTED_PROXIES", cls.trusted_proxies, _integer(0, 10)),
            graphql_http=read("GRAPHQL_HTTP", cls.graphql_http, _draft),
            max_connections_per_address=read(
                "MAX_CONNECTIONS_PER_ADDRESS",
                cls.max_connections_per_address,
                _integer(1, CONNECTIONS),
            ),
            max_streams=read("MAX_STREAMS", cls.max_streams, _integer(0, 100_000)),
            max_streams_per_user=read(
                "MAX_STREAMS_PER_USER", cls.max_streams_per_user, _integer(1, 100_000)
            ),
            changes_days=read("CHANGES_DAYS", cls.changes_days, _integer(1, 365)),
            webhook_allow_private=read("WEBHOOK_ALLOW_PRIVATE", cls.webhook_allow_private, _switch),
            mcp=read("MCP", cls.mcp, _switch),
            log_level=read("LOG_LEVEL", cls.log_level, _level),
            limits=Limits(
                tokens=read("MAX_TOKENS", DEFAULT_LIMITS.tokens, _integer(10, 10_000)),
                depth=read("MAX_DEPTH", DEFAULT_LIMITS.depth, _integer(1, 25)),
                fields=read("MAX_FIELDS", DEFAULT_LIMITS.fields, _integer(1, 5_000)),
                aliases=read("MAX_ALIASES", DEFAULT_LIMITS.aliases, _integer(0, 500)),
                root_fields=read("MAX_ROOT_FIELDS", DEFAULT_LIMITS.root_fields, _integer(1, 100)),
                directives=read("MAX_DIRECTIVES", DEFAULT_LIMITS.directives, _integer(0, 100)),
                answer_bytes=read(
                    "MAX_ANSWER_BYTES", DEFAULT_LIMITS.answer_bytes, _integer(100_000, 2**30)
                ),
            ),
            compiled_operations=read("COMPILED_OPERATIONS", cls.compiled_operations, _switch),
            metrics_host=read("METRICS_HOST", cls.metrics_host, str),
            traces=_traced(read),
            metrics_port=read("METRICS_PORT", cls.metrics_port, _metrics_port),
        )
        if serving and not embedded and not environ.get("JWT_SECRET", "").strip():
            read.problems.append(
                f"JWT_SECRET is required with DYNAMODB={dynamodb}"
                f" (at least {MINIMUM_SECRET_BYTES} bytes)"
            )
        one_host = len({config.host, config.metrics_host} - LOOPBACK_OF.keys()) < 2  # noqa: PLR2004 - both
        if config.metrics_port and config.metrics_port == config.port and one_host:
            read.problems.append(f"METRICS_PORT must differ from PORT ({config.port})")
        if read.problems:
            raise StartError("; ".join(read.problems))
        return config


def _traced(read: "_Reader") -> bool:
    """Tell whether OpenTelemetry's own variables enable traces; report a missing package."""
    enabled_by = {name for name in TRACING if read.environ.get(name, "").strip()}
    if read.environ.get("OTEL_SDK_DISABLED", "").lower() == "true" or not enabled_by:
        return False
    exporter = read.environ.get("OTEL_TRACES_EXPORTER", "").strip() or "otlp"
    if exporter == "none":
        return False
    if exporter != "otlp":
        read.problems.append(f"OTEL_TRACES_EXPORTER must be otlp or none, not {exporter!r}")
    elif importlib.util.find_spec("opentelemetry") is None:
        names = " and ".join(sorted(enabled_by))
        read.problems.append(
            f"{names}: traces need more packages: pip install -r requirements/otel.txt"
        )
    return True


class _Reader:
    """Reads variables and collects their problems."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self.environ = environ
        self.problems: list[str] = []

    def __call__(self, name: str, default: T, parse: Callable[[str], T]) -> T:
        text = self.environ.get(name, "").strip()
        if not text:
            return default
        try:
            return parse(text)
        except ValueError as error:
            self.problems.append(f"{name} {error}")
            return default


def _is_local(store: str) -> bool:
    """Tell whether a store, as DYNAMODB names it, is on this machine."""
    host = urlsplit(store).hostname or ""
    return store == "embedded" or host in {"localhost", "::1"} or host.startswith("127.")


def _integer(low: int, high: int) -> Callable[[str], int]:
    def parse(text: str) -> int:
        if text.isascii() and text.isdigit() and low <= int(text) <= high:
            return int(text)
        raise ValueError(f"must be a whole number from {low} to {high}, not {text!r}")

    return parse


def _metrics_port(text: str) -> int:
    port = _integer(0, 65535)(text)
    if port and importlib.util.find_spec("prometheus_client") is None:
        raise ValueError("needs the package prometheus-client (see requirements/service.txt)")
    return port


def _switch(text: str) -> bool:
    if text not in {"0", "1"}:
        raise ValueError(f"must be 0 or 1, not {text!r}")
    return text == "1"


def _path(text: str) -> Path:
    try:
        return Path(text).expanduser().absolute()
    except RuntimeError:
        raise ValueError(f"names a home directory that does not exist: {text!r}") from None


def _draft(text: str) -> str:
    if text not in {"2025", "2026"}:
        raise ValueError(f"must be 2025 or 2026, not {text!r}")
    return text


def _level(text: str) -> str:
    if text.lower() not in {"info", "warning", "error"}:
        raise ValueError(f"must be INFO, WARNING or ERROR, not {text!r}")
    return text.upper()


def _store(text: str) -> str:
    if text in {"embedded", "aws"}:
        return text
    url = urlsplit(text)
    with contextlib.suppress(ValueError):  # an invalid port
        if url.scheme in {"http", "https"} and url.hostname and url.port != 0:
            return text.rstrip("/")
    raise ValueError(f"must be 'embedded', 'aws' or an http(s) URL, not {text!r}")


def _prefix(text: str) -> str:
    if len(text) <= 64 and all(c.isascii() and (c.isalnum() or c in "-_.") for c in text):  # noqa: PLR2004 - DynamoDB allows 255 with the table name
        return text
    raise ValueError("must be at most 64 letters, digits, '-', '_' or '.'")


def _secret(text: str) -> bytes:
    secret = text.encode("utf-8", "surrogateescape")
    if len(secret) < MINIMUM_SECRET_BYTES:
        raise ValueError(f"must be at least {MINIMUM_SECRET_BYTES} bytes, not {len(secret)}")
    if secret in WELL_KNOWN_SECRETS or _repeats(secret):
        raise ValueError("is well known or trivial; use a random one: openssl rand -hex 32")
    return secret


def _repeats(secret: bytes) -> bool:
    """Tell whether a secret is a short text repeated, as in `secret-secret-secret-…`."""
    return any(
        secret == (secret[:length] * len(secret))[: len(secret)]
        for length in range(1, MAX_REPEATED_UNIT)
    )


def _public_url(text: str) -> str:
    url = urlsplit(text)
    if url.scheme not in {"http", "https"} or not url.netloc or url.query or url.fragment:
        raise ValueError(f"must be a URL such as https://tasks.example.com, not {text!r}")
    return text.rstrip("/")


def _origins(text: str) -> tuple[str, ...]:
    origins = tuple(part.strip().rstrip("/") for part in text.split(",") if part.strip())
    for origin in origins:
        url = urlsplit(origin)
        # flask-cors would treat other characters as a pattern, and `*` as any origin.
        plain = url.netloc.replace("-", "").replace(".", "").replace(":", "").isalnum()
        rest = url.path + url.query + url.fragment
        if url.scheme not in {"http", "https"} or not plain or rest:
            raise ValueError(f"must list origins such as https://app.example, not {origin!r}")
    return origins
