"""What a resolver gets: who is asking, when, and what there is to ask."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, TypeAlias, TypeVar

import strawberry

from graphql_api.api.graphql.cursors import Cursors
from graphql_api.domain.accounts.model import Client, User
from graphql_api.domain.accounts.service import Accounts
from graphql_api.domain.accounts.store import UserStore
from graphql_api.domain.accounts.tokens import Identity
from graphql_api.domain.changes.feed import Feed
from graphql_api.domain.changes.model import Actor, ActorKind
from graphql_api.domain.paging import LARGEST, Budget
from graphql_api.domain.plans.service import Plans
from graphql_api.domain.settings.model import Settings
from graphql_api.domain.settings.service import UserSettings
from graphql_api.domain.settings.store import SettingsStore
from graphql_api.domain.tasks.dependencies import Dependencies
from graphql_api.domain.tasks.dependency_store import DependencyStore
from graphql_api.domain.tasks.history import History
from graphql_api.domain.tasks.list_reader import MOST_READ, TaskListReader
from graphql_api.domain.tasks.model import Task
from graphql_api.domain.tasks.ranking import Ranking
from graphql_api.domain.tasks.related import MOST_LINKED, Neighbours
from graphql_api.domain.tasks.service import Tasks
from graphql_api.domain.tasks.store import TaskKey, TaskStore, task_not_found
from graphql_api.errors import QueryTooComplex, Unauthenticated
from graphql_api.infra import request_log
from graphql_api.infra.concurrency.bulkhead import Bulkhead
from graphql_api.infra.dynamodb import Loader

T = TypeVar("T")

MOST_LISTED = 300  # tasks in all lists of a request
WHOLE_LIST_PAGE = 1_000  # tasks in each page of a list that is read to its end


class lazy(Generic[T]):  # noqa: N801 - as property and cached_property
    """A property that is computed once.

    functools.cached_property has a lock until Python 3.12, one for all objects of a class: who
    waits for the store meanwhile makes all others wait.
    """

    def __init__(self, make: Callable[[Any], T]) -> None:
        self._make = make
        self._name = make.__name__
        self.__doc__ = make.__doc__

    def __get__(self, owner: Any, _: Any = None) -> T:
        """The value, which from now on is the owner's own attribute."""
        value = owner.__dict__[self._name] = self._make(owner)
        return value


@dataclass(frozen=True)
class Services:
    """What a process has once, and every request uses."""

    accounts: Accounts
    tasks: Tasks
    user_settings: UserSettings
    plans: Plans
    user_store: UserStore
    task_store: TaskStore
    task_lists: TaskListReader
    feed: Feed
    history: History
    dependency_store: DependencyStore
    settings_store: SettingsStore
    cursors: Cursors
    rankings: Bulkhead
    now: Callable[[], datetime]

    def context(self, authorization: str | None, client: Client) -> "Context":
        """The context of one request, by its Authorization header and where it comes from."""
        return Context(self, authorization, client)

    def context_of(self, identity: Identity) -> "Context":
        """The context of work for a session that was authenticated before."""
        context = Context(self, None, Client("", ""))
        context.__dict__["identity"] = identity
        return context


class Context:
    """What one request has; nothing is read or verified before a resolver asks for it."""

    def __init__(self, services: Services, authorization: str | None, client: Client) -> None:
        self.accounts = services.accounts
        self.tasks = services.tasks
        self.user_settings = services.user_settings
        self.plans = services.plans
        self.task_lists = services.task_lists
        self.feed = services.feed
        self.history = services.history
        self.cursors = services.cursors
        self.rankings = services.rankings
        self._services = services
        self._clock = services.now
        self.read_budget = Budget(MOST_READ)
        self.count_budget = Budget(MOST_READ)
        self._rows = Budget(MOST_LISTED)
        self._linked = Budget(MOST_LINKED)
        self.largest_page = LARGEST
        self.client = client
        self._authorization = authorization

    def allow_whole_lists(self) -> None:
        """Let pages be longer: somebody reads one list to its end, and nothing beside it."""
        self._rows = Budget(WHOLE_LIST_PAGE)
        self.largest_page = WHOLE_LIST_PAGE

    @property
    def now(self) -> datetime:
        """The present instant: each write has its own, and so each new task its place."""
        return self._clock()

    @lazy
    def identity(self) -> Identity:
        """The user and session of the access token. Raises Unauthenticated."""
        identity, user = self.accounts.authenticate(self._authorization, self.now)
        self.users.prime({user.user_id: user})
        request_log.annotate(user_id=identity.user_id)
        return identity

    @property
    def viewer(self) -> str:
        """The id of the authenticated user. Raises Unauthenticated."""
        return self.identity.user_id

    @property
    def actor(self) -> Actor:
        """The actor whom changes of this request name: the session, by its device."""
        return Actor(kind=ActorKind.SESSION, name=self.client.name)

    def user(self, user_id: str) -> User:
        """A user who must be there; Unauthenticated if the account is gone."""
        user = self.users.get(user_id)
        if user is None:
            raise Unauthenticated("The account no longer exists.")
        return user

    @lazy
    def users(self) -> Loader[str, User]:
        """Users by their ids."""
        return Loader(self._services.user_store.get_many)

    @lazy
    def settings(self) -> Loader[str, Settings]:
        """Settings by the ids of their users."""
        return Loader(self._services.settings_store.get_many)

    @lazy
    def tasks_by_key(self) -> Loader[TaskKey, Task]:
        """Tasks by their keys."""
        return Loader(self._services.task_store.get_many)

    @lazy
    def dependencies(self) -> Loader[str, Dependencies]:
        """All dependencies of a user, by the user's id."""
        return Loader(self._services.dependency_store.get_many)

    @lazy
    def neighbours(self) -> Neighbours:
        """What tasks wait for, and what waits for them."""
        return Neighbours(self.dependencies, self.tasks_by_key, self._linked)

    @lazy
    def ranking(self) -> Ranking:
        """How urgent tasks are."""
        return Ranking(
            self.task_lists,
            self.tasks_by_key,
            self.neighbours,
            lambda user_id: self.settings_of(user_id).urgency_coefficients,
            self._clock,
            self.read_budget,
        )

    def forget_tasks(self) -> None:
        """Read tasks anew from now on: something is going to be written."""
        for name in ("tasks_by_key", "dependencies", "neighbours", "ranking"):
            self.__dict__.pop(name, None)

    def show(self, tasks: Sequence[Task], *, prime: bool = True) -> None:
        """Note tasks as they are: they are not read again, and what is around them together."""
        if prime:
            self.tasks_by_key.prime({(task.user_id, task.task_id): task for task in tasks})
        self.neighbours.show(tasks)
        self.ranking.show(tasks)

    def settings_of(self, user_id: str) -> Settings:
        """The user's settings."""
        return self.settings.get(user_id) or Settings(user_id=user_id)

    def planned_task(self, task_id: str) -> Task:
        """One of the viewer's tasks that a plan is of."""
        task = self.tasks_by_key.get((self.viewer, task_id))
        if task is None:
            raise task_not_found()
        return task

    def spend_rows(self, tasks: int) -> None:
        """Take these tasks of those that a request may list; QueryTooComplex beyond them."""
        self._rows.spend(tasks)
        if self._rows.left < 0:
            raise QueryTooComplex(f"A request gets at most {MOST_LISTED} tasks in all its lists.")


Info: TypeAlias = strawberry.Info[Context, Any]
