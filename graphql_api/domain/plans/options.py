"""The options of a plan."""

from dataclasses import dataclass
from datetime import datetime

from graphql_api.domain.planner.model import Interval
from graphql_api.errors import FIELD, BadUserInput

MAX_BUSY = 500  # intervals in a request
DEFAULT_HORIZON = 14  # days


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """The options of a plan; `task_ids` are the tasks to plan, None for all open tasks.

    `freeze_until`, `max_moves`, `partial` and `fresh` are those of `PlanRequest`.
    """

    from_: datetime
    horizon_days: int = DEFAULT_HORIZON
    busy: tuple[Interval, ...] = ()
    keep_current: bool = False
    task_ids: tuple[str, ...] | None = None
    freeze_until: datetime | None = None
    max_moves: int | None = None
    partial: bool = False
    fresh: bool = False

    def __post_init__(self) -> None:
        if len(self.busy) > MAX_BUSY:
            raise BadUserInput(f"{FIELD} must have at most {MAX_BUSY} items.", "busy")
