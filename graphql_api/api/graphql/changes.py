"""The change feed, the history of a task, and undo."""

from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from datetime import datetime
from itertools import islice
from typing import TYPE_CHECKING, Annotated

import strawberry
from strawberry import UNSET

from graphql_api.api.graphql.access.scopes import Scope, needs
from graphql_api.api.graphql.context import Context, Info
from graphql_api.api.graphql.costs import LIST, LOADED, field_cost
from graphql_api.api.graphql.cursors import Cursors
from graphql_api.api.graphql.nodes.interface import Node
from graphql_api.api.graphql.strawberry_extras import camel_case, describe_enum, idempotency_key
from graphql_api.domain.accounts.tokens import Identity
from graphql_api.domain.changes import model
from graphql_api.domain.changes.feed import Feed
from graphql_api.domain.changes.model import ActorKind, ChangeKind, Position
from graphql_api.domain.paging import DEFAULT_PAGE_SIZE, MAX_PAGE_SIZE, Window
from graphql_api.domain.tasks.model import Task as TaskModel

if TYPE_CHECKING:
    from graphql_api.api.graphql.tasks.types import Task

_TASKS = "graphql_api.api.graphql.tasks.types"

describe_enum(
    ChangeKind,
    "A kind of change.",
    TASK_CREATED="A task was created, imported, or brought back by an undo.",
    TASK_UPDATED="Fields or blockers of a task were changed.",
    TASK_COMPLETED="The status of a task became `COMPLETED`.",
    TASK_DELETED="A task was deleted.",
    TASK_DUE="The due date of an open task is reached.",
    TASK_OVERDUE="An open task is past its due date.",
    REMINDER="A reminder of an open task is due.",
    SERIES_CREATED="A task recurs from now on.",
    SERIES_UPDATED=(
        "A series comes by another rule: `fields` are the parts that differ. Without any, an undo"
        " lets one go on that had ended."
    ),
    SERIES_ENDED="A series has ended: nothing comes after its current task.",
)
describe_enum(  # nosec B106 - a description
    ActorKind,
    "A kind of actor.",
    SESSION="A session of the user.",
    TOKEN="An access token of the user.",  # noqa: S106
    SYSTEM="The service itself, or its operator.",
)


@strawberry.type(description="The maker of a change.")
class Actor:
    kind: ActorKind = strawberry.field(description="The kind of actor.")
    name: str = strawberry.field(
        description="The device of a session, the name of an access token, or `system`."
    )


def _field_names(change: strawberry.Parent[model.Change]) -> list[str]:
    return list(map(camel_case, change.fields))


def _cursor(change: strawberry.Parent[model.Change], info: Info) -> str:
    return feed_cursor(info.context, Position.of(change, info.context.now))


def _task(change: strawberry.Parent[model.Change], info: Info) -> TaskModel | None:
    return info.context.tasks_by_key.get((change.user_id, change.task_id))


@strawberry.type(description="One write of one task, or something of a task that is due.")
class Change(Node):
    change_id: strawberry.ID = strawberry.field(
        name="id", description="The change's id; ids sort by time."
    )
    at: datetime = strawberry.field(description="When it happened.")
    kind: ChangeKind = strawberry.field(description="What happened.")
    task_id: strawberry.ID | None = strawberry.field(description="The id of the task.")
    version: int = strawberry.field(
        description="The task's version after the change; of a deletion its last one."
    )
    fields: list[str] = strawberry.field(
        resolver=_field_names,
        description="The fields that were given or changed, without those that are derived.",
    )
    series_id: strawberry.ID | None = strawberry.field(
        description="The id of the series, of a change of one; `task` is its current one then."
    )
    actor: Actor = strawberry.field(description="Who made it.")
    undoes: strawberry.ID | None = strawberry.field(
        description="The id of the change that this one takes back."
    )
    late_seconds: int | None = strawberry.field(
        description=(
            "By how many seconds a `TASK_DUE`, `TASK_OVERDUE` or `REMINDER` came too late, 0 if in"
            " time; null for other kinds."
        )
    )
    cursor: str = strawberry.field(
        resolver=_cursor,
        description="The place after this change in the feed: pass it as `after` of `changes`.",
    )
    task: TaskModel | None = strawberry.field(
        resolver=_task,
        graphql_type=Annotated["Task", strawberry.lazy("graphql_api.api.graphql.tasks.types")]
        | None,
        description="The task as it is now; null if it is gone.",
    )


@strawberry.type(description="A page of changes, in the order of time; of a history, newest first.")
class ChangeConnection:
    nodes: list[Change] = strawberry.field(description="The changes.", metadata=field_cost(LOADED))
    end_cursor: str = strawberry.field(description="Pass it as `after` to go on.")
    has_more: bool = strawberry.field(
        description="Whether there are more now. Without any, ask again later."
    )


class ChangeListing:
    """A page of changes as `ChangeConnection` reads it."""

    def __init__(self, nodes: Sequence[model.Change], end_cursor: str, *, has_more: bool) -> None:
        self.nodes, self.end_cursor, self.has_more = nodes, end_cursor, has_more


