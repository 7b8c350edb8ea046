"""Free time, and how jobs take their share of it."""

import sys
from bisect import bisect_right
from collections.abc import Sequence
from heapq import heapify, heapreplace

from graphql_api.domain.planner.calendar import Minutes
from graphql_api.domain.planner.chunks import Chunks
from graphql_api.domain.planner.steps import Steps

STEPS_PER_CUT = 10  # of a piece from the free time of a schedule
STEPS_PER_CHUNK = 5
STEPS_PER_STRETCH = 4  # of free time, to see how much work with pauses fits into it
MANY_INTERVALS = 500  # in which more pauses would make each search for free time take too long

Pieces = list[Minutes]
"""The pieces of a scheduled job, by time."""

_Gap = tuple[int, int]
"""Size and start of an interval of free time."""


class FreeTime:
    """Sorted, disjoint intervals of free minutes; shrinks as jobs take their share.

    Two plain lists of ints: a search copies, compares and cuts them some 100,000 times. Visited
    intervals are counted as steps. `schedules` are the free time of named hours: what a job takes
    is taken from all of them. Intervals of fewer than `smallest` minutes, of no use to any job, are
    forgotten as they come about.
    """

    __slots__ = ("_apart", "_smallest", "_steps", "ends", "minutes", "schedules", "starts")

    def __init__(
        self,
        starts: list[int],
        ends: list[int],
        minutes: int,
        steps: Steps,
        apart: int = 0,
        schedules: "Sequence[FreeTime]" = (),
        smallest: int = 1,
    ) -> None:
        self.starts = starts
        self.ends = ends
        self.minutes = minutes  # of all intervals
        self.schedules = schedules
        self._steps = steps
        self._apart = apart  # minutes between any two jobs
        self._smallest = smallest

    @classmethod
    def of(
        cls,
        intervals: list[Minutes],
        steps: Steps,
        apart: int = 0,
        schedules: "Sequence[FreeTime]" = (),
    ) -> "FreeTime":
        """Build from sorted, disjoint intervals."""
        starts, ends = [start for start, _ in intervals], [end for _, end in intervals]
        return cls(starts, ends, sum(ends) - sum(starts), steps, apart, schedules)

    def within(self, schedule: int) -> "FreeTime":
        """The free time of a schedule by its number from 1 on, or of the working hours: 0."""
        return self.schedules[schedule - 1] if schedule else self

    def equals(self, other: "FreeTime") -> bool:
        """Compare the intervals of both."""
        return (
            self.starts == other.starts
            and self.ends == other.ends
            and (not self.schedules or all(map(FreeTime.equals, self.schedules, other.schedules)))
        )

    def copy(self) -> "FreeTime":
        """Copy, so that the original stays as it is."""
        self._steps.count(len(self.starts) // 10)
        schedules = [each.copy() for each in self.schedules] if self.schedules else ()
        return FreeTime(
            self.starts[:],
            self.ends[:],
            self.minutes,
            self._steps,
            self._apart,
            schedules,
            self._smallest,
        )

    def without(self, smallest: int) -> "FreeTime":
        """Copy, without intervals of fewer than so many minutes."""
        pairs = zip(self.starts, self.ends, strict=True)
        spans = [(start, end) for start, end in pairs if end - start >= smallest]
        schedules = [each.without(smallest) for each in self.schedules]
        starts, ends = [start for start, _ in spans], [end for _, end in spans]
        minutes = sum(ends) - sum(starts)
        return FreeTime(starts, ends, minutes, self._steps, self._apart, schedules, smallest)

    def allocate(
        self,
        duration: int,
        min_piece: int,
        start: int,
        deadline: int,
        schedule: int = 0,
        chunks: Chunks | None = None,
    ) -> Pieces | None:
        """Take `duration` minutes between start and deadline so that they end the earliest.

        In one piece, or in pieces of at least `min_piece` minutes if two of them fit into the
        duration, and as `chunks` say for a job with a longest piece. Returns None and takes nothing
        if there is not enough free time. A duration of zero takes nothing and ends at its start.
        """
        pieces = self.within(schedule).find(duration, min_piece, start, deadline, chunks)
        if pieces and duration:
            self._take(self._spans(pieces, schedule) if chunks else pieces)
        return pieces

    def find(
        self,
        duration: int,
        min_piece: int,
        start: int,
        deadline: int,
        chunks: Chunks | None = None,
    ) -> Pieces | None:
        """Find the pieces that `allocate` would take."""
        if chunks and duration:
            return self._find_chunks(duration, min_piece, start, deadline, chunks)
        if 0 < duration < 2 * min_piece:
            return self._find_whole(duration, start, deadline)
        if duration:
            return self._find_split(duration, min_piece, start, deadline)
        return [(start, start)] if start <= deadline else None

    def reserve(self, pieces: Pieces, schedule: int = 0, chunks: Chunks | None = None) -> bool:
        """Take exactly these pieces; returns False and takes nothing if one is not free."""
        if free := self.within(schedule).has(pieces):
            self._take(self._spans(pieces, schedule) if chunks else pieces)
        return free

    def has(self, pieces: Pieces) -> bool:
        """Return whether these pieces are free."""
        gaps = [bisect_right(self.starts, start) - 1 for start, _ in pieces]
        return all(k >= 0 and end <= self.ends[k] for k, (_, end) in zip(gaps, pieces, strict=True))

    def overlaps(self, start: int, end: int) -> bool:
        """Return whether a part of a span is free."""
        k = bisect_right(self.ends, start)
        return k < len(self.starts) and self.starts[k] < end

    def room(self, start: int) -> int:
        """Free minutes from a time until the next one that is not free."""
        k = bisect_right(self.starts, start) - 1
        return max(0, self.ends[k] - start) if k >= 0 else 0

    def capacity(
        self,
        duration: int,
        min_piece: int,
        start: int,
        deadline: int,
        chunks: Chunks | None = None,
    ) -> int:
        """Free minutes that a job could use: those of its longest possible pieces."""
        if chunks:
            looked_for, shortest = duration, min_piece
            if duration < 2 * min_piece:  # in one piece: all have to be seen
                looked_for, shortest, chunks = sys.maxsize, 1, chunks._replace(pause=0)
            usable, alone = self._stretches(looked_for, shortest, start, deadline, chunks)
            if alone is not None:
                return duration
            return usable.capacity(duration, min_piece, start, deadline)
        first, last = bisect_right(self.ends, start), bisect_right(self.starts, deadline)
        self._steps.count(last - first)
        sizes = sorted(
            min(end, deadline) - max(begin, start)
            for begin, end in zip(self.starts[first:last], self.ends[first:last], strict=True)
        )
        if duration < 2 * min_piece:
            return max([0, *sizes])
        return sum(size for size in sizes[-(duration // min_piece) :] if size >= min_piece)

    def _find_whole(self, duration: int, earliest: int, deadline: int) -> Pieces | None:
        starts, ends = self.starts, self.ends
        k = first = bisect_right(ends, earliest)
        found = None
        for k in range(first, len(ends)):
            start = starts[k]
            if start < earliest:  # noqa: PLR1730 (max() is slower, in the innermost loop)
                start = earliest
            end = start + duration
            if end > deadline:
                break
            if end <= ends[k]:
                found = [(start, end)]
                break
        if k > first:
            self._steps.count(k - first)
        return found

    def _find_split(
        self, duration: int, min_piece: int, earliest: int, deadline: int
    ) -> Pieces | None:
        """Find the first gap in which the job can end, given the largest gaps before it.

        A job has at most `duration // min_piece` pieces, so only as many gaps can help.
        """
        if self.minutes < duration:
            return None
        k = first = bisect_right(self.ends, earliest)
        largest: list[_Gap] = []  # a heap, once there are as many as can help
        total = 0  # minutes of the largest gaps
        most = duration // min_piece - 1
        pieces = None
        for k in range(first, len(self.ends)):
            start, end = self.starts[k], self.ends[k]
            if start < earliest:
                start = earliest
            elif start >= deadline:
                break
            size = (end if end < deadline else deadline) - start  # noqa: FURB136 (min() is slower)
            if size < min_piece:
                continue
            if size + total >= duration:
                whole = size >= duration and not largest
                pieces = (
                    [(start, start + duration)]
                    if whole
                    else _split(duration, min_piece, largest, start)
                )
                break
            if len(largest) < most:
                largest.append((size, start))
                total += size
                if len(largest) == most:
                    heapify(largest)
            elif size > largest[0][0]:
                total += size - heapreplace(largest, (size, start))[0]
        self._steps.count(10 + 2 * (k - first) + 10 * len(pieces or ()))
        return pieces

    def _find_chunks(
        self, duration: int, min_piece: int, earliest: int, deadline: int, chunks: Chunks
    ) -> Pieces | None:
        """Find the pieces of a job with a longest one.

        Without that it ends no later. So where there is no place then, there is none now, and one
        that suits is the best: most searches end there, in a third of the time.
        """
        if chunks.work(deadline - earliest) < duration:
            return None
        loose = self.find(duration, min_piece, earliest, deadline)
        if loose is None or chunks.suit(loose):
            return loose
        usable, alone = self._stretches(duration, min_piece, earliest, deadline, chunks)
        parts = None
        if duration >= 2 * min_piece:
            parts = usable.find(duration, min_piece, earliest, deadline)
        if alone is not None and not (parts and _ends_sooner(parts, alone, duration, chunks)):
            parts = [(alone, alone + duration)]
        pieces = [
            piece
            for start, end in parts or ()
            for piece in chunks.cut(start, end - start, min_piece)
        ]
        self._steps.count(STEPS_PER_CHUNK * len(pieces))
        return pieces or None

    def _stretches(
        self, duration: int, min_piece: int, earliest: int, deadline: int, chunks: Chunks
    ) -> "tuple[FreeTime, int | None]":
        """The work that fits between pauses, as free time, and the first start of all in one place.

        Each interval becomes as long as that work. One that is nearer than a pause to the one
        before begins later for it; the one before is left out where that would cost twice its
        worth. Looks no further than the job needs.
        """
        starts: list[int] = []
        ends: list[int] = []
        resumes: list[int] = []  # when the pauses after these intervals are over
        resume, last, total, looked, alone = earliest, 0, 0, 0, None
        k = first = bisect_right(self.ends, earliest)
        for k in range(first, len(self.ends)):
            start, end = max(self.starts[k], earliest), min(self.ends[k], deadline)
            if start >= deadline:
                break
            if chunks.apart:
                start, end = chunks.clip(start, end)
            if end - start < min_piece or (end - resume < min_piece and end - start <= 2 * last):
                continue
            looked += 1
            whole = chunks.work(end - start)
            while start < resume and 2 * last <= whole - max(0, chunks.work(end - resume)):
                looked += 1
                total -= ends.pop() - starts.pop()
                resumes.pop()
                resume = resumes[-1] if resumes else earliest
                last = ends[-1] - starts[-1] if ends else 0
            begin = max(start, resume)
            work = chunks.work(end - begin)
            if work >= min_piece:
                starts.append(begin)
                ends.append(begin + work)
                resume = chunks.end(begin, work) + chunks.pause
                resumes.append(resume)
                last = work
                total += work
            if whole >= duration:
                alone = start
                break
            if duration <= total and len(starts) <= duration // min_piece:
                break
        self._steps.count(10 + 2 * (k - first) + STEPS_PER_STRETCH * looked)
        return FreeTime(starts, ends, total, self._steps), alone

    def _spans(self, pieces: Pieces, schedule: int) -> Pieces:
        """Spans to take for pieces: with the pauses between them if there are many intervals."""
        starts = self.within(schedule).starts
        if len(starts) < MANY_INTERVALS:
            return pieces
        spans: dict[int, Minutes] = {}
        for start, end in pieces:
            k = bisect_right(starts, start)
            spans[k] = spans.get(k, (start, end))[0], end
        return list(spans.values())

    def remove(self, pieces: Pieces) -> None:
        """Take what is free of these pieces, and so near to them that blocks must be apart."""
        apart = self._apart
        self._remove([(start - apart, end + apart) for start, end in pieces])
        for schedule in self.schedules:
            schedule.remove(pieces)

    def _remove(self, spans: Pieces) -> None:
        for start, end in spans:
            for k in range(bisect_right(self.starts, end) - 1, -1, -1):
                if self.ends[k] <= start:
                    break
                low, high = max(start, self.starts[k]), min(end, self.ends[k])
                if low < high:
                    self._cut(k, low, high)

    def _take(self, pieces: Pieces) -> None:
        """Take pieces that are free in the working hours or in a schedule."""
        if self._apart or self.schedules:
            self._steps.count(STEPS_PER_CUT * len(self.schedules) * len(pieces))
            self.remove(pieces)
            return
        for start, end in pieces:
            self._cut(bisect_right(self.starts, start) - 1, start, end)

    def _cut(self, k: int, start: int, end: int) -> None:
        """Remove a piece from the k-th interval."""
        starts, ends, smallest = self.starts, self.ends, self._smallest
        before, after = start - starts[k], ends[k] - end
        self.minutes -= end - start
        if before < smallest:
            self.minutes -= before
            if after < smallest:
                self.minutes -= after
                del starts[k], ends[k]
            else:
                starts[k] = end
        elif after < smallest:
            self.minutes -= after
            ends[k] = start
        else:
            starts.insert(k + 1, end)
            ends.insert(k, start)


def _ends_sooner(parts: Pieces, alone: int, duration: int, chunks: Chunks) -> bool:
    """Return whether a job ends sooner in some parts than in one place from a time on."""
    start, end = parts[-1]
    return chunks.end(start, end - start) < chunks.end(alone, duration)


def _split(duration: int, min_piece: int, gaps: list[_Gap], last_start: int) -> Pieces:
    """Split a job over some gaps and, with as little as possible, a last one.

    Uses the fewest, largest gaps that leave only `min_piece` minutes for the last one, or all.
    """
    used, rest = [], duration - min_piece
    for size, start in sorted(gaps, key=lambda gap: (-gap[0], gap[1])):
        if rest <= 0:
            break
        used.append((start, size))
        rest -= size
    last = min_piece + max(rest, 0)
    pieces: Pieces = []
    left = duration - last
    for later, (start, size) in zip(range(len(used) - 1, -1, -1), sorted(used), strict=True):
        length = min(size, left - later * min_piece)
        pieces.append((start, start + length))
        left -= length
    return [*pieces, (last_start, last_start + last)]
