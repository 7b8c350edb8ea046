"""The interface of objects that are found by their id alone, as Relay has it."""

from typing import Any

import strawberry
from graphql import GraphQLObjectType

from graphql_api.domain.access.model import AccessToken
from graphql_api.domain.accounts.model import Session, User
from graphql_api.domain.blocks.service import TaskBlock
from graphql_api.domain.busy_calendars.model import BusyCalendar
from graphql_api.domain.calendars.model import CalendarFeed
from graphql_api.domain.changes.model import Change
from graphql_api.domain.projects.model import Project
from graphql_api.domain.series.model import Series
from graphql_api.domain.tasks.model import Task
from graphql_api.domain.views.model import SavedView
from graphql_api.domain.webhooks.model import Delivery, Webhook
from graphql_api.infra.executor.executor import core_schema

_TYPES: dict[type, str] = {
    AccessToken: "AccessToken",
    BusyCalendar: "BusyCalendar",
    CalendarFeed: "CalendarFeed",
    Change: "Change",
    Delivery: "Delivery",
    Project: "Project",
    SavedView: "SavedView",
    Series: "Series",
    Session: "Session",
    Task: "Task",
    TaskBlock: "PlannedBlock",
    User: "User",
    Webhook: "Webhook",
}


def _id(root: strawberry.Parent[Any]) -> strawberry.ID:
    """Each type has its own field in the place of this one."""
    raise NotImplementedError


@strawberry.interface(description="An object that `node` finds by its id.")
class Node:
    node_id: strawberry.ID = strawberry.field(
        name="id", resolver=_id, description="The object's id."
    )

    @classmethod
    def resolve_type(cls, found: Any, *_: Any) -> str:
        """Return the name of an object's type."""
        return _TYPES[type(found)]


def trust_types(schema: strawberry.Schema) -> None:
    """Let no object be asked for its type, which Strawberry does not know of the domain's."""
    for type_ in core_schema(schema).type_map.values():
        if isinstance(type_, GraphQLObjectType):
            type_.is_type_of = None
