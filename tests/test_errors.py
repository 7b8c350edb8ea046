"""Errors name fields as Python does, and each API renders them with its own spelling."""

import pytest

from graphql_api.api.graphql.strawberry_extras import camel_case
from graphql_api.errors import FIELD, VALUES, BadUserInput, Conflict, RateLimited, named


def test_an_error_says_python_s_name_of_its_field_until_an_api_renders_it():
    error = BadUserInput(f"{FIELD} cannot be null.", "due_at")

    assert (error.message, str(error), error.field) == (*["due_at cannot be null."] * 2, "due_at")
    assert error.render(camel_case) == ("dueAt cannot be null.", {"field": "dueAt"})


def test_the_place_of_a_nested_field_is_rendered_step_by_step():
    error = BadUserInput(f"{FIELD} is no date.", ("new_tasks", 3, "due_at"))

    assert error.render(camel_case) == (
        "dueAt is no date.",
        {"field": "dueAt", "at": "newTasks[3].dueAt"},
    )


def test_an_element_of_a_list_has_the_name_of_the_list():
    error = BadUserInput(f"{FIELD} must be a text.", ("tags", 1))

    assert error.render() == ("tags must be a text.", {"field": "tags", "at": "tags[1]"})


def test_the_values_of_an_enum_are_rendered_by_the_api_too():
    error = BadUserInput(f"{FIELD} must be one of {VALUES}.", "status", values=["OPEN", "DONE"])

    assert error.render(value=str.lower).message == "status must be one of open, done."


def test_other_names_in_a_message_are_rendered_and_a_user_s_words_are_not():
    error = BadUserInput(f"{FIELD} goes without {named('due_on')}: 'due_on'.", "due_at")

    assert error.render(camel_case).message == "dueAt goes without dueOn: 'due_on'."
    assert error.message == "due_at goes without due_on: 'due_on'."


def test_details_have_names_of_the_api_and_values_as_they_are():
    error = Conflict("Changed.", "expected_version", current_version=3, blockers=["due_at"])

    assert error.render(camel_case).details == {
        "field": "expectedVersion",
        "currentVersion": 3,
        "blockers": ["due_at"],
    }


def test_an_error_without_a_field_has_none_in_its_details():
    assert RateLimited("Slow down.", 5).render() == ("Slow down.", {"retry_after": 5})


@pytest.mark.parametrize(("length", "ends"), [(500, "x"), (501, "…")])
def test_a_rendered_message_has_at_most_500_characters(length, ends):
    message = BadUserInput(f"{FIELD}{'x' * (length - 1)}", "a").render().message

    assert (len(message), message[0], message[-1]) == (500, "a", ends)
