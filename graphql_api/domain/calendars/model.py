"""The calendar feed: its fields, and its secret address. Pure."""

import hashlib
import hmac
import re
from collections.abc import Mapping
from dataclasses import field
from datetime import datetime
from enum import Enum
from typing import Any

from graphql_api import clock
from graphql_api.domain.records import immutable
from graphql_api.domain.text import is_invisible
from graphql_api.errors import FIELD, BadUserInput
from graphql_api.ids import ID_PATTERN, new_id

MAX_FEEDS = 20  # of a user
MAX_NAME_LENGTH = 100  # characters, without surrounding space
SECRET_BYTES = 32

_TOKEN = re.compile(rf"({ID_PATTERN})\.({ID_PATTERN})\.([\w-]{{43}})", re.ASCII)


class FeedContent(Enum):
    """A kind of events of a feed."""

    BLOCKS = "blocks"
    DUE = "due"


class FeedDetail(Enum):
    """The extent to which a feed tells about events."""

    FULL = "full"
    BUSY = "busy"


@immutable
class CalendarFeed:
    """A calendar of a user's tasks, for whoever knows its address.

    Of the secret in the address only a hash is kept.
    """

    user_id: str
    feed_id: str
    name: str
    content: tuple[FeedContent, ...]
    detail: FeedDetail
    secret_hash: str = field(repr=False)
    created_at: datetime
    view_id: str | None = None  # of a saved view, whose tasks alone are in it

    @classmethod
    def new(
        cls, user_id: str, values: Mapping[str, Any], secret: str, now: datetime
    ) -> "CalendarFeed":
        """A new feed, whose address has this secret. Raises BadUserInput."""
        content = tuple(dict.fromkeys(values["content"]))
        if not content:
            raise BadUserInput(f"{FIELD} must have BLOCKS, DUE or both.", "content")
        return cls(
            user_id=user_id,
            feed_id=new_id(now),
            name=checked_name("name", values["name"]),
            content=content,
            detail=values.get("detail") or FeedDetail.FULL,
            secret_hash=_hash(secret),
            created_at=clock.milliseconds(now),
            view_id=values.get("view_id"),
        )

    def token(self, secret: str) -> str:
        """The part of its address that names it and opens it."""
        return f"{self.user_id}.{self.feed_id}.{secret}"

    def opens_with(self, secret: str) -> bool:
        """Tell, in constant time, whether this is the secret of its address."""
        return hmac.compare_digest(self.secret_hash, _hash(secret))


def parse_token(token: str) -> tuple[str, str, str] | None:
    """The user, the feed and the secret of an address; None if it cannot be one."""
    found = _TOKEN.fullmatch(token)
    return (found[1], found[2], found[3]) if found else None


def checked_name(name_of_field: str, text: str) -> str:
    """A name as it is kept. Raises BadUserInput."""
    name = text.strip()
    if not 1 <= len(name) <= MAX_NAME_LENGTH:
        raise BadUserInput(f"A name must have 1 to {MAX_NAME_LENGTH} characters.", name_of_field)
    if is_invisible(name):
        raise BadUserInput("A name must have a visible character.", name_of_field)
    return name


def _hash(secret: str) -> str:
    """The hash of a secret, which is too random for anybody to try others."""
    return hashlib.sha256(secret.encode()).hexdigest()
