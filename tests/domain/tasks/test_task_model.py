from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta, timezone
from hashlib import sha256
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from graphql_api import clock
from graphql_api.domain.tasks.model import (
    RULES,
    DeadlineType,
    Task,
    TaskPriority,
    TaskStatus,
)
from graphql_api.errors import BadUserInput

PENDING, IN_PROGRESS, COMPLETED, CANCELLED = TaskStatus
NOW = datetime(2026, 11, 22, 9, 30, 0, 123_456, tzinfo=UTC)
NOW_KEPT = datetime(2026, 11, 22, 9, 30, 0, 123_000, tzinfo=UTC)
LATER = NOW + timedelta(hours=1)
LATER_KEPT = NOW_KEPT + timedelta(hours=1)
DUE = datetime(2027, 1, 1, tzinfo=UTC)
MILLISECOND = timedelta(milliseconds=1)


CHANGEABLE = {
    *("title", "description", "status", "priority", "due_at", "tags"),
    *("duration_minutes", "not_before", "deadline_type", "min_chunk_minutes"),
    *("planned_start", "planned_end"),
}


def new(**given) -> Task:
    return Task.new("ann", {"title": "Write", **given}, NOW)


# A new task


def test_a_new_task_has_defaults():
    task = new()

    assert task == Task(
        task_id=task.task_id,
        user_id="ann",
        title="Write",
        description="",
        status=PENDING,
        priority=TaskPriority.MEDIUM,
        due_at=None,
        tags=(),
        created_at=NOW_KEPT,
        updated_at=NOW_KEPT,
        completed_at=None,
        version=1,
    )
    assert UUID(task.task_id).version == 7


def test_a_new_task_has_what_was_given():
    given_ = {
        "description": "  as it is \n",
        "status": IN_PROGRESS,
        "priority": TaskPriority.URGENT,
        "due_at": DUE,
        "tags": ("b", "a"),
        "duration_minutes": 90,
        "not_before": NOW_KEPT,
        "deadline_type": DeadlineType.HARD,
        "min_chunk_minutes": 30,
        "max_chunk_minutes": 60,
        "planned_start": NOW_KEPT,
        "planned_end": LATER_KEPT,
    }

    task = new(**given_)

    assert {name: getattr(task, name) for name in given_} == given_


@pytest.mark.parametrize("name", sorted(set(CHANGEABLE) - {"title"}))
def test_none_is_the_default_of_a_new_tasks_field(name):
    task = new(**{name: None})

    assert task == replace(new(), task_id=task.task_id)


@pytest.mark.parametrize(
    ("status", "completed_at"),
    [(PENDING, None), (IN_PROGRESS, None), (CANCELLED, None), (COMPLETED, NOW_KEPT)],
)
def test_only_a_task_that_is_new_and_done_has_been_completed(status, completed_at):
    task = new(status=status)

    assert (task.completed_at, task.completed) == (completed_at, status is COMPLETED)


def test_two_new_tasks_differ_by_their_ids():
    one, other = new(), new()

    assert one != other
    assert one == replace(other, task_id=one.task_id)


# What fields can hold


@pytest.mark.parametrize(
    ("given_", "kept"),
    [
        ("x", "x"),
        ("x" * 200, "x" * 200),
        ("é" * 200, "é" * 200),
        ("😀" * 200, "😀" * 200),
        (" \t\n x \u3000\u00a0", "x"),
        (" " * 500 + "x" * 200 + " " * 500, "x" * 200),
        ("two\nlines", "two\nlines"),
    ],
    ids=ascii,
)
def test_a_title_is_trimmed_and_may_have_200_characters(given_, kept):
    assert new(title=given_).title == kept
    assert new().edit({"title": given_}, NOW).title == kept


