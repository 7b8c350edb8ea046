"""Quick add for a user: with the user's settings and projects."""

import hashlib
from datetime import datetime
from zoneinfo import ZoneInfo

from graphql_api.domain.changes.model import Actor
from graphql_api.domain.projects.store import ProjectStore
from graphql_api.domain.quick_add.model import Asked, ProjectName, QuickAdd
from graphql_api.domain.quick_add.parser import read
from graphql_api.domain.settings.model import WEEKDAYS, checked_timezone
from graphql_api.domain.settings.store import SettingsStore
from graphql_api.domain.tasks.model import Task
from graphql_api.domain.tasks.service import Tasks


class QuickAdds:
    """Reads lines of text as tasks, and creates them."""

    def __init__(self, settings: SettingsStore, projects: ProjectStore, tasks: Tasks) -> None:
        self._settings, self._projects, self._tasks = settings, projects, tasks

    def read(self, user_id: str, text: str, timezone: str | None, now: datetime) -> QuickAdd:
        """Read a text as a task, by default in the zone of the settings. Raises BadUserInput."""
        settings = self._settings.get(user_id)
        zone = checked_timezone(timezone) if timezone is not None else settings.timezone
        asked = Asked(
            now=now.astimezone(ZoneInfo(zone)),
            timezone=zone,
            date_order=settings.date_order,
            first_weekday=WEEKDAYS.index(settings.first_weekday),
            projects=self._names(user_id) if "@" in text else (),
        )
        return read(text, asked)

    def add(
        self,
        user_id: str,
        text: str,
        actor: Actor,
        now: datetime,
        *,
        timezone: str | None = None,
        said_at: datetime | None = None,
        idempotency_key: str | None = None,
    ) -> tuple[Task, QuickAdd]:
        """Create the task that a text stands for; an idempotency key goes with the text.

        Raises BadUserInput, and Conflict as the creation of any task does.
        """
        found = self.read(user_id, text, timezone, said_at or now)
        values = {**found.values, "idempotency_key": idempotency_key}
        said = hashlib.sha256(f"{timezone} {text}".encode()).hexdigest()
        return self._tasks.create(user_id, values, actor, now, said=said), found

    def _names(self, user_id: str) -> tuple[ProjectName, ...]:
        """The projects that a task can be put into, in their order."""
        return tuple(
            ProjectName(project.project_id, project.name)
            for project in self._projects.all(user_id)
            if project.archived_at is None
        )
