"""The custom scalars."""

import re
from datetime import date, datetime, time

import strawberry
from strawberry.types.scalar import ScalarDefinition

from graphql_api import clock

_DATE = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_LOCAL_TIME = re.compile(r"\d\d:\d\d", re.ASCII)


def _parse(value: object) -> datetime:
    if not isinstance(value, str):
        raise ValueError("Use a text in RFC 3339 format, for example 2026-11-22T09:30:00Z.")  # noqa: TRY004 - GraphQL's convention
    return clock.parse(value)


DATE_TIME: ScalarDefinition = strawberry.scalar(
    name="DateTime",
    description=(
        "An instant in RFC 3339 format. Any offset is accepted; responses are in UTC with"
        " milliseconds, such as `2026-11-22T09:30:00.000Z`."
    ),
    specified_by_url="https://www.rfc-editor.org/rfc/rfc3339",
    serialize=clock.text,
    parse_value=_parse,
)


def _parse_date(value: object) -> date:
    if not isinstance(value, str) or not _DATE.fullmatch(value):
        raise ValueError("Use a date, for example 2026-12-24.")
    try:
        return date.fromisoformat(value)
    except ValueError:
        raise ValueError("There is no such date.") from None


DATE: ScalarDefinition = strawberry.scalar(
    name="Date",
    description="A date in RFC 3339 format, such as `2026-12-24`.",
    specified_by_url="https://www.rfc-editor.org/rfc/rfc3339",
    serialize=date.isoformat,
    parse_value=_parse_date,
)


def _parse_local_time(value: object) -> time:
    if not isinstance(value, str) or not _LOCAL_TIME.fullmatch(value):
        raise ValueError("Use a time, for example 09:30.")
    try:
        return time.fromisoformat(value)
    except ValueError:
        raise ValueError("There is no such time.") from None


LOCAL_TIME: ScalarDefinition = strawberry.scalar(
    name="LocalTime",
    description="A local time of day, from `00:00` to `23:59`.",
    serialize=lambda at: at.isoformat(timespec="minutes"),
    parse_value=_parse_local_time,
)
