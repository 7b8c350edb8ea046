"""Count the planner's work, so that its limit is the same on every machine."""

from collections.abc import Callable

# A step is about 0.1 µs of CPU: a visit to an interval of free time, say. Ordinary weeks take 1 to
# 6 million steps; the limit leaves time to explain the plan within 1.5 s of an idle core.
MAX_STEPS = 7_000_000
STEPS_PER_REPORT = 100_000


class Steps:
    """Counts work done, up to a limit, and reports progress every STEPS_PER_REPORT steps.

    Work that must be done is counted even beyond the limit; optional work stops there.
    """

    __slots__ = ("_next_report", "_on_progress", "limit", "used")

    def __init__(
        self, on_progress: Callable[[], None] | None = None, limit: int = MAX_STEPS
    ) -> None:
        self.limit = limit
        self.used = 0
        self._on_progress = on_progress
        self._next_report = STEPS_PER_REPORT

    @property
    def left(self) -> int:
        """Steps until the limit; negative beyond it."""
        return self.limit - self.used

    def count(self, steps: int) -> None:
        """Count work that was or is about to be done."""
        self.used += steps
        if self.used >= self._next_report:
            self._next_report = self.used + STEPS_PER_REPORT
            if self._on_progress:
                self._on_progress()
