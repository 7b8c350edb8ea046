"""Scalars of our own."""

from datetime import datetime

import strawberry
from strawberry.types.scalar import ScalarDefinition

from graphql_api import clock


def _parse(value: object) -> datetime:
    if not isinstance(value, str):
        raise ValueError("A date and time is a text.")  # noqa: TRY004 - GraphQL's convention
    return clock.parse(value)


DATE_TIME: ScalarDefinition = strawberry.scalar(
    name="DateTime",
    description=(
        "An instant as RFC 3339 text. Any offset is understood; answers are in UTC with"
        " milliseconds, such as `2026-11-22T09:30:00.000Z`."
    ),
    specified_by_url="https://www.rfc-editor.org/rfc/rfc3339",
    serialize=clock.text,
    parse_value=_parse,
)
