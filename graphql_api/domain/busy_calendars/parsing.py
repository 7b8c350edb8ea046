"""The parsing of calendars by icalendar; the only module that imports it. Pure.

icalendar keeps the zones of files for the whole process, by their names, and follows whatever rules
they have. Here each file has its own, and their rules are bounded.
"""

import warnings
from datetime import datetime, tzinfo
from threading import Lock
from typing import Any

import icalendar
from icalendar.timezone import tzp
from icalendar.timezone.zoneinfo import ZONEINFO

from graphql_api.domain.busy_calendars.model import ICS
from graphql_api.errors import BadUserInput

MAX_CHANGES = 5_000  # of clocks, by rules of zones that neither IANA nor Windows know
LATEST_YEAR = 2100
MOST_DAYS = 7  # of a part of a rule: `BYDAY=SU;BYMONTHDAY=8,9,10,11,12,13,14`

_ONE_AT_A_TIME = Lock()  # since zones are the process's


def parsed(data: bytes) -> Any:
    """The calendar as a component of icalendar. Raises BadUserInput."""
    try:
        with _ONE_AT_A_TIME, warnings.catch_warnings(action="ignore"):
            tzp.use(_FileZones())
            return icalendar.Calendar.from_ical(data)
    except (ValueError, TypeError, LookupError, ArithmeticError, AttributeError, RecursionError):
        raise BadUserInput("This is no calendar by RFC 5545 (iCalendar).", ICS) from None


class _FileZones(ZONEINFO):
    """The zones of one file."""

    def __init__(self) -> None:
        self._left = MAX_CHANGES

    def create_timezone(self, tz: Any) -> tzinfo:  # type: ignore[override]  # as ZONEINFO does
        """Build a zone that nobody else knows. Raises BadUserInput beyond the bounds."""
        for part in tz.walk():
            if "RRULE" in part or "EXRULE" in part:
                self._left -= _years(part)
        if self._left < 0:
            raise BadUserInput(
                f"Its own time zones may have rules for at most {MAX_CHANGES:,} changes of clocks,"
                " each by a rule of one change a year.",
                ICS,
            )
        return super().create_timezone(tz)


def _years(part: Any) -> int:
    """The changes by the rule of a part of a zone; too many for one that is not yearly."""
    rule = part.get("RRULE")
    is_yearly = (
        isinstance(rule, dict)
        and "EXRULE" not in part
        and rule.get("FREQ") == ["YEARLY"]
        and rule.get("INTERVAL", [1]) == [1]
        and ("BYMONTH" in rule or not {"BYDAY", "BYMONTHDAY"} & rule.keys())
        and all(len(v) == 1 for name, v in rule.items() if name != "BYMONTHDAY")
        and len(rule.get("BYMONTHDAY", [])) <= MOST_DAYS
    )
    start = part["DTSTART"].dt
    if not is_yearly or not isinstance(start, datetime):
        return MAX_CHANGES + 1
    return LATEST_YEAR - start.year
