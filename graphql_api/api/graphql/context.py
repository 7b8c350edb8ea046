"""The context of a request: its viewer, services, data loaders and budgets."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, Protocol, TypeAlias, TypeVar

import strawberry

from graphql_api.api.graphql.cursors import Cursors
from graphql_api.api.graphql.strawberry_extras import camel_case
from graphql_api.domain.access.model import AccessToken, Confinement, Scope
from graphql_api.domain.access.secret_text import PREFIX
from graphql_api.domain.accounts.model import Client, User
from graphql_api.domain.accounts.service import Accounts
from graphql_api.domain.accounts.store import UserStore
from graphql_api.domain.accounts.tokens import Identity
from graphql_api.domain.blocks.service import PlannedBlocks
from graphql_api.domain.blocks.work import Work
from graphql_api.domain.busy_calendars.service import BusyCalendars
from graphql_api.domain.calendars.service import CalendarFeeds
from graphql_api.domain.changes.feed import Feed
from graphql_api.domain.changes.model import Actor, ActorKind
from graphql_api.domain.dependencies.model import Dependencies
from graphql_api.domain.dependencies.store import DependencyStore
from graphql_api.domain.paging import MAX_PAGE_SIZE, Budget
from graphql_api.domain.plans.service import Plans
from graphql_api.domain.projects.model import Project
from graphql_api.domain.projects.service import Projects
from graphql_api.domain.projects.store import ProjectKey, ProjectStore
from graphql_api.domain.quick_add.service import QuickAdds
from graphql_api.domain.series.model import Record, Series
from graphql_api.domain.series.store import SeriesKey, SeriesStore
from graphql_api.domain.series.succession import Succession
from graphql_api.domain.settings.model import Settings
from graphql_api.domain.settings.service import UserSettings
from graphql_api.domain.settings.store import SettingsStore
from graphql_api.domain.tasks.filters import TaskFilter, Viewpoint
from graphql_api.domain.tasks.history import History
from graphql_api.domain.tasks.list_reader import MAX_READ, OpenTally, TaskListReader
from graphql_api.domain.tasks.model import Task
from graphql_api.domain.tasks.ranking import Ranking
from graphql_api.domain.tasks.related import MAX_RELATED, RelatedTasks
from graphql_api.domain.tasks.service import Tasks
from graphql_api.domain.tasks.store import TaskKey, TaskStore, task_not_found
from graphql_api.domain.views.model import SavedView
from graphql_api.domain.views.service import Views
from graphql_api.domain.webhooks.service import Webhooks
from graphql_api.errors import QueryTooComplex, Unauthenticated, Wording
from graphql_api.infra import request_log
from graphql_api.infra.concurrency.bulkhead import Bulkhead
from graphql_api.infra.dataloader import Loader

T = TypeVar("T")

MAX_LISTED = 300  # tasks in all lists of a request
WHOLE_LIST_PAGE = 1_000  # tasks in each page of a list that is read as a whole


class lazy(Generic[T]):  # noqa: N801 - as property and cached_property
    """A property that is computed at first use and kept.

    Until Python 3.12, functools.cached_property locks all objects of a class while one of them
    computes its value, and these wait for the store.
    """

    def __init__(self, compute: Callable[[Any], T]) -> None:
        self._compute = compute
        self._name = compute.__name__
        self.__doc__ = compute.__doc__

    def __get__(self, owner: Any, _: Any = None) -> T:
        """Compute the value and store it as the object's own attribute."""
        value = owner.__dict__[self._name] = self._compute(owner)
        return value


@dataclass(frozen=True)
class TaskServices:
    """The services and stores of tasks, as somebody sees them who may see all, or some."""

    tasks: Tasks
    plans: Plans
    blocks: PlannedBlocks
    work: Work
    projects: Projects
    views: Views
    quick_adds: QuickAdds
    task_store: TaskStore
    task_lists: TaskListReader
    feed: Feed
    history: History
    succession: Succession
    project_store: ProjectStore


class ConfinedServices(Protocol):
    """Builds the services for who sees some tasks only, or only rehearses what it writes."""

    def __call__(self, confinement: Confinement, *, rehearses: bool) -> TaskServices:
        """The services within a confinement."""


@dataclass(frozen=True)
class Services:
    """The services and stores that all requests of a process share."""

    accounts: Accounts
    of_tasks: TaskServices
    confined: ConfinedServices
    user_settings: UserSettings
    webhooks: Webhooks
    calendar_feeds: CalendarFeeds
    busy_calendars: BusyCalendars
    user_store: UserStore
    series_store: SeriesStore
    dependency_store: DependencyStore
    settings_store: SettingsStore
    cursors: Cursors
    rankings: Bulkhead
    now: Callable[[], datetime]

    def context(self, authorization: str | None, client: Client) -> "Context":
        """Create the context of a request; its Authorization header is verified at first use."""
        return Context(self, authorization, client)

    def context_of(self, identity: Identity) -> "Context":
        """The context of work for a session that was authenticated before."""
        context = Context(self, None, Client("", ""))
        context.act_for(identity)
        return context


