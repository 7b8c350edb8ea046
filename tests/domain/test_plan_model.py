from dataclasses import fields, replace
from datetime import UTC, date, datetime, time, timedelta

import pytest

from graphql_api.domain.planner.model import Interval, PlanRequest, PlanTask, WorkingHours
from graphql_api.errors import BadUserInput

NOW = datetime(2026, 11, 23, tzinfo=UTC)
HOUR = timedelta(hours=1)
NO_HOURS = ((),) * 7
DAY = 24 * 60
UPSIDE_DOWN = Interval(NOW, NOW - timedelta(microseconds=1))
WITHOUT_OFFSET = datetime(2026, 11, 23)  # noqa: DTZ001 (that is the point)
FAR = datetime(9000, 1, 1, tzinfo=UTC)


def task(**given) -> PlanTask:
    return PlanTask(**{"task_id": "a", "duration_minutes": 60, **given})


def request(*tasks, **given) -> PlanRequest:
    return PlanRequest(**{"tasks": tasks, "hours": WorkingHours(NO_HOURS), "from_": NOW, **given})


def week(*hours):
    """A week of these hours on Monday, and none on other days."""
    return (tuple(tuple(map(time.fromisoformat, h.split("-"))) for h in hours), *NO_HOURS[1:])


def refused(make, **given):
    """The field and the message of a refusal."""
    with pytest.raises(BadUserInput) as caught:
        make(**given)
    return caught.value.field, caught.value.message


DURATION = "duration_minutes must be from 0 to 86400."
CHUNK = "min_chunk_minutes must be from 0 to 86400."


@pytest.mark.parametrize(
    ("given", "field", "message"),
    [
        ({"duration_minutes": -1}, "duration_minutes", DURATION),
        ({"duration_minutes": 86_401}, "duration_minutes", DURATION),
        ({"min_chunk_minutes": -1}, "min_chunk_minutes", CHUNK),
        ({"min_chunk_minutes": 86_401}, "min_chunk_minutes", CHUNK),
        ({"weight": 0}, "weight", "weight must be from 1 to 1000."),
        ({"weight": 1_001}, "weight", "weight must be from 1 to 1000."),
        (
            {"blocked_by": tuple(map(str, range(51)))},
            "blocked_by",
            "blocked_by must have at most 50 items.",
        ),
        ({"not_before": WITHOUT_OFFSET}, "not_before", "not_before must have an offset from UTC."),
        ({"deadline": WITHOUT_OFFSET}, "deadline", "deadline must have an offset from UTC."),
        ({"deadline": FAR}, "deadline", "deadline must be in the years 1970 to 8999."),
        ({"planned": (UPSIDE_DOWN,)}, "planned", "planned must not end before it starts."),
    ],
    ids=str,
)
def test_what_a_task_cannot_be_is_refused_by_field(given, field, message):
    assert refused(task, **given) == (field, message)


@pytest.mark.parametrize(
    "given",
    [
        {"duration_minutes": 0},
        {"duration_minutes": 60 * DAY, "min_chunk_minutes": 60 * DAY},
        {"weight": 1_000},
        {"blocked_by": tuple(map(str, range(50)))},
        {"planned": (Interval(NOW, NOW),)},
    ],
    ids=str,
)
def test_a_task_may_go_to_its_bounds(given):
    assert task(**given) == task(**given)


def test_the_order_of_blockers_and_of_pieces_does_not_matter():
    one, other = Interval(NOW, NOW + HOUR), Interval(NOW + HOUR, NOW + 2 * HOUR)

    assert task(blocked_by=("c", "b", "c"), planned=(other, one)) == task(
        blocked_by=("b", "c"), planned=(one, other)
    )


OVERLAP = "The hours of a day must not overlap."
NIGHT_OVERLAP = "Hours that end on the next day must not overlap that day's hours."
LAST = "Only the last hours of a day may end on the next day."
MINUTES = "Hours must be whole minutes in local time, without an offset."


