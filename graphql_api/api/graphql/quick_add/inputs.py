"""The GraphQL input of quick add."""

from datetime import datetime

import strawberry
from strawberry import UNSET

from graphql_api.api.graphql.strawberry_extras import idempotency_key
from graphql_api.domain.quick_add.model import MAX_TEXT_LENGTH

TEXT = (
    f"The text, of 1 to {MAX_TEXT_LENGTH} characters: `Pay rent tomorrow 17:00 every month"
    " #home !high ~30m @flat`."
)
TIMEZONE = "The IANA time zone of its dates and times. Default: that of the settings."
NOW = "The instant at which the text is said. Default: the present one."


@strawberry.input(description="A new task, in one line.")
class QuickAddInput:
    text: str = strawberry.field(description=TEXT)
    timezone: str | None = strawberry.field(default=UNSET, description=TIMEZONE)
    said_at: datetime | None = strawberry.field(default=UNSET, name="now", description=NOW)
    idempotency_key: str | None = idempotency_key(
        "same key, text and time zone return the same task, which is created once"
    )
