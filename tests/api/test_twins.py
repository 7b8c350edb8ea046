"""GraphQL and REST obey the same rules: the same value gets the same verdict."""

import re

import pytest
from conftest import CREATE
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

pytestmark = pytest.mark.engine_is_no_matter

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=8) | st.sampled_from(
    ["", " ", "x" * 200, "x" * 201, " " + "x" * 200, "\u0000", "\u2003", "👩‍👩‍👧"]
)
ODD = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | TEXTS
)
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
MINUTES = st.sampled_from([0, 30, 30.0, 0.5, -1, 14_400, 14_401, 2**31, "30"]) | ODD
ENUMS = {"status", "priority", "deadline_type"}
FIELDS = {
    "title": TEXTS | ODD,
    "description": TEXTS | ODD,
    "status": st.sampled_from(["pending", "COMPLETED", "In_Progress", "done"]) | ODD,
    "priority": st.sampled_from(["low", "URGENT", "highest"]) | ODD,
    "due_at": DATES | ODD,
    "tags": st.lists(TEXTS | ODD, max_size=4) | ODD | st.just(["x"] * 30),
    "duration_minutes": MINUTES,
    "min_chunk_minutes": MINUTES,
    "not_before": DATES | ODD,
    "deadline_type": st.sampled_from(["hard", "Soft", "maybe"]) | ODD,
    "planned_start": DATES,
    "planned_end": DATES,
}
BODIES = st.fixed_dictionaries({}, optional=FIELDS)


def as_graphql(body):
    """The same body as GraphQL spells it: camelCase names, enum values in upper case."""

    def value(name, given):
        return given.upper() if name in ENUMS and isinstance(given, str) else given

    return {camel(name): value(name, given) for name, given in body.items()}


def camel(name):
    return re.sub("_([a-z])", lambda letter: letter[1].upper(), name)


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
        [first, *_] = graphql["errors"]
        assert rest.status_code == 400, (graphql, rest.json)
        assert rest.json["code"] == first["extensions"]["code"] == "BAD_USER_INPUT"
        assert camel(rest.json["field"]) == first["extensions"]["field"]
    else:
        assert rest.status_code == 201, (graphql, rest.json)
        task = graphql["data"]["createTask"]["task"]
        assert {name: rest.json[name] for name in FIELDS} == {
            name: task[camel(name)].lower() if name in ENUMS else task[camel(name)]
            for name in FIELDS
        }