@pytest.mark.parametrize(
    ("weekly", "message"),
    [
        (NO_HOURS[1:], "weekly must have seven days of hours, Monday first."),
        (week("09:00-12:00", "11:59-17:00"), OVERLAP),
        (week("09:00-12:00", "09:00-12:00"), OVERLAP),
        (week("12:00-09:00", "13:00-17:00"), LAST),
        (week("00:00-00:00", "13:00-17:00"), OVERLAP),
        (week("09:00-17:00", "17:00-17:00", "18:00-19:00"), LAST),
        (week("09:00:01-12:00"), MINUTES),
        (week("09:00-12:00:00.5"), MINUTES),
        (week("09:00-12:00+01:00"), MINUTES),
        ((*NO_HOURS[:5], *week("22:00-06:00")[:1], *week("05:59-07:00")[:1]), NIGHT_OVERLAP),
        ((*week("05:00-07:00")[:1], *NO_HOURS[:5], *week("22:00-06:00")[:1]), NIGHT_OVERLAP),
        (week(*["09:00-10:00"] * 25), "weekly must have at most 24 items."),
    ],
    ids=str,
)
def test_hours_that_cannot_be_are_refused(weekly, message):
    assert refused(WorkingHours, weekly=weekly) == ("weekly", message)


@pytest.mark.parametrize(
    "weekly",
    [
        week("13:00-17:00", "09:00-12:00"),
        week("09:00-12:00", "12:00-17:00"),
        week("00:00-00:00"),
        (week("22:00-06:00")[0],) * 7,
        (*NO_HOURS[:5], *week("22:00-06:00")[:1], *week("06:00-07:00")[:1]),
    ],
    ids=str,
)
def test_hours_may_touch_and_go_on_through_the_night(weekly):
    assert WorkingHours(weekly).weekly == weekly


@pytest.mark.parametrize(
    "name", ["", "Mars/Olympus", "../etc/passwd", "/etc/passwd", "\0", "Europe"]
)
def test_an_unknown_zone_is_refused(name):
    field, message = refused(WorkingHours, weekly=NO_HOURS, timezone=name)

    assert field == "timezone"
    assert message.endswith("is not an IANA time zone.")


def test_days_off_have_no_order():
    days = tuple(date(2026, 1, 1) + timedelta(days=n) for n in range(6))

    assert WorkingHours(NO_HOURS, days[5::-1] * 2).days_off == days[:6]


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"horizon_days": 0}, "horizon_days"),
        ({"horizon_days": 61}, "horizon_days"),
        ({"from_": WITHOUT_OFFSET}, "from"),
        ({"from_": FAR}, "from"),
        ({"busy": (UPSIDE_DOWN,)}, "busy"),
        ({"busy": (Interval(NOW, FAR),)}, "busy"),
        ({"tasks": tuple(task(task_id=str(n)) for n in range(2_001))}, "tasks"),
        ({"tasks": (task(), task(version=2))}, "tasks"),
    ],
    ids=lambda value: str(value)[:30],
)
def test_what_cannot_be_planned_is_refused_by_field(given, field):
    assert refused(request, **given)[0] == field


@pytest.mark.parametrize(
    ("edges", "path"),
    [
        ({"a": ["a"]}, ["a", "a"]),
        ({"a": ["b"], "b": ["a"]}, ["a", "b", "a"]),
        ({"a": ["b", "x"], "b": ["c"], "c": ["a"], "d": ["a"]}, ["a", "c", "b", "a"]),
    ],
    ids=str,
)
def test_tasks_that_block_each_other_are_refused_with_the_path(edges, path):
    tasks = tuple(task(task_id=id_, blocked_by=tuple(by)) for id_, by in edges.items())

    for given in (tasks, tasks[::-1]):
        with pytest.raises(BadUserInput) as caught:
            request(*given)

        assert caught.value.render().details == {"field": "blocked_by", "path": path}
        assert caught.value.message == f"Tasks block each other in a cycle: {', '.join(path)}."


def test_tasks_come_after_their_blockers():
    tasks = (
        task(task_id="a", blocked_by=("b", "gone")),
        task(task_id="b", blocked_by=("c",)),
        task(task_id="c"),
    )

    assert [one.task_id for one in request(*tasks).ordered] == ["c", "b", "a"]


def test_every_field_of_a_request_is_in_its_hash():
    whole = request(task(), busy=(Interval(NOW, NOW + HOUR),), hours=WorkingHours(NO_HOURS))
    changes = {
        "title": "b", "version": 2, "duration_minutes": 61, "not_before": NOW, "deadline": NOW,
        "min_chunk_minutes": 1, "weight": 2, "blocked_by": ("b",), "deadline_is_hard": True,
        "planned": (Interval(NOW, NOW + HOUR),), "schedule": "deep",
        "max_chunk_minutes": 60, "lacking_minutes": 1,
    }  # fmt: skip
    changed = [replace(whole, tasks=(task(**{name: new}),)) for name, new in changes.items()]

    assert len({one.input_hash for one in [whole, *changed]}) == 1 + len(changes)
    assert {f.name for f in fields(PlanTask)} - set(changes) == {"task_id"}
