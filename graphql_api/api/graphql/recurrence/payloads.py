"""The payloads of recurrence."""

import strawberry

from graphql_api.api.graphql.recurrence.types import Series
from graphql_api.api.graphql.tasks.types import Task
from graphql_api.domain.series.model import Series as SeriesModel
from graphql_api.domain.tasks.model import Task as TaskModel


@strawberry.type(description="The closed task, and the occurrence that is current now.")
class CompleteTaskPayload:
    task: strawberry.Private[TaskModel]
    next: strawberry.Private[TaskModel | None]

    @strawberry.field(name="task", graphql_type=Task, description="The task after the write.")
    def task_field(self) -> TaskModel:
        return self.task

    @strawberry.field(
        name="next",
        graphql_type=Task | None,
        description="The next occurrence; null if nothing comes any more.",
    )
    def next_field(self) -> TaskModel | None:
        return self.next


@strawberry.type(description="The series after a write.")
class SeriesPayload:
    series: strawberry.Private[SeriesModel]

    @strawberry.field(name="series", graphql_type=Series, description="The series after the write.")
    def series_field(self) -> SeriesModel:
        return self.series
