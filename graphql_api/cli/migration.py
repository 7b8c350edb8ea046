"""From the older program's two tables into ours; what is there already stays as it is.

All that it knows is in the tables, so that it can be interrupted and run again.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import Enum

from graphql_api.cli import legacy_items
from graphql_api.domain.accounts.model import User, username_key
from graphql_api.domain.accounts.store import UserStore
from graphql_api.domain.tasks.model import Task
from graphql_api.domain.tasks.store import TaskKey, TaskStore
from graphql_api.errors import BadUserInput, Conflict
from graphql_api.infra.dynamodb import Item, Table, looks

LOOK = 1_000  # items; fewer if they are more than the megabyte that one answer holds


class Fate(Enum):
    """What becomes of an old item."""

    ADDED = "added"
    THERE = "there already"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of an item, and what is to be said of it, if anything."""

    fate: Fate
    note: str = ""


class Migration:
    """Takes over users, then their tasks; with `dry_run` it only says what it would do."""

    def __init__(
        self, users: UserStore, tasks: TaskStore, now: datetime, *, dry_run: bool = False
    ) -> None:
        self._users = users
        self._tasks = tasks
        self._now = now
        self._dry_run = dry_run
        self._names: dict[str, str] = {}  # of the users that are ours now, by id …
        self._owners: dict[str, str] = {}  # … and their ids, by what makes names the same

    def users(self, old: Table) -> Iterator[Outcome]:
        """Take over each item of the old table of users."""
        for items in _pages(old):
            ids = [user_id for item in items if (user_id := legacy_items.text(item, "user_id"))]
            known = self._users.get_many(list(dict.fromkeys(ids)))
            for item in items:
                try:
                    yield self._user(legacy_items.user(item, self._now), known)
                except (BadUserInput, Conflict) as error:
                    name = legacy_items.text(item, "username")
                    yield Outcome(Fate.REFUSED, f"user {name!r}: {error.message}")

    def tasks(self, old: Table) -> Iterator[Outcome]:
        """Take over each item of the old table of tasks, of users that were taken over."""
        for items in _pages(old):
            keys = [
                (legacy_items.text(item, "user_id"), legacy_items.text(item, "task_id"))
                for item in items
            ]
            known = self._tasks.get_many([key for key in keys if key[0] in self._names])
            for item, key in zip(items, keys, strict=True):
                try:
                    yield self._task(item, key, known)
                except BadUserInput as error:
                    yield Outcome(Fate.REFUSED, f"task {key[1]!r}: {error.message}")

    def _user(self, user: User, known: dict[str, User]) -> Outcome:
        key = username_key(user.username)
        if self._owners.get(key, user.user_id) != user.user_id:
            other = self._names[self._owners[key]]
            raise Conflict(f"the name is the same as {other!r}")
        there = known.get(user.user_id)
        name = there.username if there else self._names.get(user.user_id, user.username)
        if username_key(name) != key:
            raise Conflict(f"the user_id is that of {name!r}")
        if there is None:
            self._add(user)
        self._owners[key] = user.user_id
        self._names[user.user_id] = user.username
        return Outcome(Fate.THERE if there else Fate.ADDED)

    def _add(self, user: User) -> None:
        taken = Conflict("the name belongs to another account")
        if self._dry_run:
            if self._users.find(user.username) is not None:
                raise taken
            return
        try:
            self._users.add(user)
        except Conflict:
            raise taken from None

    def _task(self, item: Item, key: TaskKey, known: dict[TaskKey, Task]) -> Outcome:
        task, note = legacy_items.task(item, self._now)
        if task.user_id not in self._names:
            raise BadUserInput(f"its user {task.user_id!r} was not taken over")
        if key in known or not (self._dry_run or self._tasks.restore(task)):
            return Outcome(Fate.THERE)
        return Outcome(Fate.ADDED, f"task {task.task_id!r}: {note}" if note else "")


def _pages(table: Table) -> Iterator[list[Item]]:
    return looks(lambda start: table.scan(start=start, limit=LOOK))
