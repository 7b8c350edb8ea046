"""Content negotiation: the media type of a GraphQL response (GraphQL over HTTP, section 6.1)."""

import re
from functools import lru_cache

GRAPHQL = "application/graphql-response+json"
JSON = "application/json"
EVENTS = "text/event-stream"
GRAPHQL_PATH = "/graphql"  # the only path whose media type is negotiated

CACHED_LENGTH = 256  # characters of a header, up to which its result is kept

_WILDCARDS = {"*/*", "application/*"}
_QUALITY = re.compile(r"[01](\.\d{0,3})?", re.ASCII)


def choose(accept: str) -> str | None:
    """Return the media type for an Accept header (RFC 9110, section 12.5.1); None for neither.

    The newer type must be named, with a weight not below JSON's: `*/*` alone may be an old client.
    """
    return _choose_cached(accept) if len(accept) <= CACHED_LENGTH else _choose(accept)


def accepts_events(accept: str) -> bool:
    """Return whether an Accept header names server-sent events."""
    return _weights(accept).get(EVENTS, 0.0) > 0


def _choose(accept: str) -> str | None:
    weights = _weights(accept)
    if not weights:
        return JSON
    wildcard = max((weights[name] for name in _WILDCARDS if name in weights), default=0.0)
    new, old = weights.get(GRAPHQL, 0.0), weights.get(JSON, wildcard)
    if new > 0 and new >= old:
        return GRAPHQL
    return JSON if old > 0 else None


_choose_cached = lru_cache(64)(_choose)


def _weights(accept: str) -> dict[str, float]:
    weights: dict[str, float] = {}
    for part in accept.lower().split(","):
        name, *parameters = (piece.strip() for piece in part.split(";"))
        if name:
            quality = next((p[2:] for p in parameters if p.startswith("q=")), "1")
            weight = float(quality) if _QUALITY.fullmatch(quality) else 1.0
            weights[name] = max(weight, weights.get(name, 0.0))
    return weights
