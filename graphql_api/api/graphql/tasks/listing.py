"""Task lists: the resolver of `Query.tasks` and `User.tasks`."""

from collections.abc import Callable
from functools import partial
from typing import Annotated, Any, TypeAlias

import strawberry
from strawberry import UNSET

from graphql_api.api.graphql.changes import feed_cursor
from graphql_api.api.graphql.connection import Listing
from graphql_api.api.graphql.context import Context, Info
from graphql_api.api.graphql.cursors import Cursors
from graphql_api.api.graphql.strawberry_extras import provided
from graphql_api.api.graphql.tasks import inputs
from graphql_api.domain.changes.model import Position
from graphql_api.domain.paging import DEFAULT_PAGE_SIZE, MAX_PAGE_SIZE, Page, Window
from graphql_api.domain.projects.model import Project
from graphql_api.domain.tasks.filters import (
    INDEXED,
    OrderDirection,
    TaskFilter,
    TaskOrder,
    TaskOrderField,
    Viewpoint,
)
from graphql_api.domain.tasks.model import Task

Count: TypeAlias = Callable[[], int]


class TaskListing(Listing[Task]):
    """A page of tasks as `TaskConnection` reads it."""

    def __init__(
        self,
        page: Page[Task],
        cursors: Cursors,
        scope: str,
        count: Count,
        changes_cursor: Callable[[], str],
    ) -> None:
        super().__init__(page, cursors, scope, count)
        self._changes_cursor = changes_cursor

    @property
    def changes_cursor(self) -> str:
        """The place in the change feed to go on from."""
        return self._changes_cursor()


def list_tasks(
    root: strawberry.Parent[Any],
    info: Info,
    first: Annotated[
        int | None,
        strawberry.argument(
            description=f"The number of tasks, from the start: 1 to {MAX_PAGE_SIZE}."
        ),
    ] = DEFAULT_PAGE_SIZE,
    after: Annotated[
        str | None, strawberry.argument(description="The `endCursor` of the previous page.")
    ] = UNSET,
    last: Annotated[
        int | None,
        strawberry.argument(
            description=(
                f"The number of tasks, from the end: 1 to {MAX_PAGE_SIZE}. Overrides `first`."
            )
        ),
    ] = UNSET,
    before: Annotated[
        str | None, strawberry.argument(description="The `startCursor` of the next page.")
    ] = UNSET,
    filter: Annotated[
        inputs.TaskFilter | None,
        strawberry.argument(description="The conditions; default: all tasks."),
    ] = UNSET,
    order_by: Annotated[
        inputs.TaskOrder | None,
        strawberry.argument(description="The order; default: newest first."),
    ] = UNSET,
    view_id: Annotated[
        strawberry.ID | None,
        strawberry.argument(
            description=(
                "The id of a saved view, whose conditions have to hold, too, and whose order is the"
                " default. It is NOT_FOUND if that names a project that is gone."
            )
        ),
    ] = UNSET,
) -> TaskListing:
    """A page of the parent user's or project's tasks, or of the viewer's at the root."""
    context = info.context
    user_id = context.viewer_id if root is None else root.user_id
    conditions = filter.conditions() if filter else TaskFilter()
    order = TaskOrder(**vars(order_by)) if order_by else TaskOrder()
    if view_id:
        view = context.views.usable(user_id, view_id)
        conditions = view.narrowed(conditions)
        order = order if order_by else view.order_by
    if isinstance(root, Project):
        conditions = conditions.within(root.project_id)
    paging = provided({"first": first, "after": after, "last": last, "before": before})
    window = Window.of(**paging, max_size=context.max_page_size)
    listing = read_list(context, user_id, window, conditions, order)
    context.users.prefetch(task.user_id for task in listing.nodes)
    return listing


def read_list(
    context: Context, user_id: str, window: Window, filter: TaskFilter, order: TaskOrder
) -> TaskListing:
    """A page of the user's tasks, with cursors that hold for this user, filter and order only."""
    scope = _scope(user_id, filter, order)
    now = context.now  # before anything is read: a later change may be missing from the list
    changes_cursor = partial(feed_cursor, context, Position.end(now))
    position = context.cursors.open_window(window, scope)
    if order.field is TaskOrderField.URGENCY:
        page, count = _ranked_page(context, user_id, window, filter, order.direction, position)
    elif order.field not in INDEXED:
        page, count = _sorted_page(context, user_id, window, filter, order, position)
    else:
        page, count = _stored_page(context, user_id, window, filter, order, position)
    context.spend_rows(len(page.items))
    # The due-date index is eventually consistent: tasks found by it are read again by their key.
    context.track(page.items, prime=order.field is not TaskOrderField.DUE_AT)
    return TaskListing(page, context.cursors, scope, count, changes_cursor)


def _scope(user_id: str, filter: TaskFilter, order: TaskOrder) -> str:
    """The list that a cursor is signed for; of filters of release 0.1.0 as it was then."""
    first, *later = filter.signature
    return f"({user_id!r}, {first}, {order!r}{''.join(f', {each!r}' for each in later)})"


def _stored_page(
    context: Context,
    user_id: str,
    window: Window,
    filter: TaskFilter,
    order: TaskOrder,
    position: str | None,
) -> tuple[Page[Task], Count]:
    """A page in the order of an index, and a function that counts the whole list."""
    lists, at = context.task_lists, context.viewpoint(user_id, filter)
    page = lists.page(user_id, order, filter, window, position, context.read_budget, at)
    return page, partial(_total, page, context, user_id, filter, at)


def _sorted_page(
    context: Context,
    user_id: str,
    window: Window,
    filter: TaskFilter,
    order: TaskOrder,
    position: str | None,
) -> tuple[Page[Task], Count]:
    """A page in an order that no index has, and a function that counts the whole list."""
    lists, at = context.task_lists, context.viewpoint(user_id, filter)
    page = context.rankings.run_in_thread(
        lambda: lists.sorted(user_id, order, filter, window, position, context.read_budget, at)
    )
    return page, partial(_total, page, context, user_id, filter, at)


def _total(
    page: Page[Task], context: Context, user_id: str, filter: TaskFilter, at: Viewpoint
) -> int:
    """The length of a list, if its page has told it, or else as it is counted."""
    if page.total is not None:
        return page.total
    return context.task_lists.count(user_id, filter, context.count_budget, at)


def _ranked_page(
    context: Context,
    user_id: str,
    window: Window,
    filter: TaskFilter,
    direction: OrderDirection,
    position: str | None,
) -> tuple[Page[Task], Count]:
    """A page by urgency, and a function that counts the whole list."""
    at = context.viewpoint(user_id, filter)
    page, total = context.rankings.run_in_thread(
        lambda: context.ranking.page(user_id, filter, direction, window, position, at)
    )
    if page.complete:
        return page, lambda: total
    lists = context.task_lists
    return page, partial(lists.count, user_id, filter.of_open(), context.count_budget, at)
