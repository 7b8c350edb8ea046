from datetime import UTC, datetime

import pytest

from graphql_api.domain.tasks.filters import (
    OrderDirection,
    TaskFilter,
    TaskOrder,
    TaskOrderField,
)
from graphql_api.domain.tasks.model import Task, TaskPriority, TaskStatus
from graphql_api.errors import BadUserInput

NOW = datetime(2026, 11, 22, 9, 30, tzinfo=UTC)


def new(**fields) -> Task:
    return Task.new("ann", {"title": "Write", **fields}, NOW)


def test_the_newest_come_first_unless_another_order_is_asked_for():
    assert TaskOrder() == TaskOrder(TaskOrderField.CREATED_AT, OrderDirection.DESC)


@pytest.mark.parametrize(
    ("task", "found_by", "not_by"),
    [
        ({"title": "Call the Bank"}, "the bANK", "thebank"),
        ({"description": "Straße 1"}, "STRASSE", "Strase"),
        ({"title": "ΣΊΣΥΦΟΣ"}, "σίσυφος", "σίσυφο "),
        ({"title": "one", "description": "two"}, "TWO", "one two"),
        ({"title": "100%"}, "0%", "1.0"),
        ({"title": "x"}, "", " "),
    ],
    ids=str,
)
def test_a_search_finds_a_text_in_the_title_or_the_description_in_any_case(task, found_by, not_by):
    assert TaskFilter(search=found_by).is_found_in(new(**task))
    assert not TaskFilter(search=not_by).is_found_in(new(**task))


def test_a_filter_is_kept_without_duplicates_and_its_tags_as_tasks_have_them():
    only = TaskFilter(
        status=(TaskStatus.PENDING, TaskStatus.COMPLETED) * 100,
        priority=(TaskPriority.LOW,) * 100,
        tags=(" a ", "b", "a\u3000"),
    )

    assert only == TaskFilter(
        status=(TaskStatus.PENDING, TaskStatus.COMPLETED),
        priority=(TaskPriority.LOW,),
        tags=("a", "b"),
    )


def test_a_filter_has_bounds():
    twenty = tuple(map(str, range(20)))
    assert TaskFilter(tags=twenty * 2, search="x" * 200).tags == twenty

    for name, value, message in [
        ("tags", (*twenty, "one more"), "A filter must have at most 20 tags."),
        ("search", "x" * 201, "A search must have at most 200 characters."),
    ]:
        with pytest.raises(BadUserInput) as caught:
            TaskFilter(**{name: value})
        assert caught.value.message == message
        assert (caught.value.code, caught.value.render().details) == (
            "BAD_USER_INPUT",
            {"field": name},
        )
