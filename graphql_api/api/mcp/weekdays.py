"""The weekday that an agent expects of a date: models are often wrong about these. Pure."""

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from graphql_api import clock
from graphql_api.api.mcp.tools import EXPECTED_WEEKDAY, WEEKDAYS
from graphql_api.errors import BadUserInput


def check_weekday(expected: Any, values: Mapping[str, Any], timezone: str) -> None:
    """Raise BadUserInput, with the right dates, unless the due date is on the weekday expected.

    `values` are a tool's arguments, or what a line of text stands for.
    """
    if expected not in WEEKDAYS:
        raise BadUserInput(f"expected_weekday must be one of {', '.join(WEEKDAYS)}.", _FIELD)
    day = _due_day(values, timezone)
    if day is None:
        raise BadUserInput("expected_weekday goes with a due date, and there is none.", _FIELD)
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


def _due_day(values: Mapping[str, Any], timezone: str) -> date | None:
    """The local day of the due date; None without one, or if it is none at all."""
    due_on, due_at = values.get("due_on"), values.get("due_at")
    try:
        if due_on is not None:
            return due_on if isinstance(due_on, date) else date.fromisoformat(due_on)
        if due_at is None:
            return None
        instant = due_at if isinstance(due_at, datetime) else clock.parse(due_at)
        return instant.astimezone(ZoneInfo(timezone)).date()
    except (TypeError, ValueError):  # the operation says what is wrong with it
        return None
