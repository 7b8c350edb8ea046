"""The text of a calendar, as other programs read it."""

import json
import shutil
import subprocess
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import icalendar
import pytest
from hypothesis import given
from hypothesis import strategies as st

from graphql_api.domain.calendars.icalendar import Event, text

TESTS = Path(__file__).parents[2]
AT = datetime(2030, 1, 7, 9, 30, tzinfo=UTC)


def event(**fields) -> Event:
    return Event(
        **{
            "uid": "1",
            "summary": "Call",
            "start": AT,
            "end": AT + timedelta(hours=1),
            "sequence": 3,
            "modified": AT,
            "is_busy": True,
            **fields,
        }
    )


def read(data: bytes) -> list[icalendar.Event]:
    return list(icalendar.Calendar.from_ical(data).walk("VEVENT"))


def test_a_calendar_looks_like_this():
    whole_day = event(
        uid="2", summary="Pay", start=date(2030, 1, 8), end=date(2030, 1, 9), is_busy=False
    )
    assert text("My plan", [event(description="By phone;\nsoon"), whole_day]).decode() == (
        "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//Smart Task Scheduler//EN\r\n"
        "CALSCALE:GREGORIAN\r\nNAME:My plan\r\nX-WR-CALNAME:My plan\r\n"
        "REFRESH-INTERVAL;VALUE=DURATION:PT15M\r\nX-PUBLISHED-TTL:PT15M\r\n"
        "BEGIN:VEVENT\r\nUID:1@smart-task-scheduler\r\nDTSTAMP:20300107T093000Z\r\n"
        "LAST-MODIFIED:20300107T093000Z\r\nSEQUENCE:3\r\nSUMMARY:Call\r\n"
        "DESCRIPTION:By phone\\;\\nsoon\r\nDTSTART:20300107T093000Z\r\nDTEND:20300107T103000Z\r\n"
        "TRANSP:OPAQUE\r\nEND:VEVENT\r\n"
        "BEGIN:VEVENT\r\nUID:2@smart-task-scheduler\r\nDTSTAMP:20300107T093000Z\r\n"
        "LAST-MODIFIED:20300107T093000Z\r\nSEQUENCE:3\r\nSUMMARY:Pay\r\n"
        "DTSTART;VALUE=DATE:20300108\r\nDTEND;VALUE=DATE:20300109\r\n"
        "TRANSP:TRANSPARENT\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
    )


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_no_text_breaks_out_of_its_line(title):
    data = text(title, [event(summary=title, description=title)])
    assert all(len(line) <= 75 for line in data.split(b"\r\n"))
    assert all(line.decode() is not None for line in data.split(b"\r\n"))  # no broken character
    [found] = read(data)
    visible = "".join(c for c in title.replace("\r", "") if (c >= " " and c != "\x7f") or c == "\n")
    assert (found["SUMMARY"], found["DESCRIPTION"] if visible else "") == (visible, visible)


HARD = [
    event(summary="BEGIN:VEVENT\nSUMMARY:x", description="a\\nb, c; d\\"),
    event(uid="2", summary="ü" * 200, start=date(2030, 3, 31), end=date(2030, 4, 1)),
    event(uid="3", summary="👩‍🚀" * 40, end=None),
]


def test_ical_js_reads_the_same():
    if not shutil.which("node") or not (TESTS / "node_modules" / "ical.js").is_dir():
        pytest.skip("needs node and `npm ci` in tests/ (ical.js)")
    data = text("Hard", HARD)
    ran = subprocess.run(
        ["node", str(TESTS / "calendar.mjs")], input=data, capture_output=True, check=True
    )
    assert [
        (each["uid"], each["summary"], each["start"], each["end"], each["sequence"])
        for each in json.loads(ran.stdout)
    ] == [
        (
            "1@smart-task-scheduler",
            HARD[0].summary,
            "2030-01-07T09:30:00.000Z",
            "2030-01-07T10:30:00.000Z",
            3,
        ),
        ("2@smart-task-scheduler", HARD[1].summary, "2030-03-31", "2030-04-01", 3),
        ("3@smart-task-scheduler", HARD[2].summary, "2030-01-07T09:30:00.000Z", None, 3),
    ]
    assert [each["DTSTART"].dt for each in read(data)] == [AT, date(2030, 3, 31), AT]