@pytest.mark.parametrize(
    ("given_", "kept"),
    [
        ((), ()),
        (("a",), ("a",)),
        (("b", "a", "b", "a"), ("b", "a")),
        ((" a ", "a", "\ta\u3000"), ("a",)),
        (("A", "a"), ("A",)),
        (("x" * 50,), ("x" * 50,)),
        (("  " + "é" * 50 + "  ",), ("é" * 50,)),
        (tuple(map(str, range(20))), tuple(map(str, range(20)))),
        (tuple(map(str, range(20))) * 2, tuple(map(str, range(20)))),
    ],
    ids=ascii,
)
def test_tags_are_trimmed_and_keep_their_order_without_duplicates(given_, kept):
    assert new(tags=given_).tags == kept
    assert new(tags=("x",)).edit({"tags": given_}, NOW).tags == kept


@pytest.mark.parametrize("text", ["x" * 32_768, "é" * 16_384, "😀" * 8_192, " \n "], ids=len)
def test_a_description_may_have_32768_bytes_and_is_kept_whole(text):
    assert new(description=text).description == text
    assert new().edit({"description": text}, NOW).description == text


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("title", "", "A title must have 1 to 200 characters."),
        ("title", " \t\n\u3000", "A title must have 1 to 200 characters."),
        ("title", "x" * 201, "A title must have 1 to 200 characters."),
        ("title", "é" * 201, "A title must have 1 to 200 characters."),
        ("description", "x" * 32_769, "A description must have at most 32768 bytes."),
        (
            "description",
            "é" * 16_384 + "x",
            "A description must have at most 32768 bytes.",
        ),
        ("tags", ("",), "A tag must have 1 to 50 characters."),
        ("tags", ("a", "  "), "A tag must have 1 to 50 characters."),
        ("tags", ("x" * 51,), "A tag must have 1 to 50 characters."),
        ("tags", tuple(map(str, range(21))), "A task must have at most 20 tags."),
    ],
    ids=lambda value: ascii(value)[:30],
)
def test_what_a_field_cannot_hold_is_refused_by_field(name, value, message):
    for attempt in (lambda: new(**{name: value}), lambda: new().edit({name: value}, NOW)):
        with pytest.raises(BadUserInput) as caught:
            attempt()

        assert caught.value.message == message
        assert (caught.value.code, caught.value.render().details) == (
            "BAD_USER_INPUT",
            {"field": name},
        )


@pytest.mark.parametrize("given_", [{}, {"title": None}])
def test_a_new_task_has_a_title(given_):
    with pytest.raises(BadUserInput) as caught:
        Task.new("ann", given_, NOW)

    assert (caught.value.code, caught.value.render().details) == (
        "BAD_USER_INPUT",
        {"field": "title"},
    )


# A change


def test_a_change_counts_and_is_dated_and_touches_nothing_else():
    before = new(tags=("home",), due_at=DUE)

    after = before.edit({"title": "Rewrite", "tags": ("work",)}, LATER)

    assert after == replace(
        before, title="Rewrite", tags=("work",), updated_at=LATER_KEPT, version=2
    )


@pytest.mark.parametrize(
    "same",
    [
        {},
        {"title": "Write"},
        {"title": "  Write "},
        {"description": ""},
        {"description": None},
        {"status": PENDING},
        {"priority": TaskPriority.MEDIUM},
        {"due_at": DUE},
        {"due_at": DUE.astimezone(timezone(timedelta(hours=9)))},
        {"tags": ("a", "b")},
        {"tags": (" a", "b", "a")},
        {"duration_minutes": None, "min_chunk_minutes": 0, "deadline_type": DeadlineType.SOFT},
        {"planned_start": None, "planned_end": None, "not_before": None},
    ],
    ids=str,
)
def test_a_change_that_changes_nothing_gives_the_same_task(same):
    task = new(due_at=DUE, tags=("a", "b"))

    assert task.edit(same, LATER) is task