def feed_cursor(context: Context, position: Position) -> str:
    """The cursor of a position in the viewer's feed."""
    return sealed_position(context.cursors, context.viewer_id, position)


def sealed_position(cursors: Cursors, user_id: str, position: Position) -> str:
    """The cursor of a position in a user's feed."""
    return cursors.seal(str(position), _feed_scope(user_id))


def _feed_scope(user_id: str) -> str:
    return f"changes of {user_id}"


def _listed(context: Context, changes: Sequence[model.Change]) -> Sequence[model.Change]:
    """The changes, once they are counted and their tasks are announced to the loader."""
    context.spend_rows(len(changes))
    context.tasks_by_key.prefetch((change.user_id, change.task_id) for change in changes)
    return changes


_First = Annotated[int, strawberry.argument(description=f"How many changes: 1 to {MAX_PAGE_SIZE}.")]


_ViewId = Annotated[
    strawberry.ID | None,
    strawberry.argument(
        description=(
            "The id of a saved view: only changes of tasks that match, or have matched before the"
            " change. It is NOT_FOUND if that names a project that is gone."
        )
    ),
]


def feed_by(context: Context, view_id: str | None) -> Feed:
    """The viewer's feed, or the part of it that a view is about. Raises NotFound."""
    if not view_id:
        return context.feed
    return context.views.feed(context.viewer_id, view_id, context.feed, context.now)


@strawberry.type
class ChangeQuery:
    @strawberry.field(
        graphql_type=ChangeConnection,
        description=(
            "The changes of the viewer's tasks after a cursor; without one, from the oldest that"
            " is kept. None is left out, but those of the last seconds may come again: apply them"
            " by `version`, and know them by `id`."
        ),
        metadata=field_cost(LIST) | needs(Scope.TASKS_READ, confined=True),
    )
    def changes(
        self,
        info: Info,
        after: Annotated[
            str | None,
            strawberry.argument(
                description="An `endCursor`, a change's `cursor`, or a list's `changesCursor`."
            ),
        ] = UNSET,
        first: _First = MAX_PAGE_SIZE,
        view_id: _ViewId = UNSET,
    ) -> ChangeListing:
        context, now = info.context, info.context.now
        size = Window.of(first=first).size
        feed, viewer_id = feed_by(context, view_id), context.viewer_id
        position = _position(context, after) if after else feed.start(now)
        page = feed.page(viewer_id, position, size, now)
        end = feed_cursor(context, page.end)
        return ChangeListing(_listed(context, page.changes), end, has_more=page.more)


class LiveChanges(AsyncIterator[model.Change]):
    """A subscription's source: whose changes, of which view, and from where.

    The live feed does the rest.
    """

    def __init__(self, identity: Identity, after: Position | None, view_id: str | None) -> None:
        self.identity, self.after, self.view_id = identity, after, view_id

    async def __anext__(self) -> model.Change:
        """End at once: a server that iterates is not one that can stream."""
        raise StopAsyncIteration


@strawberry.type(description="What can be followed, by server-sent events.")
class Subscription:
    @strawberry.subscription(
        graphql_type=Change,
        description=(
            "The changes of the viewer's tasks as they happen, after a cursor or from now on."
            " Some may come again after a reconnection: apply them by `version`."
        ),
        metadata=needs(Scope.TASKS_READ, confined=True),
    )
    def changes(
        self,
        info: Info,
        after: Annotated[
            str | None,
            strawberry.argument(
                description="Any cursor of the feed: what came after it is sent first."
            ),
        ] = UNSET,
        view_id: _ViewId = UNSET,
    ) -> AsyncGenerator[model.Change, None]:
        context = info.context
        position = _position(context, after) if after else None
        feed_by(context, view_id)  # if there is none, that is told now
        return LiveChanges(context.identity, position, view_id or None)  # type: ignore[return-value]  # only iterated


def _position(context: Context, cursor: str) -> Position:
    """The position of a cursor in the viewer's feed. Raises BadUserInput, CursorExpired."""
    text = context.cursors.open(cursor, _feed_scope(context.viewer_id), "after")
    return context.feed.position(text, context.now)


def list_history(
    task: strawberry.Parent[TaskModel],
    info: Info,
    first: _First = DEFAULT_PAGE_SIZE,
    after: Annotated[
        str | None, strawberry.argument(description="The `endCursor` of the page before.")
    ] = UNSET,
) -> ChangeListing:
    """A page of a task's changes, newest first."""
    context, size = info.context, Window.of(first=first).size
    scope = f"history of {task.user_id} {task.task_id}"
    newest = context.cursors.open(after, scope, "after") if after else task.change_id
    found = list(islice(context.feed.history(task.user_id, newest), size))
    oldest = found[-1].previous if found else None
    end = context.cursors.seal(oldest or "", scope)
    return ChangeListing(_listed(context, found), end, has_more=oldest is not None)


@strawberry.input(description="The change to take back.")
class UndoChangeInput:
    change_id: strawberry.ID = strawberry.field(description="The change's id.")
    expected_version: int | None = strawberry.field(
        default=UNSET,
        description=(
            "The version that the task must have, or had when it was deleted; it is a CONFLICT if"
            " it is another one."
        ),
    )
    idempotency_key: str | None = idempotency_key()
