"""What quick add makes of phrases in English and German, and of titles that look like dates."""

from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from graphql_api.domain.quick_add.model import Asked, ProjectName, QuickAdd
from graphql_api.domain.quick_add.parser import read
from graphql_api.domain.settings.model import DateOrder
from graphql_api.errors import BadUserInput

BERLIN = ZoneInfo("Europe/Berlin")
ASKED = Asked(
    datetime(2026, 11, 25, 10, tzinfo=BERLIN),
    "Europe/Berlin",
    projects=(ProjectName("p1", "Project"), ProjectName("p2", "The move")),
)
LINES = (Path(__file__).parent / "phrases.txt").read_text().splitlines()
ROWS = [line.split(" | ") for line in LINES if line and not line.startswith("# ")]
PHRASES = [row for row in ROWS if len(row) > 1]
TITLES = [row[0] for row in ROWS if len(row) == 1]

TOLD = """\
Pay 12/11
    “12/11” read as Friday, 11 December 2026.
Call Bob next friday
    “next friday” read as Friday, 4 December 2026, not Friday, 27 November 2026.
Call Bob wednesday
    “wednesday” read as Wednesday, 2 December 2026.
Call Bob wednesday 11am
    “wednesday” read as Wednesday, 25 November 2026.
Call Bob 9am
    “9am” read as Thursday, 26 November 2026 at 09:00.
Meet tomorrow at 9
    “at 9” read as 09:00.
Yoga every second friday
    “every second friday” read as every two weeks, not once a month.
Yoga jeden 2. Freitag
    “jeden 2. Freitag” read as every two weeks, not once a month.
Journal every morning
    “every morning” read as 09:00.
Party Thursday, 11 December
    “Thursday, 11 December” read as Friday, 11 December 2026.
Book flights 24 November
    “24 November” read as Wednesday, 24 November 2027.
Sync every friday from tomorrow
    “every friday” read as beginning on Friday, 27 November 2026.
Zahnarzt morgen früh
    “morgen früh” read as Thursday, 26 November 2026 at 09:00.
Write today 9am
    This time has passed.
Write 2020-02-02
    This day has passed.
Mail @nobody
    “@nobody” stays in the title: no project is called “nobody”.
Write !low !high
    “!high” stays in the title: a priority is given already.
Call Bob half past eight
    “half past eight” read as Thursday, 26 November 2026 at 08:30.
Call tomorrow call Ann friday
    “tomorrow” stays in the title: a day is given already.
Call Bob 9am tomorrow 11am
    “9am” stays in the title: a time is given already.
Run every day every week
    “every day” stays in the title: a repetition is given already.
Meeting tomorrow 9-11
    “9-11” stays in the title: a range of times is not read.
Treffen morgen von 9 bis 11 Uhr
    “von 9 bis 11 Uhr” stays in the title: a range of times is not read.
Open the shop from 9am to 5pm
    “from 9am to 5pm” stays in the title: a range of times is not read.
heute Nacht Server neu starten
    “heute Nacht” stays in the title: a night is not read.
Feiern Samstagnacht
    “Samstagnacht” stays in the title: a night is not read.
Chor Donnerstagprobe 19:30
    “Donnerstagprobe” stays in the title: no day is read from it.
Call Ann on Monday again 11:00
    “on Monday” stays in the title: no day is read from it.
Monday meeting 11am
    “Monday” stays in the title: no day is read from it.
Urlaub vom 3. bis 5. Dezember
    “vom 3. bis 5. Dezember” stays in the title: a range of days is not read.
Holiday 3 to 5 December
    “3 to 5 December” stays in the title: a range of days is not read.
Urlaub 3.-5. Dezember
    “3.-5. Dezember” stays in the title: a range of days is not read.
Urlaub Montag bis Freitag
    “Montag bis Freitag” stays in the title: a range of days is not read.
Call 28 March 2027 2:30
    The clock skips 02:30 on Sunday, 28 March 2027: read as 03:30.
Call 31 October 2027 2:30
    The clock shows 02:30 twice on Sunday, 31 October 2027: read as the first.
"""


def asked(at: str, **options) -> Asked:
    """What is asked at a local time of Berlin."""
    return Asked(datetime.fromisoformat(at).replace(tzinfo=BERLIN), "Europe/Berlin", **options)


def due(found: QuickAdd) -> str:
    """The local day, or day and time."""
    if found.due_at:
        return f"{found.due_at.astimezone(BERLIN):%Y-%m-%d %H:%M}"
    return str(found.due_on or "")