@pytest.mark.parametrize(("name", "cleared"), [("description", ""), ("due_at", None), ("tags", ())])
def test_none_clears_what_can_be_empty(name, cleared):
    before = new(description="More", due_at=DUE, tags=("a",))

    after = before.edit({name: None}, LATER)

    assert after == replace(before, **{name: cleared}, updated_at=LATER_KEPT, version=2)


def test_none_clears_what_is_known_of_the_work():
    before = new(
        duration_minutes=90, not_before=NOW, planned_start=NOW_KEPT, planned_end=LATER_KEPT
    )

    after = before.edit(dict.fromkeys(KNOWN_OR_NOT), LATER)

    assert [getattr(after, name) for name in KNOWN_OR_NOT] == [None] * 4
    assert after.version == 2


KNOWN_OR_NOT = ("duration_minutes", "not_before", "planned_start", "planned_end")


@pytest.mark.parametrize(
    "name", ["title", "status", "priority", "deadline_type", "min_chunk_minutes"]
)
def test_none_does_not_clear_what_cannot_be_empty(name):
    with pytest.raises(BadUserInput) as caught:
        new().edit({"description": "x", name: None}, LATER)

    assert caught.value.message == f"{name} cannot be null."
    assert (caught.value.code, caught.value.render().details) == (
        "BAD_USER_INPUT",
        {"field": name},
    )


@pytest.mark.parametrize("minutes", [-1, 14_401, -(2**31), 2**31 - 1])
@pytest.mark.parametrize("name", ["duration_minutes", "min_chunk_minutes"])
def test_minutes_are_neither_negative_nor_more_than_ten_days(name, minutes):
    for attempt in (lambda: new(**{name: minutes}), lambda: new().edit({name: minutes}, NOW)):
        with pytest.raises(BadUserInput) as caught:
            attempt()

        assert (caught.value.code, caught.value.render().details) == (
            "BAD_USER_INPUT",
            {"field": name},
        )


@pytest.mark.parametrize("minutes", [0, 1, 14_400])
def test_minutes_are_kept(minutes):
    task = new(duration_minutes=minutes, min_chunk_minutes=minutes)

    assert (task.duration_minutes, task.min_chunk_minutes) == (minutes, minutes)


@pytest.mark.parametrize(
    ("planned", "field"),
    [
        ({"planned_start": NOW_KEPT}, "planned_end"),
        ({"planned_end": NOW_KEPT}, "planned_start"),
        ({"planned_start": LATER_KEPT, "planned_end": NOW_KEPT}, "planned_end"),
    ],
)
def test_a_task_is_planned_from_a_start_to_an_end(planned, field):
    for attempt in (lambda: new(**planned), lambda: new().edit(planned, NOW)):
        with pytest.raises(BadUserInput) as caught:
            attempt()

        assert (caught.value.code, caught.value.render().details) == (
            "BAD_USER_INPUT",
            {"field": field},
        )


def test_a_milestone_may_be_planned_for_one_instant():
    task = new(duration_minutes=0, planned_start=NOW_KEPT, planned_end=NOW_KEPT)

    assert task.planned_start == task.planned_end == NOW_KEPT


@pytest.mark.parametrize("before", TaskStatus)
@pytest.mark.parametrize("after", TaskStatus)
def test_a_task_is_completed_while_its_status_says_so(before, after):
    task = new(status=before)

    changed = task.edit({"status": after, "title": "Rewrite"}, LATER)

    became = {COMPLETED: LATER_KEPT if before is not COMPLETED else NOW_KEPT}
    assert changed.completed_at == became.get(after)
    assert (changed.status, changed.version) == (after, 2)


def test_a_task_that_is_done_twice_was_completed_the_second_time():
    done = new(status=COMPLETED)

    again = done.edit({"status": PENDING}, LATER).edit({"status": COMPLETED}, LATER)

    assert (again.completed_at, again.version) == (LATER_KEPT, 3)


