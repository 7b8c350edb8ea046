"""The tree of tasks: its bounds, what subtasks inherit, and how far they are done. Pure."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import Enum
from typing import Any

from graphql_api.domain.tasks.model import Task, TaskStatus
from graphql_api.errors import BadUserInput, Conflict

MAX_LEVELS = 4  # a task, and three below it
MAX_SUBTASKS = 50  # of a task, not counting theirs
MAX_TREE = 500  # tasks below one, that a request deletes, completes or makes anew
PARENT_ID = "parent_id"


class ChildFate(Enum):
    """The fate of the open subtasks of a task that is completed."""

    COMPLETE = "complete"
    KEEP = "keep"


_TOGETHER = (
    ("due_at", "due_on", "due_day"),
    ("project_id",),
)  # each is inherited as a whole, or not at all
_NAMES = {"project_id": "project"}  # of fields whose inheritance is told by another name
INHERITED = ("due_at", "due_on", "project_id")
"""The fields that subtasks inherit."""


@dataclass(frozen=True, slots=True)
class Heir:
    """A task, and the values of fields that it has from those above it."""

    own: Task
    values: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def of(cls, task: Task, ancestors: Sequence[Task]) -> "Heir":
        """Let a task inherit, the nearest ancestor first, what it has no value of its own for."""
        values: dict[str, Any] = {}
        for names in _TOGETHER:
            holders = (each for each in (task, *ancestors) if _has(each, names))
            holder = next(holders, task)
            if holder is not task:
                values |= {n: v for n in names if (v := getattr(holder, n)) is not None}
        return cls(task, values)

    def get(self, name: str) -> Any:
        """The value of a field that holds for the task."""
        return self.values.get(name, getattr(self.own, name))

    @property
    def task(self) -> Task:
        """The task with what holds for it."""
        return replace(self.own, **self.values) if self.values else self.own

    @property
    def inherited(self) -> list[str]:
        """The names by which it is told what the task has from others."""
        return [_NAMES.get(name, name) for name in INHERITED if name in self.values]


def _has(task: Task, names: Iterable[str]) -> bool:
    return any(getattr(task, name) is not None for name in names)


@dataclass(frozen=True, slots=True)
class Progress:
    """The subtasks of a task that are done, of those that are not cancelled.

    Minutes are those of their estimates.
    """

    done: int
    total: int
    done_minutes: int
    total_minutes: int

    @classmethod
    def of(cls, subtasks: Iterable[Task]) -> "Progress":
        """Count a task's subtasks, not those below them."""
        counted = [each for each in subtasks if each.status is not TaskStatus.CANCELLED]
        done = [each for each in counted if each.completed]
        return cls(len(done), len(counted), _minutes(done), _minutes(counted))


def _minutes(tasks: Iterable[Task]) -> int:
    return sum(each.duration_minutes or 0 for each in tasks)


def in_order(siblings: Iterable[Task]) -> list[Task]:
    """Sort siblings by their positions; of equal ones, the older task comes first."""
    return sorted(siblings, key=lambda each: (each.place, each.task_id))


def line(task: Task, find: Callable[[str], Task | None]) -> list[Task]:
    """The ancestors of a task that are found by their ids, the nearest first."""
    ancestors: list[Task] = []
    parent_id = task.parent_id
    while parent_id is not None and len(ancestors) < MAX_LEVELS:
        parent = find(parent_id)
        if parent is None:
            break
        ancestors.append(parent)
        parent_id = parent.parent_id
    return ancestors


@dataclass(frozen=True, slots=True)
class Tree:
    """Open tasks of a user, as a plan looks at them.

    `estimated` are the ids of those that have tasks with an estimate below them.
    """

    by_id: Mapping[str, Task]
    children: Mapping[str, Sequence[str]]
    estimated: frozenset[str]

    @classmethod
    def of(cls, tasks: Iterable[Task]) -> "Tree":
        """The tree of these tasks; those that lie below none of them are its roots."""
        by_id = {task.task_id: task for task in tasks}
        children = defaultdict(list)
        estimated = set()
        for task in by_id.values():
            if task.parent_id in by_id:
                children[task.parent_id].append(task.task_id)
                if task.duration_minutes is not None:
                    estimated |= {each.task_id for each in line(task, by_id.get)}
        return cls(by_id, children, frozenset(estimated))

    def heir(self, task: Task) -> Task:
        """A task with what holds for it."""
        return Heir.of(task, line(task, self.by_id.get)).task if task.parent_id else task

    def below(self, task_ids: Iterable[str]) -> set[str]:
        """The ids of all tasks below these."""
        found = [child for each in task_ids for child in self.children.get(each, ())]
        for each in found:  # grows on the way
            found += self.children.get(each, ())
        return set(found)

    def in_place_of(self, task_ids: Iterable[str]) -> tuple[str, ...]:
        """The ids of these tasks, with those below in the place of one whose sum they are."""
        ends = list(task_ids)
        for each in ends:  # grows on the way
            if each in self.estimated:
                ends += self.children[each]
        return tuple(dict.fromkeys(each for each in ends if each not in self.estimated))


def check_place(task: Task, ancestors: Sequence[Task], below: Sequence[Sequence[Task]]) -> None:
    """Check that a task may lie below its new ancestors, the nearest first.

    `below` are its own subtasks, level by level. Raises Conflict, with the `cycle`, if it lay below
    itself, and BadUserInput beyond the bounds.
    """
    above = [each.task_id for each in ancestors]
    if task.task_id in above:
        down = above[above.index(task.task_id) :: -1]
        raise Conflict(
            "A task cannot lie below itself: in this cycle, each is the parent of the next.",
            field=PARENT_ID,
            cycle=[*down, task.task_id],
        )
    if len(ancestors) + 1 + len(below) > MAX_LEVELS:
        raise BadUserInput(f"Tasks lie in at most {MAX_LEVELS} levels.", PARENT_ID)
    if len(ancestors[0].child_ids) >= MAX_SUBTASKS:
        raise BadUserInput(f"A task can have at most {MAX_SUBTASKS} subtasks.", PARENT_ID)


def check_forest(children: Mapping[str, Sequence[str]]) -> None:
    """Check the subtasks of each parent in a file, by ids. Raises BadUserInput."""
    parents = {child: parent for parent, below in children.items() for child in below}
    for parent, below in children.items():
        if len(below) > MAX_SUBTASKS:
            raise BadUserInput(f"{parent} has more than {MAX_SUBTASKS} subtasks.", PARENT_ID)
        levels, at = 2, parent
        while at in parents and levels <= MAX_LEVELS:
            levels, at = levels + 1, parents[at]
        if levels > MAX_LEVELS:
            raise BadUserInput(
                f"{parent} lies below itself, or is in a tree of more than {MAX_LEVELS} levels.",
                PARENT_ID,
            )


def check_size(below: Sequence[Sequence[Task]], what: str) -> None:
    """Raise BadUserInput if more tasks lie below one than a request writes."""
    if sum(map(len, below)) > MAX_TREE:
        raise BadUserInput(
            f"More than {MAX_TREE} tasks below one cannot be {what} at once: begin with some of its"
            " subtasks.",
            "id",
        )