def row(text: str) -> list[str]:
    """The row of the table for a text, without empty cells at its end."""
    found = read(text, ASKED)
    marks = [f"#{tag}" for tag in found.tags]
    marks += [f"!{found.priority.value}"] if found.priority else []
    marks += [f"@{found.project_id}"] if found.project_id else []
    marks += [f"~{found.duration_minutes}"] if found.duration_minutes else []
    rule = found.recurrence.rrule if found.recurrence else ""
    cells = [text, found.title, due(found), rule, " ".join(marks)]
    while not cells[-1]:
        cells.pop()
    return cells


def test_the_table_has_two_hundred_phrases_and_fifty_titles():
    assert (len(PHRASES) >= 200, len(TITLES) >= 50) == (True, True)


def test_phrases_are_read_as_the_table_says():
    assert [row(each[0]) for each in PHRASES] == PHRASES


def test_titles_that_only_look_like_dates_stay_as_they_are():
    found = [read(title, ASKED) for title in TITLES]
    assert [each.title for each in found] == TITLES
    assert [each for each in found if each != QuickAdd(title=each.title)] == []


def test_what_could_be_read_otherwise_is_told():
    rows = iter(TOLD.splitlines())
    for text, told in zip(rows, rows, strict=True):
        assert (text, read(text, ASKED).ambiguities) == (text, (told.strip(),))


def test_what_is_clear_is_told_in_silence():
    clear = ["Pay 25/12", "Call Bob friday", "Call Bob 11am", "Treffen 11.12.", "Run every day"]
    clear += ["Read pages 9-11 tomorrow", "Read pages 9-11", "Work 9 to 5"]
    assert [read(text, ASKED).ambiguities for text in clear] == [()] * 8


def test_the_settings_say_which_comes_first_day_or_month():
    day_first = asked("2026-11-25T10:00", date_order=DateOrder.DAY_FIRST)
    assert due(read("Pay 3/4/2027", day_first)) == "2027-04-03"
    assert due(read("Pay 3/4/2027", ASKED)) == "2027-03-04"
    assert due(read("Pay 12/25", day_first)) == "2026-12-25"  # there is no month 25


def test_the_settings_say_when_next_week_begins():
    sunday_first = asked("2026-11-25T10:00", first_weekday=6)
    assert due(read("Plan next week", sunday_first)) == "2026-11-29"
    assert due(read("Call next sunday", sunday_first)) == "2026-11-29"
    assert due(read("Call next sunday", ASKED)) == "2026-12-06"
    assert (
        read("Gym every 2 weeks on monday and friday", sunday_first).recurrence.rrule
        == "FREQ=WEEKLY;INTERVAL=2;BYDAY=MO,FR;WKST=SU"
    )


@pytest.mark.parametrize(
    ("said", "text", "at"),
    [
        ("2027-03-28T00:30", "Call in 3 hours", "2027-03-28 04:30"),
        ("2027-10-31T01:30", "Call in 3h", "2027-10-31 03:30"),
        ("2027-10-31T01:30", "Call in 24 hours", "2027-11-01 00:30"),
        ("2027-03-27T12:00", "Call in 1 day 12:00", "2027-03-28 12:00"),
    ],
)
def test_hours_are_counted_and_days_are_of_the_calendar_where_clocks_change(said, text, at):
    assert due(read(text, asked(said))) == at


def test_days_are_local_ones():
    late = asked("2026-12-31T23:30")
    assert due(read("Call tomorrow", late)) == "2027-01-01"
    assert due(read("Call in an hour", late)) == "2027-01-01 00:30"
    assert due(read("Call 23:45", late)) == "2026-12-31 23:45"


@pytest.mark.parametrize("text", ["", " ", "\u200b\n", "x" * 501])
def test_a_text_has_between_1_and_500_characters(text):
    with pytest.raises(BadUserInput, match="1 to 500 characters") as refused:
        read(text, ASKED)
    assert refused.value.field == "text"


def test_a_title_that_is_left_may_be_too_long():
    with pytest.raises(BadUserInput, match="leaves a title of 201 characters"):
        read("x" * 201 + " tomorrow", ASKED)
    assert len(read("x" * 200 + " tomorrow", ASKED).title) == 200


def test_a_repetition_does_not_end_before_it_begins():
    with pytest.raises(BadUserInput, match="ends its repetition before it begins"):
        read("Run every friday until 26 November 2026", ASKED)


def test_moments_have_years_that_can_be_reached():
    for year in (1900, 2999):
        with pytest.raises(BadUserInput, match="must be in the years") as refused:
            read("Call tomorrow", asked(f"{year}-01-01T10:00"))
        assert refused.value.field == "now"