class Context:
    """The context of one request; nothing is read or verified before a resolver needs it."""

    def __init__(self, services: Services, authorization: str | None, client: Client) -> None:
        self.accounts = services.accounts
        self.user_settings = services.user_settings
        self.webhooks = services.webhooks
        self._use(services.of_tasks)
        self.calendar_feeds = services.calendar_feeds
        self.busy_calendars = services.busy_calendars
        self.cursors = services.cursors
        self.rankings = services.rankings
        self._services = services
        self._clock = services.now
        self.read_budget = Budget(MAX_READ)
        self.count_budget = Budget(MAX_READ)
        self._rows = Budget(MAX_LISTED)
        self._related = Budget(MAX_RELATED)
        self.max_page_size = MAX_PAGE_SIZE
        self.wording = Wording(camel_case)  # of errors that are part of a result
        self.client = client
        self._authorization = authorization

    def _use(self, services: TaskServices) -> None:
        """Have tasks only by these services."""
        self.tasks = services.tasks
        self.plans = services.plans
        self.blocks = services.blocks
        self.work = services.work
        self.quick_adds = services.quick_adds
        self.projects = services.projects
        self.views = services.views
        self.task_lists = services.task_lists
        self.feed = services.feed
        self.history = services.history
        self.succession = services.succession
        self._task_store = services.task_store
        self._project_store = services.project_store

    def act_for(self, identity: Identity) -> Identity:
        """Act for somebody who is known; for a confined token, without what it may not see."""
        if identity.confinement:
            self._use(self._services.confined(identity.confinement, rehearses=False))
        self.__dict__["identity"] = identity
        return identity

    def rehearse(self) -> None:
        """Let writes of tasks be checked, and answered as if they were done, but not be done."""
        self._use(self._services.confined(self.identity.confinement, rehearses=True))

    def allow_whole_lists(self) -> None:
        """Allow long pages, to a request that reads one list as a whole and nothing else."""
        self._rows = Budget(WHOLE_LIST_PAGE)
        self.max_page_size = WHOLE_LIST_PAGE

    @property
    def now(self) -> datetime:
        """The present instant, anew for each write: new tasks are sorted by it."""
        return self._clock()

    @lazy
    def identity(self) -> Identity:
        """The user and session of the request, or its access token. Raises Unauthenticated."""
        identity, user = self.accounts.authenticate(self._authorization, self.now)
        self.users.prime({user.user_id: user})
        request_log.annotate(user_id=identity.user_id)
        return self.act_for(identity)

    @lazy
    def access_token(self) -> AccessToken | None:
        """The access token of a program; None for a session, or for nobody.

        Raises Unauthenticated for a token that is no good.
        """
        if "identity" in self.__dict__ or PREFIX in (self._authorization or ""):
            return self.identity.token
        return None

    def has_scope(self, scope: Scope) -> bool:
        """Return whether the request has a scope, as each session has. Raises Unauthenticated."""
        token = self.identity.token
        return token is None or scope in token.scopes

    @property
    def is_confined(self) -> bool:
        """Return whether some of the viewer's tasks are hidden. Raises Unauthenticated."""
        return bool(self.identity.confinement)

    @property
    def viewer_id(self) -> str:
        """The id of the authenticated user. Raises Unauthenticated."""
        return self.identity.user_id

    @property
    def actor(self) -> Actor:
        """The actor whom changes of this request name: a session by its device, or the token."""
        if token := self.identity.token:
            return Actor(kind=ActorKind.TOKEN, name=token.name)
        return Actor(kind=ActorKind.SESSION, name=self.client.name)

    def user(self, user_id: str) -> User:
        """A user by id. Raises Unauthenticated if the account was deleted."""
        user = self.users.get(user_id)
        if user is None:
            raise Unauthenticated("The account no longer exists.")
        return user

    @lazy
    def users(self) -> Loader[str, User]:
        """Users by id."""
        return Loader(self._services.user_store.get_many)

    @lazy
    def settings(self) -> Loader[str, Settings]:
        """Settings by user id."""
        return Loader(self._services.settings_store.get_many)

    @lazy
    def tasks_by_key(self) -> Loader[TaskKey, Task]:
        """Tasks by user id and task id."""
        return Loader(self._task_store.get_many)

    @lazy
    def projects_by_key(self) -> Loader[ProjectKey, Project]:
        """Projects by user id and project id."""
        return Loader(self._project_store.get_many)

    @lazy
    def open_tallies(self) -> Loader[str, OpenTally]:
        """The numbers of users' open tasks, by user id."""
        return Loader(
            lambda user_ids: {
                user_id: self.task_lists.open_tally(
                    user_id, self.count_budget, self.viewpoint(user_id, TaskFilter())
                )
                for user_id in user_ids
            }
        )

    @lazy
    def series_by_key(self) -> Loader[SeriesKey, Series]:
        """Series by user id and series id."""
        return Loader(self._services.series_store.get_many)

    def series_of(self, task: Task) -> Series | None:
        """The series of a task, read with those of all tasks of the response."""
        if task.series_id is None:
            return None
        return self.series_by_key.get((task.user_id, task.series_id))

    def past_occurrences(self, series: Series, before: str, limit: int) -> list[Record]:
        """The occurrences that a series has had, the latest first."""
        return self._services.series_store.records(series.user_id, series.series_id, before, limit)

    def count_past_occurrences(self, series: Series) -> int:
        """The number of a series' occurrences that have been."""
        return self._services.series_store.count_records(series.user_id, series.series_id)

    @lazy
    def dependencies(self) -> Loader[str, Dependencies]:
        """All dependencies of a user, by user id."""
        return Loader(self._services.dependency_store.get_many)

    @lazy
    def related_tasks(self) -> RelatedTasks:
        """Blockers and blocked tasks."""
        return RelatedTasks(self.dependencies, self.tasks_by_key, self._related, self._clock)

    @lazy
    def ranking(self) -> Ranking:
        """Urgencies, and lists by urgency."""
        return Ranking(
            self.task_lists,
            self.tasks_by_key,
            self.related_tasks,
            self.settings_of,
            self.feed,
            self._clock,
            self.read_budget,
        )

    def for_write(self) -> "Context":
        """Return this context for a write, after which what was read before may be stale."""
        for name in (
            *("tasks_by_key", "dependencies", "related_tasks", "ranking"),
            *("projects_by_key", "open_tallies", "series_by_key"),
        ):
            self.__dict__.pop(name, None)
        return self

    def track(self, tasks: Sequence[Task], *, prime: bool = True) -> None:
        """Register tasks of the response: related tasks and urgencies are read in batches.

        `prime` caches them, so that they are not read again.
        """
        if prime:
            self.tasks_by_key.prime({(task.user_id, task.task_id): task for task in tasks})
        self.projects_by_key.prefetch(
            [(task.user_id, task.project_id) for task in tasks if task.project_id]
        )
        self.series_by_key.prefetch(
            [(task.user_id, task.series_id) for task in tasks if task.series_id]
        )
        self.related_tasks.track(tasks)
        self.ranking.track(tasks)

    def viewpoint(self, user_id: str, filter: TaskFilter) -> Viewpoint:
        """The viewpoint of a filter on the user's tasks; reads what the filter asks for."""
        related = self.related_tasks
        return Viewpoint(
            self.now,
            self.settings_of(user_id).timezone if filter.asks_timezone else "UTC",
            related.dependencies_of(user_id).blocked_ids if filter.asks_blockers else (),
            self._children(user_id, filter.parent_ids),
        )

    def _children(self, user_id: str, parent_ids: Sequence[str]) -> Mapping[str, tuple[str, ...]]:
        """The ids of the subtasks of each of these tasks; none of one that is not there."""
        self.tasks_by_key.prefetch((user_id, each) for each in parent_ids)
        parents = {each: self.tasks_by_key.get((user_id, each)) for each in parent_ids}
        return {each: parent.child_ids if parent else () for each, parent in parents.items()}

    def project_of(self, task: Task) -> Project | None:
        """The project that a task is in; None while it is taken out of one that was deleted."""
        project_id = self.related_tasks.heir(task).get("project_id")
        return self.projects_by_key.get((task.user_id, project_id)) if project_id else None

    def track_views(self, views: Sequence[SavedView]) -> None:
        """Register views of the response: the projects that they name are read in one batch."""
        self.projects_by_key.prefetch(
            (view.user_id, project_id) for view in views for project_id in view.project_ids
        )

    def missing_projects(self, view: SavedView) -> list[str]:
        """The ids of projects that a view names and that are gone."""
        projects = self.projects_by_key
        return [each for each in view.project_ids if projects.get((view.user_id, each)) is None]

    def open_tally(self, user_id: str) -> OpenTally:
        """The number of the user's open tasks. Raises QueryTooComplex beyond the budget."""
        return self.open_tallies.get(user_id) or OpenTally()

    def settings_of(self, user_id: str) -> Settings:
        """The user's settings."""
        return self.settings.get(user_id) or Settings(user_id=user_id)

    def planned_task(self, task_id: str) -> Task:
        """One of the viewer's tasks, by its id in a plan."""
        task = self.tasks_by_key.get((self.viewer_id, task_id))
        if task is None:
            raise task_not_found(field=None)  # no argument has named it
        return task

    def spend_rows(self, tasks: int) -> None:
        """Count tasks that are listed. Raises QueryTooComplex beyond MAX_LISTED."""
        self._rows.spend(tasks)
        if self._rows.left < 0:
            raise QueryTooComplex(f"A request returns at most {MAX_LISTED} tasks in all its lists.")


Info: TypeAlias = strawberry.Info[Context, Any]
