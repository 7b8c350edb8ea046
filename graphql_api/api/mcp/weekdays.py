"""The weekday that an agent expects of a date: models are often wrong about these. Pure."""

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from graphql_api import clock
from graphql_api.api.mcp.tools import EXPECTED_WEEKDAY, WEEKDAYS
from graphql_api.errors import BadUserInput


def check_weekday(expected: Any, arguments: Mapping[str, Any], timezone: str) -> None:
    """Raise BadUserInput, with the right dates, unless the due date is on the weekday expected."""
    if expected not in WEEKDAYS:
        raise BadUserInput(f"expected_weekday must be one of {', '.join(WEEKDAYS)}.", _FIELD)
    day = _due_day(arguments, timezone)
    if day is None:
        raise BadUserInput("expected_weekday goes with due_on or due_at.", _FIELD)
    found = WEEKDAYS[day.weekday()]
    if found != expected:
        ahead = (WEEKDAYS.index(expected) - day.weekday()) % 7
        after = day + timedelta(days=ahead)
        raise BadUserInput(
            f"{day} is a {found.capitalize()}. The {expected.capitalize()} before it is"
            f" {after - timedelta(days=7)}, the one after it {after}.",
            _FIELD,
        )


_FIELD = EXPECTED_WEEKDAY


def _due_day(arguments: Mapping[str, Any], timezone: str) -> date | None:
    """The local day of the due date; None without one, or if it is none at all."""
    due_on, due_at = arguments.get("due_on"), arguments.get("due_at")
    try:
        if due_on is not None:
            return date.fromisoformat(due_on)
        return clock.parse(due_at).astimezone(ZoneInfo(timezone)).date() if due_at else None
    except (TypeError, ValueError):  # the operation says what is wrong with it
        return None
