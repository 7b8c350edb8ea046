"""Change settings."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from graphql_api.domain.conflicts import retry_on_conflict
from graphql_api.domain.due_days.relocation import Relocations
from graphql_api.domain.projects.store import ProjectStore
from graphql_api.domain.settings.model import Settings
from graphql_api.domain.settings.store import SettingsStore
from graphql_api.errors import BadUserInput


class UserSettings:
    """The operations on settings that GraphQL and REST offer."""

    def __init__(
        self, store: SettingsStore, relocations: Relocations, projects: ProjectStore
    ) -> None:
        self._store, self._relocations, self._projects = store, relocations, projects

    def update(self, user_id: str, changes: Mapping[str, Any], now: datetime) -> Settings:
        """Change fields; return the new settings. Raises BadUserInput and Conflict.

        With another time zone, due days begin and end by that: at once, or soon if they are many.
        """

        def attempt() -> tuple[Settings, Settings]:
            before = self._store.get(user_id)
            after = before.edit(changes)
            self._check_projects(after, before)
            if after is not before:
                is_moving = after.timezone != before.timezone
                beside = [self._relocations.begin(after, now)] if is_moving else []
                self._store.replace(before, after, *beside)
            return before, after

        before, after = retry_on_conflict(attempt)
        if after.timezone != before.timezone:
            self._relocations.finish(after)
        return after

    def _check_projects(self, after: Settings, before: Settings) -> None:
        """Raise BadUserInput for a project that a schedule names anew, and that is not there."""
        added = {(after.user_id, named) for named in after.project_ids - before.project_ids}
        missing = added - self._projects.get_many(sorted(added)).keys()
        for n, schedule in enumerate(after.schedules):
            for i, named in enumerate(schedule.project_ids):
                if (after.user_id, named) in missing:
                    place = ("schedules", n, "project_ids", i)
                    raise BadUserInput(f"There is no project {named}.", place)