def test_an_edit_of_a_done_task_leaves_the_time_of_its_completion():
    done = new(status=COMPLETED)

    assert done.edit({"description": "x"}, LATER).completed_at == NOW_KEPT


def test_the_order_by_due_date_is_a_text():
    assert new().due_order is None
    task = new(due_at=DUE)
    assert task.due_order == f"2027-01-01T00:00:00.000Z#{task.task_id}"


@pytest.mark.parametrize(
    "changes",
    [
        {"title": "Rewrite"},
        {"description": "x"},
        {"status": CANCELLED},
        {"priority": TaskPriority.LOW},
        {"due_at": None},
        {"due_at": DUE + MILLISECOND},
        {"tags": ("b", "a")},
        {"tags": ("a, b",)},
        {"title": "Write', 'x", "description": ""},
    ],
    ids=str,
)
def test_tasks_have_the_content_digest_if_the_same_was_given_for_both(changes):
    content = {"description": "x', ", "due_at": DUE, "tags": ("a", "b")}
    task = new(**content)
    later = Task.new("ben", {"title": " Write", **content}, LATER)

    assert task.content_digest() == later.content_digest()
    assert task.content_digest() != new(**(content | changes)).content_digest()


def test_a_task_without_what_came_later_has_the_content_that_it_had_before():
    task = new(description="x", due_at=DUE, tags=("a",), deadline_type=None, min_chunk_minutes=0)

    first_release = ("Write", "x", PENDING, TaskPriority.MEDIUM, DUE, ("a",))
    assert task.content_digest() == sha256(repr(first_release).encode()).hexdigest()


@pytest.mark.parametrize(
    "changes",
    [
        {"duration_minutes": 0},
        {"not_before": DUE},
        {"deadline_type": DeadlineType.HARD},
        {"min_chunk_minutes": 5},
        {"max_chunk_minutes": 60},
        {"planned_start": DUE, "planned_end": DUE},
    ],
    ids=str,
)
def test_what_came_later_is_content_too(changes):
    assert new(**changes).content_digest() == new(**changes).content_digest()
    assert new(**changes).content_digest() != new().content_digest()


VALUES = {
    "title": st.sampled_from(["Write", "Rewrite", " Rewrite ", "", "\u200b", None]),
    "description": st.sampled_from(["", "More", None]),
    "status": st.sampled_from([*TaskStatus, None]),
    "priority": st.sampled_from([*TaskPriority, None]),
    "due_at": st.sampled_from([DUE, DUE + MILLISECOND, None]),
    "tags": st.sampled_from([(), ("a",), ("a", "a"), ("b", "a"), None]),
    "duration_minutes": st.sampled_from([None, 0, 90, -1]),
    "min_chunk_minutes": st.sampled_from([0, 30, 91, None]),
    "max_chunk_minutes": st.sampled_from([None, 14, 15, 60, 90]),
    "not_before": st.sampled_from([None, DUE, DUE + MILLISECOND]),
    "deadline_type": st.sampled_from([*DeadlineType, None]),
    "planned_start": st.sampled_from([None, NOW_KEPT]),
    "planned_end": st.sampled_from([None, NOW_KEPT, LATER_KEPT]),
}


@settings(deadline=None)
@given(st.lists(st.fixed_dictionaries({}, optional=VALUES), max_size=8))
def test_whatever_edits_follow_each_other_a_task_stays_one(edits):
    task = new()
    for hour, edit in enumerate(edits, start=1):
        at = NOW + timedelta(hours=hour)
        try:
            after = task.edit(edit, at)
        except BadUserInput:
            continue
        content = [
            f.name
            for f in fields(Task)
            if f.name not in {"updated_at", "completed_at", "version"}
            and getattr(task, f.name) != getattr(after, f.name)
        ]

        assert (after is task) == (content == [])
        assert set(content) <= set(edit)
        assert after.version == task.version + (content != [])
        assert after.updated_at == (clock.milliseconds(at) if content else task.updated_at)
        assert (after.completed_at is not None) == (after.status is COMPLETED)
        assert after.edit(edit, at) is after
        assert after.title != "\u200b"
        assert after.duration_minutes is None or after.min_chunk_minutes <= after.duration_minutes
        if after.max_chunk_minutes:
            assert after.max_chunk_minutes >= 2 * after.min_chunk_minutes
        if after.deadline_type is DeadlineType.HARD and after.due_at and after.not_before:
            assert after.not_before <= after.due_at
        task = after


