"""GraphQL and REST obey the same rules: the same value gets the same verdict."""

from datetime import date, datetime
from enum import Enum
from typing import get_type_hints

import pytest
from conftest import CREATE
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from graphql_api.api.graphql.strawberry_extras import camel_case
from graphql_api.domain.reminders.model import Reminder
from graphql_api.domain.tasks.model import RULES, Task
from graphql_api.infra.executor.executor import MAX_ERRORS

pytestmark = pytest.mark.engine_is_no_matter

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=8) | st.sampled_from(
    ["", " ", "x" * 200, "x" * 201, " " + "x" * 200, "\u0000", "\u2003", "👩‍👩‍👧"]
)
NO_ID = st.none() | st.booleans() | st.just(0.5) | TEXTS  # GraphQL takes a whole number for one
ODD = NO_ID | st.integers() | st.floats(allow_nan=False, allow_infinity=False)
DATES = st.sampled_from(
    [
        "2030-01-01T00:00:00Z",
        "2030-01-01t00:00:00.5+14:00",
        "2030-01-01T24:00:00Z",
        "2030-02-30T00:00:00Z",
        "0000-01-01T00:00:00Z",
        "0001-01-01T00:00:00+01:00",
        "9999-12-31T23:59:59-01:00",
        "99999-01-01T00:00:00Z",
        "2030-01-01T00:00:60Z",
        "2030-01-01",
        "2030-W01-1T00:00:00Z",
        "٢٠٣٠-01-01T00:00:00Z",
    ]
)
DAYS = st.sampled_from(
    ["2030-01-01", "2030-02-30", "1899-12-31", "2999-12-31", "9999-12-31", "20300101"]
)
MINUTES = st.sampled_from([0, 30, 30.0, 0.5, -1, 14_400, 14_401, 2**31, "30"])
REMINDERS = st.fixed_dictionaries(
    {},
    optional={
        "at": DATES | ODD,
        "minutes_before": MINUTES | ODD,
        "from": st.sampled_from(["due", "planned_start", "nonsense"]) | ODD,
    },
)
TYPES = get_type_hints(Task)


def values(name):
    """Values for a field of a task: some that fit its type, and odd ones."""
    kind = TYPES[name]
    if is_enum(kind):
        spelled = [spell(member.name) for member in kind for spell in (str.lower, str.title)]
        return st.sampled_from([*spelled, "nonsense"]) | ODD
    if kind == tuple[str, ...]:
        return st.lists(TEXTS | ODD, max_size=4) | ODD | st.just(["x"] * 30)
    if kind in {datetime, datetime | None}:
        return DATES | ODD
    if kind == date | None:
        return DAYS | DATES | ODD
    if kind == tuple[Reminder, ...]:
        return st.lists(REMINDERS | ODD, max_size=3) | ODD
    return {str: TEXTS, str | None: TEXTS, int: MINUTES, int | None: MINUTES}[kind] | ODD


def is_enum(kind):
    return isinstance(kind, type) and issubclass(kind, Enum)


FIELDS = {
    name: NO_ID if name.endswith("_id") else values(name)
    for name, rules in RULES.items()
    if rules.is_writable
}
ENUMS = {"from", *(name for name in FIELDS if is_enum(TYPES[name]))}
BODIES = st.fixed_dictionaries({}, optional=FIELDS)


def as_graphql(body):
    """The same body as GraphQL spells it: camelCase names, enum values in upper case."""

    def value(name, given):
        if isinstance(given, list):
            return [as_graphql(each) if isinstance(each, dict) else each for each in given]
        return given.upper() if name in ENUMS and isinstance(given, str) else given

    return {camel_case(name): value(name, given) for name, given in body.items()}


def as_rest(name, shown):
    """A value of GraphQL as REST spells it."""
    if isinstance(shown, list):
        return [each if isinstance(each, str) else reminder_as_rest(each) for each in shown]
    return shown.lower() if name in ENUMS else shown


def reminder_as_rest(shown):
    base = shown["from"] and shown["from"].lower()
    return {"at": shown["at"], "minutes_before": shown["minutesBefore"], "from": base}


@settings(
    max_examples=150,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(body=BODIES)
def test_a_new_task_gets_the_same_verdict_from_both(ann, body):
    graphql = ann.graphql(CREATE, input=as_graphql(body))
    rest = ann.rest("POST", "/api/v1/tasks", json=body)

    if "errors" in graphql:
        code = graphql["errors"][0]["extensions"]["code"]
        named = [error["extensions"].get("field") for error in graphql["errors"]]
        # What could be a project's id may be that of none.
        assert rest.status_code == {"BAD_USER_INPUT": 400, "NOT_FOUND": 404}[code], rest.json
        assert rest.json["code"] == code
        # REST tells one, ids of a wrong type first.
        assert camel_case(rest.json["field"]) in named or len(named) == MAX_ERRORS
    else:
        assert rest.status_code == 201, (graphql, rest.json)
        task = graphql["data"]["createTask"]["task"]
        compared = [name for name in FIELDS if name != "position" or body.get(name)]  # else by time
        assert {name: rest.json[name] for name in compared} == {
            name: as_rest(name, task[camel_case(name)]) for name in compared
        }
