"""Operations on projects; the first argument is always the id of their owner."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from graphql_api.domain.changes.model import Actor
from graphql_api.domain.conflicts import check_version, retry_on_conflict
from graphql_api.domain.paging import Page, Rank, Window, sorted_page
from graphql_api.domain.projects.deletion import ProjectDeletions
from graphql_api.domain.projects.model import (
    Project,
    ProjectDeletion,
    TaskFate,
    check_target,
)
from graphql_api.domain.projects.store import ProjectStore


class Projects:
    """Creates, changes, lists and deletes projects."""

    def __init__(self, store: ProjectStore, deletions: ProjectDeletions) -> None:
        self._store, self._deletions = store, deletions

    def get(self, user_id: str, project_id: str) -> Project:
        """One of the user's projects. Raises NotFound."""
        return self._store.get(user_id, project_id)

    def page(
        self, user_id: str, window: Window, position: str | None, *, archived: bool | None
    ) -> tuple[Page[Project], int]:
        """The page of the user's projects behind a position, and how many there are in all.

        They are those that are archived, or are not, or, without either, all of them.
        """
        found = self._store.all(user_id)
        if archived is not None:
            found = [each for each in found if (each.archived_at is not None) is archived]
        page = sorted_page(found, _rank, window, position, descending=False)
        return page, len(found)

    def create(self, user_id: str, values: Mapping[str, Any], now: datetime) -> Project:
        """Create a project. Raises BadUserInput, and Conflict if there are too many."""
        project = Project.new(user_id, values, now)
        retry_on_conflict(lambda: self._store.add(project))
        return project

    def update(self, user_id: str, changes: Mapping[str, Any], now: datetime) -> Project:
        """Change a project, if it still has the `expected_version` or none is given.

        Raises NotFound, BadUserInput and Conflict.
        """
        fields = dict(changes)
        project_id, expected = fields.pop("id"), fields.pop("expected_version", None)

        def attempt() -> Project:
            before = self._expected(user_id, project_id, expected)
            return self._replaced(before, before.edit(fields, now))

        return retry_on_conflict(attempt)

    def archive(
        self,
        user_id: str,
        id: str,
        now: datetime,
        expected_version: int | None = None,
        *,
        archived: bool = True,
    ) -> Project:
        """Put a project away, or take it out again. Raises NotFound and Conflict."""

        def attempt() -> Project:
            before = self._expected(user_id, id, expected_version)
            after = before.archive(now) if archived else before.unarchive(now)
            return self._replaced(before, after)

        return retry_on_conflict(attempt)

    def delete(
        self,
        user_id: str,
        id: str,
        tasks: TaskFate,
        actor: Actor,
        now: datetime,
        move_to: str | None = None,
        expected_version: int | None = None,
    ) -> bool:
        """Delete a project, after its tasks were moved or deleted, or are in none any more.

        Returns whether that is done: with many tasks, a dispatcher goes on. Raises NotFound,
        BadUserInput and Conflict.
        """
        deletion = ProjectDeletion(tasks=tasks, move_to=move_to, actor=actor)
        check_target(deletion, id)

        def attempt() -> Project:
            before = self._expected(user_id, id, expected_version)
            beside = []
            if move_to is not None:
                self._store.get(user_id, move_to, "move_to")
                beside.append(self._store.presence(user_id, move_to))
            after = before.delete(deletion, now)
            self._store.begin_deletion(before, after, self._deletions.begin(after, now), *beside)
            return after

        return self._deletions.finish(retry_on_conflict(attempt))

    def _expected(self, user_id: str, project_id: str, version: int | None) -> Project:
        """The project as it is expected. Raises NotFound and Conflict."""
        project = self._store.get(user_id, project_id)
        check_version("project", project.version, version)
        return project

    def _replaced(self, before: Project, after: Project) -> Project:
        if after is not before:
            self._store.replace(before, after)
        return after


def _rank(project: Project) -> Rank:
    return Rank(*project.order)