# Rules that are younger than some stored tasks

START = datetime(2030, 1, 7, 9, tzinfo=UTC)
BEFORE_START = START - MILLISECOND
INVISIBLE = ["\u200b", "\ufeff", "\0", " \u200b\t", "\u2060\u00ad", "\u3164", "\u2800\u034f"]


@pytest.mark.parametrize("text", INVISIBLE, ids=ascii)
@pytest.mark.parametrize(("name", "wrap"), [("title", str), ("tags", lambda text: ("ok", text))])
def test_a_title_and_a_tag_have_a_visible_character(name, wrap, text):
    for attempt in (
        lambda: new(**{name: wrap(text)}),
        lambda: new().edit({name: wrap(text)}, LATER),
    ):
        with pytest.raises(BadUserInput, match="must have a visible character") as caught:
            attempt()
        assert caught.value.render().details == {"field": name}


@pytest.mark.parametrize("title", ["a\u200b", "\u202bאב", "👩\u200d👩", "é"], ids=ascii)
def test_what_is_invisible_may_stand_beside_what_is_not(title):
    assert new(title=title).title == title


def refused_field(attempt):
    with pytest.raises(BadUserInput) as caught:
        attempt()
    return caught.value.message, caught.value.field


TOO_LATE = "A task must not start after its hard deadline."


def test_a_new_task_cannot_start_after_its_hard_deadline():
    times = {"due_at": BEFORE_START, "not_before": START}

    assert refused_field(lambda: new(**times, deadline_type=DeadlineType.HARD)) == (
        TOO_LATE,
        "not_before",
    )
    assert new(**times).not_before == START  # which a soft deadline allows
    assert new(due_at=START, not_before=START, deadline_type=DeadlineType.HARD).open


@pytest.mark.parametrize(
    ("before", "change", "field"),
    [
        (
            {"due_at": BEFORE_START, "deadline_type": DeadlineType.HARD},
            {"not_before": START},
            "not_before",
        ),
        (
            {"not_before": START, "deadline_type": DeadlineType.HARD},
            {"due_at": BEFORE_START},
            "due_at",
        ),
        (
            {"not_before": START, "due_at": BEFORE_START},
            {"deadline_type": DeadlineType.HARD},
            "deadline_type",
        ),
    ],
    ids=["not_before", "due_at", "deadline_type"],
)
def test_a_change_of_one_of_the_times_is_judged_on_the_whole_task(before, change, field):
    task = new(**before)

    assert refused_field(lambda: task.edit(change, LATER)) == (TOO_LATE, field)


TOO_LONG = "A piece of a task must not be longer than the task."


@pytest.mark.parametrize(
    ("before", "change", "field"),
    [
        ({}, {"duration_minutes": 30, "min_chunk_minutes": 31}, "min_chunk_minutes"),
        ({"duration_minutes": 30}, {"min_chunk_minutes": 31}, "min_chunk_minutes"),
        ({"min_chunk_minutes": 31}, {"duration_minutes": 30}, "duration_minutes"),
        ({"min_chunk_minutes": 1}, {"duration_minutes": 0}, "duration_minutes"),
    ],
    ids=str,
)
def test_a_part_is_not_longer_than_the_task(before, change, field):
    assert refused_field(lambda: new(**before).edit(change, LATER)) == (TOO_LONG, field)
    if not before:
        assert refused_field(lambda: new(**change)) == (TOO_LONG, field)


