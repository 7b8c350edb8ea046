"""All writes of tasks."""

from graphql_api.domain.changes.feed import Feed
from graphql_api.domain.dependencies.store import DependencyStore
from graphql_api.domain.projects.store import ProjectStore
from graphql_api.domain.series.store import SeriesStore
from graphql_api.domain.series.succession import Succession
from graphql_api.domain.settings.store import SettingsStore
from graphql_api.domain.subtasks.renewal import Renewals
from graphql_api.domain.tasks.history import History
from graphql_api.domain.tasks.service.blockers import Blocking
from graphql_api.domain.tasks.service.creation import Creation
from graphql_api.domain.tasks.service.deletion import Deletions
from graphql_api.domain.tasks.service.edits import Edits
from graphql_api.domain.tasks.store import TaskStore
from graphql_api.infra.dynamodb import Database


class Tasks(Creation, Edits, Deletions, Blocking):
    """The writes of tasks. The first argument is always the id of the tasks' owner."""

    @classmethod
    def of(
        cls, database: Database, store: TaskStore, feed: Feed, projects: ProjectStore | None = None
    ) -> "Tasks":
        """Build them on a database, with the history and the succession that belong to them."""
        dependencies, projects = DependencyStore(database), projects or ProjectStore(database)
        settings = SettingsStore(database)
        succession = Succession(SeriesStore(database), store, settings)
        history = History(store, dependencies, feed, projects, succession, settings)
        renewals = Renewals.of(database, store)
        return cls(store, dependencies, history, projects, succession, settings, renewals)
