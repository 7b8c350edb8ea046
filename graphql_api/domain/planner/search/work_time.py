"""Free time without its gaps: minutes of work as an axis."""

from bisect import bisect_right

from graphql_api.domain.planner.calendar import Minutes, merge
from graphql_api.domain.planner.free_time import FreeTime


class WorkTime:
    """Minutes of free time, in whatever schedule, as an axis: how many there are before one."""

    def __init__(self, free: FreeTime) -> None:
        intervals = _intervals(free)
        self._starts = [start for start, _ in intervals]
        self._before = [0]  # minutes before each interval, and in all
        for start, end in intervals:
            self._before.append(self._before[-1] + end - start)

    def before(self, minute: int) -> int:
        """Minutes of free time before a minute."""
        k = bisect_right(self._starts, minute) - 1
        if k < 0:
            return 0
        return min(self._before[k] + minute - self._starts[k], self._before[k + 1])


def _intervals(free: FreeTime) -> list[Minutes]:
    times = (free, *free.schedules)
    intervals = [pair for time in times for pair in zip(time.starts, time.ends, strict=True)]
    return merge(intervals) if free.schedules else intervals
