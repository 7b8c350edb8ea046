"""Puts tasks below others: what is read, checked and written with that.

A task knows its parent, and a parent the ids of its subtasks: both are written in one transaction.
Whoever puts a task somewhere checks there that its new ancestors still have the parents that were
read; and a move, that the tasks below have still the subtasks that were read. So two moves at once
cannot close a cycle, and neither another move nor a new subtask makes a tree too deep meanwhile. A
move also writes the user's dependencies anew, so that none closes a cycle together with a blocker
that is added.
"""

from collections.abc import Callable, Iterable, Sequence

from graphql_api.domain.conflicts import retry_on_conflict
from graphql_api.domain.dependencies.model import Children
from graphql_api.domain.dependencies.store import Links
from graphql_api.domain.subtasks.model import MAX_LEVELS, MAX_TREE, PARENT_ID, Heir, check_place
from graphql_api.domain.tasks.model import Task
from graphql_api.domain.tasks.store import TaskStore, task_not_found
from graphql_api.infra.dynamodb import Action

MAX_CHECKED = 60  # tasks that are moved with one: a transaction has 100 actions


class Placement:
    """Reads the trees of tasks, and makes the actions by which a task gets a parent.

    Trees are read as they are, whatever of them an answer may have: else a cycle could be closed
    through what a confined token does not see.
    """

    def __init__(self, store: TaskStore) -> None:
        self._store = store

    def actions(self, before: Task | None, after: Task, links: Links) -> list[Action]:
        """The actions beside a write by which a task gets, changes or loses its parent.

        Raises NotFound if there is no such parent, Conflict for a cycle, and BadUserInput.
        """
        old, new = before.parent_id if before else None, after.parent_id
        if old == new:
            return []
        parents = self._seen(after.user_id, [each for each in (old, new) if each])
        actions = self.leaving(after.task_id, parents[old]) if old in parents else []
        if new is not None:
            if new not in parents:
                raise task_not_found(field=PARENT_ID)
            with self._store.hiding_cycles(after.user_id):
                actions += self._entering(after, parents[new], links, is_new=before is None)
        if before is not None:
            links.change(links.now.touched())
        return actions

    def of_removal(self, task: Task) -> list[Action]:
        """The actions by which a task that is deleted leaves its parent, if it has one."""
        if task.parent_id is None:
            return []
        found = self._seen(task.user_id, [task.parent_id])
        return self.leaving(task.task_id, found[task.parent_id]) if found else []

    def leaving(self, task_id: str, parent: Task) -> list[Action]:
        """The action by which a parent loses a subtask."""
        left = [each for each in parent.child_ids if each != task_id]
        return [self._store.listing(parent, left)]

    def _entering(self, task: Task, parent: Task, links: Links, *, is_new: bool) -> list[Action]:
        """The actions by which a parent gets a subtask, with all that this depends on."""
        ancestors = [parent, *self.above(parent)]
        below = self.below(task)
        check_place(task, ancestors, below)
        if not is_new or links.is_read:
            known = [task, *(each for level in below for each in level)]
            children = self.children_of(task.user_id, known, links)
            links.now.check_cycle(parent.task_id, task.task_id, children, PARENT_ID)
        checks = [*map(self._store.parent_check, ancestors[1:])]
        if not is_new:
            moved = [each for level in below for each in level]
            checks += map(self._store.children_check, moved[:MAX_CHECKED])
        listed = dict.fromkeys((*parent.child_ids, task.task_id))
        return [self._store.listing(parent, [*listed]), *checks]

    def adopt(self, user_id: str, parent_id: str, task_ids: Iterable[str]) -> None:
        """List imported subtasks at their parent, in which they are said to lie."""

        def attempt() -> None:
            parent = self._store.get(user_id, parent_id)
            found = self._seen(user_id, task_ids).values()
            own = [each.task_id for each in found if each.parent_id == parent_id]
            self._store.list_children(parent, dict.fromkeys((*parent.child_ids, *own)))

        retry_on_conflict(attempt)

    def below(self, task: Task) -> list[list[Task]]:
        """All tasks below one, level by level; up to one more level than there may be."""
        levels: list[list[Task]] = []
        ids: Sequence[str] = task.child_ids
        while ids and len(levels) < MAX_LEVELS and sum(map(len, levels)) <= MAX_TREE:
            found = list(self._known(task.user_id, ids).values())
            if found:
                levels.append(found)
            ids = [child for each in found for child in each.child_ids]
        return levels

    def children_of(self, user_id: str, known: Iterable[Task], links: Links) -> Children:
        """The subtasks of these tasks, and of all that they wait for, directly or not."""
        children = {each.task_id: each.child_ids for each in known}
        start = list(children)
        while new := [each for each in links.now.reach(start, children) if each not in children]:
            children |= dict.fromkeys(new, ())
            found = self._known(user_id, new)
            children |= {task_id: each.child_ids for task_id, each in found.items()}
        return children

    def above(self, task: Task) -> list[Task]:
        """The ancestors of a task, the nearest first; up to more than there may be."""
        return self._line(task, self._known)

    def heir(self, task: Task) -> Heir:
        """A task with what it shows of those above it."""
        return Heir.of(task, self._line(task, self._seen))

    def _line(self, task: Task, read: Callable[[str, list[str]], dict[str, Task]]) -> list[Task]:
        ancestors: list[Task] = []
        at = task.parent_id
        while at is not None and len(ancestors) < MAX_LEVELS:
            found = read(task.user_id, [at])
            ancestors += found.values()
            at = found[at].parent_id if at in found else None
        return ancestors

    def _seen(self, user_id: str, task_ids: Iterable[str]) -> dict[str, Task]:
        """Tasks by id, of those that an answer may have."""
        found = self._store.get_many([(user_id, each) for each in task_ids])
        return {task_id: task for (_, task_id), task in found.items()}

    def _known(self, user_id: str, task_ids: Iterable[str]) -> dict[str, Task]:
        """Tasks by id, whatever an answer may have."""
        found = self._store.get_many_for_checks([(user_id, each) for each in task_ids])
        return {task_id: task for (_, task_id), task in found.items()}