def test_a_part_may_be_as_long_as_the_task_or_as_long_as_it_likes_if_that_is_unknown():
    assert new(duration_minutes=30, min_chunk_minutes=30).min_chunk_minutes == 30
    assert (
        new(min_chunk_minutes=30).edit({"duration_minutes": None}, LATER).duration_minutes is None
    )


LONGEST = {"duration_minutes": 240, "min_chunk_minutes": 30, "max_chunk_minutes": 60}
TOO_NARROW = "The longest piece of a task must be at least twice as long as the shortest."
NEVER_SPLIT = "A task that is longer than its longest piece needs min_chunk_minutes, too."
TOO_MANY = "The longest piece of a task must not make more than 50 pieces of it."


@pytest.mark.parametrize(
    ("before", "change", "message", "field"),
    [
        ({}, {**LONGEST, "max_chunk_minutes": 59}, TOO_NARROW, "max_chunk_minutes"),
        (LONGEST, {"min_chunk_minutes": 31}, TOO_NARROW, "min_chunk_minutes"),
        ({}, {**LONGEST, "min_chunk_minutes": 0}, NEVER_SPLIT, "max_chunk_minutes"),
        (LONGEST, {"min_chunk_minutes": 0}, NEVER_SPLIT, "min_chunk_minutes"),
        ({"max_chunk_minutes": 60}, {"duration_minutes": 61}, NEVER_SPLIT, "duration_minutes"),
        ({}, {**LONGEST, "duration_minutes": 3_001}, TOO_MANY, "max_chunk_minutes"),
        (LONGEST, {"duration_minutes": 3_001}, TOO_MANY, "duration_minutes"),
    ],
    ids=str,
)
def test_a_task_can_be_cut_into_parts_no_longer_than_its_longest(before, change, message, field):
    assert refused_field(lambda: new(**before).edit(change, LATER)) == (message, field)
    exported = as_exported(replace(new(), **{**before, **change}))
    with pytest.raises(BadUserInput, match=message):
        Task.from_import("bob", exported)


def test_a_longest_part_may_be_as_long_as_the_task_or_a_fiftieth_of_it():
    assert new(duration_minutes=60, max_chunk_minutes=60).max_chunk_minutes == 60
    assert new(**{**LONGEST, "duration_minutes": 3_000}).duration_minutes == 3_000
    assert new(**LONGEST).edit({"max_chunk_minutes": None}, LATER).max_chunk_minutes is None


def stored(**fields):
    """A task as an earlier release has kept it."""
    return replace(new(), **fields)


OLD = [
    stored(title="\u200b"),
    stored(tags=("\ufeff",)),
    stored(due_at=BEFORE_START, not_before=START, deadline_type=DeadlineType.HARD),
    stored(duration_minutes=30, min_chunk_minutes=60),
]
MENDED = [
    {"title": "x"},
    {"tags": ("x",)},
    {"due_at": START},
    {"min_chunk_minutes": 30},
]


@pytest.mark.parametrize("task", OLD, ids=["title", "tags", "times", "minutes"])
def test_a_stored_task_that_breaks_a_younger_rule_can_be_edited_elsewhere(task):
    plan = {"planned_start": START, "planned_end": START}

    after = task.edit({"status": COMPLETED, "description": "x", **plan}, LATER)

    assert (after.version, after.status, after.planned_end) == (2, COMPLETED, START)
    assert Task.from_import("bob", as_exported(task)) == replace(task, user_id="bob")


@pytest.mark.parametrize(("task", "change"), list(zip(OLD, MENDED, strict=True)))
def test_a_stored_task_that_breaks_a_younger_rule_can_be_mended(task, change):
    assert task.edit(change, LATER).version == 2


def as_exported(task):
    return {name: getattr(task, name) for name in RULES if name not in {"user_id", "change_id"}}
