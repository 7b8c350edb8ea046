"""What holds for every text that quick add reads."""

import sys
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, reject
from hypothesis import strategies as st

from graphql_api.domain.quick_add.model import Asked, ProjectName, QuickAdd
from graphql_api.domain.quick_add.parser import read
from graphql_api.domain.recurrence.model import Start
from graphql_api.domain.recurrence.occurrences import Occurrences
from graphql_api.domain.settings.model import DateOrder
from graphql_api.errors import BadUserInput

ZONES = ("UTC", "Europe/Berlin", "America/New_York", "Asia/Kathmandu")
FRAGMENTS = (
    *("Call", "Bob", "the", "of", "and", '"', "„", ",", "-", "tomorrow", "next", "friday", "sun"),
    *("every", "other", "last", "2", "weeks", "month", "on", "the", "15th", "until", "24"),
    *("December", "31", "February", "at", "9", "9am", "17:00", "Uhr", "um", "halb", "jeden"),
    *("montags", "alle", "zwei", "Wochen", "am", "15.", "11.12.", "12/11", "2026-12-11", "in"),
    *("3", "days", "hours", "daily:", "weekly", "evening", "#tag", "#42", "!high", "~30m", "@home"),
    *("Samstagabend", "Sonntagmorgen", "Nacht", "vom", "bis", "3.", "3-5", "to", "monday"),
    *('@"The', 'move"', "times", "10", "Abend", "heute", "tonight", "eom", "999", "years"),
)
phrases = st.lists(st.sampled_from(FRAGMENTS), min_size=1, max_size=14).map(" ".join)
moments = st.datetimes(datetime(1902, 1, 1), datetime(2990, 1, 1))  # noqa: DTZ001 - made local below


@st.composite
def readings(draw, texts=phrases) -> tuple[str, Asked, QuickAdd]:
    zone = draw(st.sampled_from(ZONES))
    asked = Asked(
        draw(moments).replace(tzinfo=ZoneInfo(zone)),
        zone,
        draw(st.sampled_from(DateOrder)),
        draw(st.integers(0, 6)),
        (ProjectName("1", "Home"), ProjectName("2", "The move")),
    )
    text = draw(texts)
    try:
        return text, asked, read(text, asked)
    except BadUserInput as error:
        assert error.message.startswith("text ends its repetition before it begins")  # noqa: PT017
        reject()


visible = st.text(min_size=1, max_size=60).map(lambda text: f"x{text}")


@given(readings(phrases | visible))
def test_spans_are_apart_and_nothing_but_them_is_missing_from_the_title(reading):
    text, _, found = reading
    at, left = 0, ""
    for span in found.spans:
        assert at <= span.start < span.end <= len(text)
        assert text[span.start : span.end] == span.text
        left += text[at : span.start]
        at = span.end
    assert "".join(found.title.split()) == "".join((left + text[at:]).split())


@given(readings())
def test_a_repetition_has_its_first_day(reading):
    _, asked, found = reading
    assert not (found.due_at and found.due_on)
    if found.recurrence:
        start = Start(found.due_on) if found.due_on else Start.of(found.due_at, asked.timezone)
        Occurrences(found.recurrence, start).check_first("due_on")


def calls(text: str) -> int:
    """How many functions of Python reading a text calls: a measure that no machine changes."""
    count = 0

    def counted(_frame, event, _argument):
        nonlocal count
        count += event == "call"

    asked = Asked(datetime(2026, 11, 25, 10, tzinfo=UTC), "UTC")
    read(text, asked)  # what is cached is cached
    sys.setprofile(counted)
    try:
        read(text, asked)
    finally:
        sys.setprofile(None)
    return count


@pytest.mark.parametrize(
    "word",
    ["every", "in", "on", "the", "12", "1/1", "#", '"', "last", "9", "am", "montags und", "bis"],
)
def test_reading_takes_time_in_proportion_to_the_text(word):
    short, long = (f"x{(' ' + word) * times}" for times in (8, 16))
    assert calls(long) <= 2 * calls(short)
    assert calls(long) < 20_000
