"""Change settings."""

from collections.abc import Mapping
from typing import Any

from graphql_api.domain.settings.model import Settings
from graphql_api.domain.settings.store import SettingsStore
from graphql_api.errors import Conflict
from graphql_api.infra.dynamodb import ConditionFailed

ATTEMPTS = 10  # at a change that other requests keep overtaking


class UserSettings:
    """The operations on settings that GraphQL and REST offer."""

    def __init__(self, store: SettingsStore) -> None:
        self._store = store

    def update(self, user_id: str, changes: Mapping[str, Any]) -> Settings:
        """Change fields; return the new settings. Raises BadUserInput and Conflict."""
        for _ in range(ATTEMPTS):
            before = self._store.get(user_id)
            after = before.edit(changes)
            if after is before:
                return before
            try:
                self._store.replace(before, after)
            except ConditionFailed:
                # Another request was faster, or the response to our own first attempt was lost:
                # in both cases it is right to make the same change again.
                continue
            return after
        raise Conflict("Too many simultaneous changes of these settings, try again.")
