"""Operations on saved views; the first argument is always the id of their owner."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from graphql_api.domain.changes.feed import Feed
from graphql_api.domain.changes.model import Change
from graphql_api.domain.conflicts import check_version, retry_on_conflict
from graphql_api.domain.criteria import Criterion
from graphql_api.domain.projects.store import ProjectStore
from graphql_api.domain.tasks.model import Task
from graphql_api.domain.tasks.store import TaskKey, TaskStore
from graphql_api.domain.tasks.writes import states
from graphql_api.domain.views.model import SavedView
from graphql_api.domain.views.store import ViewStore
from graphql_api.domain.views.viewpoints import Viewpoints
from graphql_api.errors import NotFound

VIEW_ID = "view_id"


class Views:
    """Creates, changes, lists and deletes saved views."""

    def __init__(
        self, store: ViewStore, projects: ProjectStore, tasks: TaskStore, viewpoints: Viewpoints
    ) -> None:
        self._store, self._projects = store, projects
        self._tasks, self._viewpoints = tasks, viewpoints

    def all(self, user_id: str) -> list[SavedView]:
        """The user's views, the oldest first."""
        return self._store.all(user_id)

    def get(self, user_id: str, view_id: str) -> SavedView:
        """One of the user's views. Raises NotFound."""
        return self._store.get(user_id, view_id)

    def named(self, user_id: str, view_ids: Sequence[str]) -> dict[str, SavedView]:
        """The user's views of these ids, as far as there are any."""
        found = self._store.get_many([(user_id, each) for each in view_ids])
        return {view_id: view for (_, view_id), view in found.items()}

    def usable(self, user_id: str, view_id: str) -> SavedView:
        """A view to list tasks by. Raises NotFound, also if it names projects that are gone."""
        view = self._store.get(user_id, view_id, VIEW_ID)
        known = self._projects.get_many([(user_id, each) for each in view.project_ids])
        missing = [each for each in view.project_ids if (user_id, each) not in known]
        if missing:
            raise NotFound(
                "The filter of this view names a project that was deleted: change the view.",
                field=VIEW_ID,
                missing_project_ids=missing,
            )
        return view

    def criterion(self, user_id: str, view_id: str, now: datetime) -> Criterion:
        """The conditions of a view as they are at an instant. Raises NotFound as `usable`."""
        view = self.usable(user_id, view_id)
        return view.filter.criterion(self._viewpoints.of(user_id, view.filter, now))

    def feed(self, user_id: str, view_id: str, feed: Feed, now: datetime) -> Feed:
        """The part of a feed that tells of tasks which match, or have matched before the change.

        Where nobody can tell that, a change is told in any case: one before the deletion of a task
        that is gone by now, or an edit before another one that is not read with it. Raises NotFound
        as `usable`.
        """
        matches = self.criterion(user_id, view_id, now).holds

        def told(changes: Sequence[Change]) -> list[Change]:
            keys = list(dict.fromkeys((each.user_id, each.task_id) for each in changes))
            tasks = self._tasks.get_many(keys)
            return _matching(changes, tasks, matches)

        return feed.narrowed(told)

    def create(self, user_id: str, values: Mapping[str, Any], now: datetime) -> SavedView:
        """Create a view. Raises BadUserInput, and Conflict if there are too many."""
        view = SavedView.new(user_id, values, now)
        retry_on_conflict(lambda: self._store.add(view))
        return view

    def update(self, user_id: str, changes: Mapping[str, Any], now: datetime) -> SavedView:
        """Change a view, if it still has the `expected_version` or none is given.

        Raises NotFound, BadUserInput and Conflict.
        """
        fields = dict(changes)
        view_id, expected = fields.pop("id"), fields.pop("expected_version", None)

        def attempt() -> SavedView:
            before = self._expected(user_id, view_id, expected)
            after = before.edit(fields, now)
            if after is not before:
                self._store.replace(before, after)
            return after

        return retry_on_conflict(attempt)

    def delete(self, user_id: str, id: str, expected_version: int | None = None) -> None:
        """Delete a view. Raises NotFound and Conflict."""
        retry_on_conflict(lambda: self._store.remove(self._expected(user_id, id, expected_version)))

    def _expected(self, user_id: str, view_id: str, version: int | None) -> SavedView:
        """The view as it is expected. Raises NotFound and Conflict."""
        view = self._store.get(user_id, view_id)
        check_version("view", view.version, version)
        return view


def _matching(
    changes: Sequence[Change], tasks: Mapping[TaskKey, Task], matches: Callable[[Task], bool]
) -> list[Change]:
    """The changes of tasks that match as they are now, or did before the change, or may have."""
    then, found = dict(tasks), list[Change]()
    last = {(each.user_id, each.task_id): each.change_id for each in changes}
    for change in reversed(changes):
        key = (change.user_id, change.task_id)
        now, before = states(change, tasks.get(key))[:1], states(change, then.get(key))[1:]
        then.update((key, task) for task in before)
        is_known = now and not (before and now[0].change_id != last[key])
        if not is_known or any(map(matches, [*now, *before])):
            found.append(change)
    return found[::-1]
