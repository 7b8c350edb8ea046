"""A field of a task is declared once: in the model, and with its description in the type Task."""

from typing import get_type_hints

import pytest
import strawberry
from strawberry import UNSET

from graphql_api.api.graphql.schema import SCHEMA
from graphql_api.api.graphql.tasks import fields, inputs, reminders, types
from graphql_api.domain.records import FieldRules, writable
from graphql_api.domain.reminders import model
from graphql_api.domain.tasks.model import RULES, Task
from graphql_api.errors import StartError

VISIBLE = [name for name, rules in RULES.items() if not rules.is_internal]
WRITABLE = [name for name, rules in RULES.items() if rules.is_writable]


def test_a_field_has_the_type_that_the_model_says():
    stored = get_type_hints(Task)
    spelled = {
        tuple[str, ...]: list[str],
        tuple[model.Reminder, ...]: list[reminders.Reminder],
    }
    ids = {"task_id": strawberry.ID, "user_id": strawberry.ID}
    ids |= dict.fromkeys(("project_id", "parent_id"), strawberry.ID | None)

    shown = {name: types.Task.__annotations__[name] for name in VISIBLE}

    assert shown == {name: spelled.get(stored[name], stored[name]) for name in VISIBLE} | ids


@pytest.mark.parametrize(
    ("input_type", "own"),
    [
        (
            inputs.CreateTaskInput,
            {"idempotency_key", "recurrence", "blocked_by", "blocked_by_index", "parent_index"},
        ),
        (
            inputs.UpdateTaskInput,
            {
                "idempotency_key",
                *("id", "expected_version", "merge_disjoint", "force", "recurrence"),
                *("add_tags", "remove_tags"),
            },
        ),
    ],
)
def test_an_input_takes_what_clients_may_write_and_its_own(input_type, own):
    declared = {field.python_name for field in input_type.__strawberry_definition__.fields}

    assert declared == {*WRITABLE, *own}


def test_a_description_says_what_is_so_without_a_value_and_what_null_does():
    schema = SCHEMA._schema.type_map

    described = {
        name: [schema[name].fields[field].description for field in ("status", "dueAt", "title")]
        for name in ("Task", "CreateTaskInput", "UpdateTaskInput")
    }

    status, due_at, title = described["Task"]
    assert described["CreateTaskInput"] == [f"{status} Default: `PENDING`.", due_at, title]
    assert described["UpdateTaskInput"] == [
        f"{status} Cannot be null.",
        f"{due_at} Null clears it.",
        f"{title} Cannot be null.",
    ]


def test_a_model_field_that_the_type_lacks_stops_the_start(monkeypatch):
    rules = writable(default=None).metadata["rules"]
    monkeypatch.setattr(fields, "RULES", {**RULES, "forgotten": rules})

    with pytest.raises(StartError, match="one Task lacks forgotten"):
        fields.with_task_fields(fields.changed_field)(type("Input", (), {"__annotations__": {}}))


def test_a_field_that_the_model_lacks_stops_the_start(monkeypatch):
    less = {name: rules for name, rules in RULES.items() if name != "planned_end"}
    monkeypatch.setattr(fields, "RULES", less)

    with pytest.raises(StartError, match="one Task lacks planned_end"):
        fields.with_task_fields(fields.changed_field)(type("Input", (), {"__annotations__": {}}))


def test_an_internal_field_needs_no_place_in_the_type(monkeypatch):
    monkeypatch.setattr(fields, "RULES", {**RULES, "trace": FieldRules(is_internal=True)})

    @fields.with_task_fields(fields.changed_field)
    class Input:
        own: int

    assert list(Input.__annotations__) == [*WRITABLE, "own"]
    assert Input.title.default is UNSET
