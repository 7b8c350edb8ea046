"""The schema: the types and operations of all features, merged."""

from datetime import date, datetime, time

import strawberry
from strawberry.schema.config import StrawberryConfig

from graphql_api.api.graphql import costs
from graphql_api.api.graphql.access import scopes
from graphql_api.api.graphql.access.operations import AccessTokenMutation, AccessTokenQuery
from graphql_api.api.graphql.accounts import AccountMutation, AccountQuery
from graphql_api.api.graphql.blocks.now import NowQuery
from graphql_api.api.graphql.blocks.operations import BlockMutation, BlockQuery
from graphql_api.api.graphql.blocks.work import WorkMutation
from graphql_api.api.graphql.calendars.operations import CalendarMutation, CalendarQuery
from graphql_api.api.graphql.changes import ChangeQuery, Subscription
from graphql_api.api.graphql.nodes.interface import trust_types
from graphql_api.api.graphql.nodes.operations import NodeQuery
from graphql_api.api.graphql.plans.operations import PlanMutation, PlanQuery
from graphql_api.api.graphql.projects.operations import ProjectMutation, ProjectQuery
from graphql_api.api.graphql.quick_add.operations import QuickAddMutation, QuickAddQuery
from graphql_api.api.graphql.recurrence.operations import RecurrenceMutation, RecurrenceQuery
from graphql_api.api.graphql.scalars import DATE, DATE_TIME, LOCAL_TIME
from graphql_api.api.graphql.settings import SettingsMutation
from graphql_api.api.graphql.tasks.operations import TaskMutation, TaskQuery
from graphql_api.api.graphql.views.operations import ViewMutation, ViewQuery
from graphql_api.api.graphql.webhooks.operations import WebhookMutation, WebhookQuery


@strawberry.type(description="The queries.")
class Query(
    AccessTokenQuery,
    AccountQuery,
    BlockQuery,
    CalendarQuery,
    ChangeQuery,
    NodeQuery,
    NowQuery,
    PlanQuery,
    ProjectQuery,
    QuickAddQuery,
    RecurrenceQuery,
    TaskQuery,
    ViewQuery,
    WebhookQuery,
):
    pass


@strawberry.type(description="The mutations.")
class Mutation(
    AccessTokenMutation,
    AccountMutation,
    BlockMutation,
    CalendarMutation,
    PlanMutation,
    ProjectMutation,
    QuickAddMutation,
    RecurrenceMutation,
    SettingsMutation,
    TaskMutation,
    ViewMutation,
    WebhookMutation,
    WorkMutation,
):
    pass


SCHEMA = strawberry.Schema(
    Query,
    Mutation,
    Subscription,
    config=StrawberryConfig(scalar_map={datetime: DATE_TIME, date: DATE, time: LOCAL_TIME}),
)

trust_types(SCHEMA)
COSTS = costs.collect(SCHEMA)
PERMISSIONS = scopes.permissions(SCHEMA)
