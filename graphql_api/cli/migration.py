"""Copy users and tasks from the tables of the legacy service; existing items stay as they are.

All state is in the tables, so that a migration can be interrupted and run again.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import Enum

from graphql_api.cli import legacy_items
from graphql_api.domain.accounts.model import User, username_key
from graphql_api.domain.accounts.store import UserStore
from graphql_api.domain.changes.model import SYSTEM
from graphql_api.domain.tasks.model import Task
from graphql_api.domain.tasks.store import TaskKey, TaskStore
from graphql_api.errors import BadUserInput, Conflict
from graphql_api.infra.dynamodb import Item, Table, pages

PAGE_SIZE = 1_000  # items; a response holds at most one megabyte


class Outcome(Enum):
    """The outcome of migrating an item."""

    ADDED = "added"
    EXISTING = "existing"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Result:
    """The outcome for one item, with a note for the operator if there is one."""

    outcome: Outcome
    note: str = ""


class Migration:
    """Migrates users, then their tasks; with `dry_run` nothing is written."""

    def __init__(
        self, users: UserStore, tasks: TaskStore, now: datetime, *, dry_run: bool = False
    ) -> None:
        self._users = users
        self._tasks = tasks
        self._now = now
        self._dry_run = dry_run
        self._names: dict[str, str] = {}  # of migrated users, by user id
        self._owners: dict[str, str] = {}  # ids of migrated users, by username key

    def users(self, legacy: Table) -> Iterator[Result]:
        """Migrate each item of the legacy users table."""
        for items in _pages(legacy):
            ids = [user_id for item in items if (user_id := legacy_items.text(item, "user_id"))]
            known = self._users.get_many(list(dict.fromkeys(ids)))
            for item in items:
                try:
                    yield self._user(legacy_items.user(item, self._now), known)
                except (BadUserInput, Conflict) as error:
                    name = legacy_items.text(item, "username")
                    yield Result(Outcome.REFUSED, f"user {name!r}: {error.message}")

    def tasks(self, legacy: Table) -> Iterator[Result]:
        """Migrate each item of the legacy tasks table whose user was migrated."""
        for items in _pages(legacy):
            keys = [
                (legacy_items.text(item, "user_id"), legacy_items.text(item, "task_id"))
                for item in items
            ]
            known = self._tasks.get_many([key for key in keys if key[0] in self._names])
            for item, key in zip(items, keys, strict=True):
                try:
                    yield self._task(item, key, known)
                except BadUserInput as error:
                    yield Result(Outcome.REFUSED, f"task {key[1]!r}: {error.message}")

    def _user(self, user: User, known: dict[str, User]) -> Result:
        key = username_key(user.username)
        if self._owners.get(key, user.user_id) != user.user_id:
            other = self._names[self._owners[key]]
            raise Conflict(f"the name is the same as {other!r}")
        existing = known.get(user.user_id)
        name = existing.username if existing else self._names.get(user.user_id, user.username)
        if username_key(name) != key:
            raise Conflict(f"the user_id is that of {name!r}")
        if existing is None:
            self._add(user)
        self._owners[key] = user.user_id
        self._names[user.user_id] = user.username
        return Result(Outcome.EXISTING if existing else Outcome.ADDED)

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

    def _task(self, item: Item, key: TaskKey, known: dict[TaskKey, Task]) -> Result:
        task, note = legacy_items.task(item, self._now)
        if task.user_id not in self._names:
            raise BadUserInput(f"its user {task.user_id!r} was not migrated")
        if key in known or not (self._dry_run or self._tasks.add_imported(task, SYSTEM, self._now)):
            return Result(Outcome.EXISTING)
        return Result(Outcome.ADDED, f"task {task.task_id!r}: {note}" if note else "")


def _pages(table: Table) -> Iterator[list[Item]]:
    return pages(lambda start: table.scan(start=start, limit=PAGE_SIZE))
