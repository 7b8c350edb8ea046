"""Writes several tasks, each on its own, in an order in which none waits for a later one."""

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, TypeVar

from graphql_api.domain.subtasks.model import PARENT_ID
from graphql_api.domain.tasks import writes
from graphql_api.domain.tasks.model import Task
from graphql_api.errors import FIELD, AppError, BadUserInput, ServiceUnavailable, named

Item = TypeVar("Item")
T = TypeVar("T")

MAX_ITEMS = 100  # tasks that one request may write
BLOCKED_BY_INDEX, PARENT_INDEX = "blocked_by_index", "parent_index"


def run_each(items: Sequence[Item], write: Callable[[Item], T]) -> list[T | AppError]:
    """Write each item, in order: the results, or the error of each that failed.

    Raises BadUserInput for too many items, or none. After ServiceUnavailable the rest is not
    tried, since each attempt would take as long to fail.
    """
    if not 1 <= len(items) <= MAX_ITEMS:
        raise BadUserInput(f"{FIELD} must have 1 to {MAX_ITEMS} items.", "tasks")
    results: list[T | AppError] = []
    outage: ServiceUnavailable | None = None
    for item in items:
        try:
            results.append(outage or write(item))
        except ServiceUnavailable as error:
            outage = error
            results.append(error)
        except AppError as error:
            results.append(error)
    return results


def run_each_released(
    changes: Sequence[dict[str, Any]], write: Callable[[dict[str, Any]], T]
) -> list[T | AppError]:
    """Write each change, in order, as `run_each`; those that wait for others of them, after these.

    So a task and its blockers are completed together, in whatever order they are given.
    """
    results = run_each(changes, write)
    pairs = zip(changes, results, strict=True)
    done = {change["id"] for change, result in pairs if not isinstance(result, AppError)}
    again = True
    while again:
        again = False
        for n, result in enumerate(results):
            details = result.details if isinstance(result, AppError) else {}
            awaited = [*details.get("blockers", ()), *details.get("subtasks", ())]
            if awaited and done.issuperset(awaited):
                [results[n]] = run_each([changes[n]], write)
                if not isinstance(results[n], AppError):
                    done.add(changes[n]["id"])
                    again = True
    return results


def run_each_related(
    items: Sequence[dict[str, Any]], create: Callable[[dict[str, Any]], Task]
) -> list[Task | AppError]:
    """Create each task after those of the same call that it names; the results in the given order.

    `blocked_by_index` of an item names blockers by their places, `parent_index` its parent. If one
    of them fails, so does it.
    """
    others = [_places(item) for item in items]
    created: dict[int, Task] = {}

    def id_of(place: int, other: int, field: str) -> str:
        """The id of the other task that an item names, there by now. Raises BadUserInput."""
        if other not in created:
            raise BadUserInput(f"{FIELD} names {_why_missing(place, other, others)}", field)
        return created[other].task_id

    def related(place: int) -> dict[str, Any]:
        """The item of a place, with ids in the place of places. Raises BadUserInput."""
        item = dict(items[place])
        ids = [*(item.get(writes.BLOCKED_BY) or ())]
        ids += [id_of(place, n, BLOCKED_BY_INDEX) for n in item.pop(BLOCKED_BY_INDEX, None) or ()]
        item |= {writes.BLOCKED_BY: tuple(ids)} if ids else {}
        parent = item.pop(PARENT_INDEX, None)
        if parent is None:
            return item
        if item.get(PARENT_ID) is not None:
            raise BadUserInput(f"{FIELD} goes without {named(PARENT_ID)}.", PARENT_INDEX)
        return {**item, PARENT_ID: id_of(place, parent, PARENT_INDEX)}

    order = _creation_order(others)

    def create_at(place: int) -> Task:
        created[place] = create(related(place))
        return created[place]

    outcomes = run_each(order, create_at)
    by_place = dict(zip(order, outcomes, strict=True))
    return [by_place[place] for place in range(len(items))]


def _why_missing(place: int, other: int, others: Sequence[Sequence[int]]) -> str:
    """The other task that the one of a place names, why it is not there, and what would do."""
    last = len(others) - 1
    if not 0 <= other <= last:
        return f"tasks[{other}]: there are tasks[0] to tasks[{last}]."
    if other == place:
        return f"tasks[{other}], the task itself: name another one."
    if place in _reach(other, others):
        return f"tasks[{other}], which names this one, directly or not: break the circle."
    return f"tasks[{other}], which was not created: correct that, and create both."


def _reach(start: int, others: Sequence[Sequence[int]]) -> set[int]:
    """The places that the task of a place names, directly or not."""
    found, left = set[int](), [start]
    while left:
        place = left.pop()
        if 0 <= place < len(others):
            left += set(others[place]) - found
            found.update(others[place])
    return found


def _places(item: Mapping[str, Any]) -> list[int]:
    """The places of the tasks that an item names."""
    parent = item.get(PARENT_INDEX)
    return [*(item.get(BLOCKED_BY_INDEX) or ()), *(() if parent is None else (parent,))]


def _creation_order(named: Sequence[Collection[int]]) -> list[int]:
    """The places of tasks, each after those that it names; of those in a cycle, at the end."""
    order: list[int] = []
    waiting = list(range(len(named)))
    while ready := [each for each in waiting if set(named[each]) <= set(order)]:
        order.append(ready[0])
        waiting.remove(ready[0])
    return [*order, *waiting]
