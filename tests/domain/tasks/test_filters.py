from datetime import UTC, datetime

import pytest

from graphql_api.domain.tasks.filters import (
    ANY_VIEWPOINT,
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
        ({"title": "Call the Bank"}, "bank call", "bank calls"),
        ({"title": "Call the  Bank"}, '"the bank"', '"bank the"'),
        ({"title": "Call the Bank"}, "\u201eThe bank\u201c", '"call bank"'),
        ({"title": "Call", "description": "the bank"}, '"the bank', '"call the"'),
        ({"description": "Straße 1"}, "STRASSE", "Strase"),
        ({"title": "ΣΊΣΥΦΟΣ"}, " σίσυφος ", "σίσυφοι"),
        ({"title": "one", "description": "two", "tags": ["Three"]}, "TWO thr one", "one four"),
        ({"title": "Crème"}, "creme", "crime"),
        ({"title": "creme"}, "CRE\u0300ME", "cr\u00e8me!"),
        ({"title": "\u1112\u1161\u11ab\u1100\u1173\u11af"}, "한글", "한국"),
        ({"title": "\ufb01le №5"}, "file no5", "№6"),
        ({"title": "がく"}, "がく", "かく"),
        ({"title": "100%"}, "0%", "1.0"),
        ({"title": "x"}, "", "y"),
        ({"title": "x"}, ' "" ', '"y" ""'),
    ],
    ids=str,
)
def test_a_search_finds_words_in_the_texts_of_a_task(task, found_by, not_by):
    assert TaskFilter(search=found_by).matches(new(**task), ANY_VIEWPOINT)
    assert not TaskFilter(search=not_by).matches(new(**task), ANY_VIEWPOINT)


@pytest.mark.parametrize(
    ("tag", "same"), [("Home", "home"), ("CAFE\u0301", "caf\u00e9"), ("Straße", "STRASSE")]
)
def test_a_tag_is_one_in_whatever_form(tag, same):
    task = new(tags=[tag, same, "other"])

    assert task.tags == (tag, "other")
    assert TaskFilter(tags=(same,)).matches(task, ANY_VIEWPOINT)
    assert TaskFilter(tags_all=(same, tag)).matches(task, ANY_VIEWPOINT)
    assert not TaskFilter(tags=("cafe", "hom")).matches(task, ANY_VIEWPOINT)


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
