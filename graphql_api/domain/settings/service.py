"""Changing settings."""

from collections.abc import Mapping
from typing import Any

from graphql_api.domain.settings.model import Settings
from graphql_api.domain.settings.store import SettingsStore
from graphql_api.errors import Conflict
from graphql_api.infra.dynamodb import ConditionFailed

ATTEMPTS = 10  # at a change that others keep overtaking


class UserSettings:
    """What people do with their settings."""

    def __init__(self, store: SettingsStore) -> None:
        self._store = store

    def update(self, user_id: str, changes: Mapping[str, Any]) -> Settings:
        """The user's settings with the changed fields. Raises BadUserInput and Conflict."""
        for _ in range(ATTEMPTS):
            before = self._store.get(user_id)
            after = before.edit(changes)
            if after is before:
                return before
            try:
                self._store.replace(before, after)
            except ConditionFailed:
                # Others were first, or our own first attempt, whose answer was lost on the
                # way: to make the same change again is right for both.
                continue
            return after
        raise Conflict("Others keep changing these settings, try again.")
