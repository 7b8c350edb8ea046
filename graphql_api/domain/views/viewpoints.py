"""Viewpoints of filters that are used beside a request's own reads: by feeds and streams."""

from datetime import datetime

from graphql_api.domain.dependencies.store import DependencyStore
from graphql_api.domain.settings.store import SettingsStore
from graphql_api.domain.tasks.filters import TaskFilter, Viewpoint
from graphql_api.domain.tasks.store import TaskStore


class Viewpoints:
    """Reads what a filter has to know of its user."""

    def __init__(
        self, settings: SettingsStore, dependencies: DependencyStore, tasks: TaskStore
    ) -> None:
        self._settings, self._dependencies, self._tasks = settings, dependencies, tasks

    def of(self, user_id: str, filter: TaskFilter, now: datetime) -> Viewpoint:
        """The viewpoint of a filter at an instant: at most one read for each thing it asks for."""
        asked = [(user_id, each) for each in filter.parent_ids]
        parents = self._tasks.get_many(asked)
        return Viewpoint(
            now,
            self._settings.get(user_id).timezone if filter.asks_timezone else "UTC",
            self._dependencies.get(user_id).blocked_ids if filter.asks_blockers else (),
            {key[1]: parents[key].child_ids if key in parents else () for key in asked},
        )
