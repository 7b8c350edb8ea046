from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from graphql_api import clock
from graphql_api.domain.accounts.model import Session, User
from graphql_api.domain.tasks.model import DeadlineType, Task, TaskPriority, TaskStatus
from graphql_api.infra.dynamodb import codec

INSTANTS = st.datetimes(timezones=st.just(UTC)).map(clock.milliseconds)
TASKS = st.builds(
    Task,
    task_id=st.text(),
    user_id=st.text(),
    title=st.text(),
    description=st.text(),
    status=st.sampled_from(TaskStatus),
    priority=st.sampled_from(TaskPriority),
    due_at=st.none() | INSTANTS,
    tags=st.lists(st.text()).map(tuple),
    created_at=INSTANTS,
    updated_at=INSTANTS,
    completed_at=st.none() | INSTANTS,
    version=st.integers(),
    duration_minutes=st.none() | st.integers(),
    not_before=st.none() | INSTANTS,
    deadline_type=st.sampled_from(DeadlineType),
    min_chunk_minutes=st.integers(),
    planned_start=st.none() | INSTANTS,
    planned_end=st.none() | INSTANTS,
)
USERS = st.builds(
    User,
    user_id=st.text(),
    username=st.text(),
    password=st.text(),
    created_at=INSTANTS,
    generation=st.integers(),
    deleting=st.booleans(),
)
SESSIONS = st.builds(
    Session,
    session_id=st.text(),
    user_id=st.text(),
    generation=st.integers(),
    device=st.text(),
    refresh_hash=st.text(),
    previous_hash=st.none() | st.text(),
    created_at=INSTANTS,
    last_used_at=INSTANTS,
    ends_at=INSTANTS,
    expires_at=st.integers(),
)

AT = datetime(2026, 11, 22, 9, 30, 0, 250_000, tzinfo=UTC)
TASK = Task(
    task_id="t",
    user_id="u",
    title="Write",
    description="",
    status=TaskStatus.IN_PROGRESS,
    priority=TaskPriority.URGENT,
    due_at=AT,
    tags=("home", "é"),
    created_at=AT,
    updated_at=AT,
    completed_at=None,
    version=3,
)
ITEM = {
    "task_id": {"S": "t"},
    "user_id": {"S": "u"},
    "title": {"S": "Write"},
    "description": {"S": ""},
    "status": {"S": "in_progress"},
    "priority": {"S": "urgent"},
    "due_at": {"S": "2026-11-22T09:30:00.250Z"},
    "tags": {"L": [{"S": "home"}, {"S": "é"}]},
    "created_at": {"S": "2026-11-22T09:30:00.250Z"},
    "updated_at": {"S": "2026-11-22T09:30:00.250Z"},
    "version": {"N": "3"},
    "deadline_type": {"S": "soft"},
    "min_chunk_minutes": {"N": "0"},
    "reminders": {"L": []},
    "child_ids": {"L": []},
    "position": {"S": ""},
    "spent_minutes": {"N": "0"},
}


@settings(deadline=None)
@given(TASKS)
def test_every_task_is_decoded_as_it_was_encoded(task):
    assert codec.decode(Task, codec.encode(task)) == task


@settings(deadline=None)
@given(USERS)
def test_every_user_is_decoded_as_it_was_encoded(user):
    assert codec.decode(User, codec.encode(user)) == user


@settings(deadline=None)
@given(SESSIONS)
def test_every_session_is_decoded_as_it_was_encoded(session):
    assert codec.decode(Session, codec.encode(session)) == session


def test_a_task_is_encoded_with_types_and_without_fields_that_are_none():
    assert codec.encode(TASK) == ITEM


def test_an_instant_is_decoded_in_utc():
    task = codec.decode(Task, ITEM)

    assert (task.due_at, task.due_at.tzinfo) == (AT, UTC)
    assert task.completed_at is None


def test_attributes_of_other_names_are_ignored():
    stored = {**ITEM, "due_order": {"S": "x"}, "from_the_future": {"M": {"a": {"NULL": True}}}}

    assert codec.decode(Task, stored) == TASK


@pytest.mark.parametrize(
    ("plain", "wire"),
    [
        ("", {"S": ""}),
        ("text", {"S": "text"}),
        (0, {"N": "0"}),
        (-12, {"N": "-12"}),
        (10**37, {"N": "1" + "0" * 37}),
        (True, {"BOOL": True}),
        (False, {"BOOL": False}),
        (TaskStatus.PENDING, {"S": "pending"}),
        ([], {"L": []}),
        ((), {"L": []}),
        (["a", 1, [True]], {"L": [{"S": "a"}, {"N": "1"}, {"L": [{"BOOL": True}]}]}),
        (AT, {"S": "2026-11-22T09:30:00.250Z"}),
        (1.5, {"N": "1.5"}),
        (AT.date(), {"S": "2026-11-22"}),
        (AT.time(), {"S": "09:30"}),
        ({"a": 1, "b": None}, {"M": {"a": {"N": "1"}}}),
        (AT.astimezone(timezone(timedelta(hours=14))), {"S": "2026-11-22T09:30:00.250Z"}),
    ],
    ids=str,
)
def test_each_value_has_one_encoding(plain, wire):
    assert codec.value(plain) == wire


def test_an_item_has_no_attribute_for_none():
    assert codec.item(a="", b=None, c=0, d=False) == {
        "a": {"S": ""},
        "c": {"N": "0"},
        "d": {"BOOL": False},
    }


@pytest.mark.parametrize(
    "plain",
    [None, Decimal(1), b"bytes", {"a": b"b"}, {"a"}, object(), ["a", None], [[{"a"}]]],
    ids=lambda plain: type(plain).__name__,
)
def test_what_has_no_encoding_is_a_type_error(plain):
    with pytest.raises(TypeError, match="has no encoding for DynamoDB here"):
        codec.value(plain)


@dataclass
class Grown:
    """A record that had no count, note or mark in an earlier version of the program."""

    name: str
    place: str | None
    count: int = 1
    note: str | None = "none"
    mark: bool = False


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ({}, Grown("a", None, 1, "none", mark=False)),
        ({"place": {"S": "b"}}, Grown("a", "b")),
        ({"count": {"N": "0"}, "note": {"S": ""}}, Grown("a", None, 0, "")),
        ({"mark": {"BOOL": True}}, Grown("a", None, mark=True)),
    ],
    ids=str,
)
def test_a_field_without_an_attribute_has_its_default_or_is_none(more, expected):
    assert codec.decode(Grown, {"name": {"S": "a"}, **more}) == expected


@dataclass
class Outer:
    """A record with records in it."""

    inner: Grown
    several: tuple[Grown, ...]
    by_name: Mapping[str, tuple[str, ...]]
    weight: float
    day: date
    at: time


def test_nested_dataclasses_are_decoded():
    grown = Grown("a", None, count=2)
    outer = Outer(grown, (grown, grown), {"b": ("c",), "d": ()}, 0.1, AT.date(), time(9, 30))

    assert codec.decode(Outer, codec.encode(outer)) == outer


@dataclass
class Unreadable:
    weight: complex


def test_a_field_of_a_type_that_cannot_be_decoded_is_a_type_error():
    with pytest.raises(TypeError, match=r"no way to decode <class .complex.>"):
        codec.decode(Unreadable, {"weight": {"N": "1.5"}})
