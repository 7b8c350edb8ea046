"""Settings in DynamoDB.

    user_id   item=settings   attributes of `model.Settings`

They are not part of the profile, which every uncached request reads.
"""

from collections.abc import Sequence
from datetime import date

from graphql_api.domain.settings.model import Settings
from graphql_api.infra.dynamodb import Action, Attr, Check, Database, Put, codec

ITEM = "settings"


class SettingsStore:
    """Stores settings; a user without an item has the defaults."""

    def __init__(self, database: Database) -> None:
        self._table = database.table("Users")

    def get(self, user_id: str) -> Settings:
        """Read a user's settings."""
        return self.get_many([user_id])[user_id]

    def get_many(self, user_ids: Sequence[str]) -> dict[str, Settings]:
        """Read the settings of several users, by user id."""
        items = self._table.get_many([_key(user_id) for user_id in user_ids])
        stored = [codec.decode(Settings, item) for item in items]
        defaults = {key: Settings(user_id=key) for key in user_ids}
        return defaults | {settings.user_id: settings for settings in stored}

    def zone(self, user_id: str, day: date | None) -> tuple[str | None, list[Action]]:
        """The time zone in which a user's day lies, and the check of a write that it still does.

        Without a day nothing is read.
        """
        if day is None:
            return None, []
        settings = self.get(user_id)
        same = Attr("timezone").eq(settings.timezone)
        if not settings.version:
            same = Attr("item").not_exists()
        return settings.timezone, [Check(self._table, _key(user_id), same)]

    def check_schedule(self, user_id: str, name: str | None) -> None:
        """Raise BadUserInput for the name of a schedule that the user does not have.

        Without a name nothing is read.
        """
        if name:
            self.get(user_id).check_schedule(name)

    def replace(self, before: Settings, after: Settings, *beside: Action) -> None:
        """Replace the settings, beside other actions.

        Raises ConditionFailed if they have changed since `before`.
        """
        absent = Attr("item").not_exists()
        unchanged = Attr("version").eq(before.version) if before.version else absent
        item = {"item": codec.value(ITEM), **codec.encode(after)}
        if beside:
            self._table.database.transact(Put(self._table, item, unchanged), *beside)
        else:
            self._table.put(item, unchanged)


def _key(user_id: str) -> dict[str, str]:
    return {"user_id": user_id, "item": ITEM}
