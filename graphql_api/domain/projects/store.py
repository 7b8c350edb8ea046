"""Projects in DynamoDB, in the table of users.

    user_id     item                    attributes
    <user id>   project#<project id>    of `model.Project`
    <user id>   projects                count, of those that are not deleted, and version

A task names its project by `project_id`. Whoever writes it there checks in the same transaction
that there is such a project: so none is named that is gone, nor one that is being deleted.
"""

from collections.abc import Sequence
from functools import partial

from graphql_api import ids
from graphql_api.domain.conflicts import retry_on_conflict
from graphql_api.domain.projects.model import MAX_PROJECTS, Project
from graphql_api.domain.registers import Register
from graphql_api.errors import ID, NotFound
from graphql_api.infra.dynamodb import (
    Action,
    Attr,
    Check,
    Condition,
    ConditionFailed,
    Database,
    Item,
    ItemPage,
    Key,
    Put,
    codec,
    pages,
)

PAGE = 500

ProjectKey = tuple[str, str]  # user id, project id

_decode = codec.decoder(Project)


class ProjectStore:
    """Reads and writes the projects of users."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._table = database.table("Users")
        self._register = Register(database, "projects", "projects")

    def all(self, user_id: str) -> list[Project]:
        """The user's projects in their order, archived ones included."""
        where = Key("user_id").eq(user_id) & Key("item").begins_with(_item_of(""))
        found = pages(partial(self._page, where))
        stored = [_decode(item) for items in found for item in items]
        return sorted((each for each in stored if not each.deletion), key=lambda each: each.order)

    def get(self, user_id: str, project_id: str, field: str = ID) -> Project:
        """One of the user's projects. Raises NotFound, with the field that has named it."""
        project = self.get_many([(user_id, project_id)]).get((user_id, project_id))
        if project is None:
            raise NotFound("Project not found or access denied", field)
        return project

    def get_many(self, keys: Sequence[ProjectKey]) -> dict[ProjectKey, Project]:
        """Projects by key; keys without a project are left out."""
        asked = [_key(*key) for key in keys if ids.is_id(key[1])]
        stored = map(_decode, self._table.get_many(asked))
        return {(each.user_id, each.project_id): each for each in stored if not each.deletion}

    def find(self, user_id: str, project_id: str) -> Project | None:
        """A project as it is stored, also while it is deleted."""
        item = self._table.get(**_key(user_id, project_id))
        return _decode(item) if item else None

    def add(self, project: Project) -> None:
        """Store a new project. Raises Conflict for too many, ConditionFailed for another count."""
        counted = self._register.adding(project.user_id, MAX_PROJECTS)
        self._write(
            project,
            Put(self._table, _item(project), Attr("item").not_exists()),
            counted,
        )

    def add_imported(self, project: Project) -> bool:
        """Store an imported project; False if the user has one of this id, which stays as it is.

        Raises Conflict for too many.
        """
        if self.find(*_key_of(project)):
            return False
        retry_on_conflict(lambda: self.add(project))
        return True

    def replace(self, before: Project, after: Project) -> None:
        """Store the next state of a project. Raises ConditionFailed if it has changed."""
        self._table.put(_item(after), _unchanged(before))

    def begin_deletion(self, before: Project, after: Project, *beside: Action) -> None:
        """Hide a project of which the tasks are to be moved or deleted, and make that durable.

        Raises ConditionFailed if it has changed, or for another count.
        """
        counted = self._register.removing(before.user_id)
        self._write(
            after,
            Put(self._table, _item(after), _unchanged(before)),
            counted,
            *beside,
        )

    def remove(self, project: Project) -> None:
        """Delete a project that no task is in any more."""
        self._table.delete_many([_key(project.user_id, project.project_id)])

    def presence(self, user_id: str, project_id: str) -> Check:
        """Check, in a transaction, that the user has this project."""
        there = Attr("item").exists() & Attr("deletion").not_exists()
        return Check(self._table, _key(user_id, project_id), there)

    def _write(self, project: Project, *actions: Action) -> None:
        """Write a project and more in one transaction. Raises ConditionFailed."""
        try:
            self._database.transact(*actions)
        except ConditionFailed as failure:
            # If it is stored as we have it, the response to our own first attempt was lost.
            if not failure.maybe_applied or self.find(*_key_of(project)) != project:
                raise

    def _page(self, where: Condition, start: Item | None) -> ItemPage:
        return self._table.query(where, start=start, limit=PAGE)


def _unchanged(before: Project) -> Condition:
    return Attr("version").eq(before.version) & Attr("deletion").not_exists()


def _item_of(project_id: str) -> str:
    return f"project#{project_id}"


def _key(user_id: str, project_id: str) -> dict[str, str]:
    return {"user_id": user_id, "item": _item_of(project_id)}


def _key_of(project: Project) -> ProjectKey:
    return project.user_id, project.project_id


def _item(project: Project) -> Item:
    return {**codec.encode(project), **codec.item(**_key(*_key_of(project)))}
