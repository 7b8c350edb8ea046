"""The free time that a plan has left, and how a task takes its share of it."""

from bisect import bisect_right
from heapq import heappop, heappush

from graphql_api.domain.planner.calendar import Minutes

Pieces = list[Minutes]
"""Where a task stands, by time."""


def end_of(pieces: Pieces | None) -> int | None:
    """When a task is done; None for one without a place."""
    return pieces[-1][1] if pieces else None


class Room:
    """Free time as two lists of minutes, sorted and disjoint; it shrinks as tasks take of it.

    Plain lists of ints, since a search places and compares them some hundred thousand times.
    """

    __slots__ = ("ends", "starts")

    def __init__(self, starts: list[int], ends: list[int]) -> None:
        self.starts = starts
        self.ends = ends

    @classmethod
    def of(cls, free: list[Minutes]) -> "Room":
        """The room in free time."""
        return cls([start for start, _ in free], [end for _, end in free])

    def same(self, other: "Room") -> bool:
        """Whether another room has the same free time."""
        return self.starts == other.starts and self.ends == other.ends

    def copy(self) -> "Room":
        """The same room, to be taken from apart."""
        return Room(self.starts[:], self.ends[:])

    def place(self, minutes: int, chunk: int, release: int, limit: int) -> Pieces | None:
        """Take the minutes so that they end as early as they can, between release and limit.

        In one piece, or in pieces of `chunk` minutes or more. None, and nothing taken, if there
        is no room. A task of no minutes takes nothing and is done at its release.
        """
        if not minutes:
            return [(release, release)] if release <= limit else None
        if minutes >= 2 * chunk:
            return self._in_pieces(minutes, chunk, release, limit)
        return self._whole(minutes, release, limit)

    def take(self, pieces: Pieces) -> bool:
        """Take just these pieces; False, and nothing taken, if one of them is not free."""
        places = [bisect_right(self.starts, start) - 1 for start, _ in pieces]
        free = all(
            k >= 0 and end <= self.ends[k] for k, (_, end) in zip(places, pieces, strict=True)
        )
        if free:
            for start, end in pieces:
                self._cut(bisect_right(self.starts, start) - 1, start, end)
        return free

    def usable(self, minutes: int, chunk: int, release: int, limit: int) -> int:
        """How many minutes of room there are in as many pieces as the task can have."""
        sizes = sorted(
            (min(end, limit) - max(start, release))
            for start, end in zip(self.starts, self.ends, strict=True)
        )
        if minutes < 2 * chunk:
            return max([0, *sizes])
        return sum(size for size in sizes[-(minutes // chunk) :] if size >= chunk)

    def _whole(self, minutes: int, release: int, limit: int) -> Pieces | None:
        starts, ends = self.starts, self.ends
        for k in range(bisect_right(ends, release), len(ends)):
            start = starts[k]
            if start < release:  # noqa: PLR1730 (max() is slower, in the innermost loop)
                start = release
            end = start + minutes
            if end > limit:
                return None
            if end <= ends[k]:
                self._cut(k, start, end)
                return [(start, end)]
        return None

    def _in_pieces(self, minutes: int, chunk: int, release: int, limit: int) -> Pieces | None:
        """The first gap in which the task can end, with the largest gaps before it.

        A task has `minutes // chunk` pieces at the most, so only that many gaps can help.
        """
        if sum(self.ends) - sum(self.starts) < minutes:
            return None
        largest: list[tuple[int, int]] = []  # a heap of (size, start)
        size_of_all = 0
        most = minutes // chunk - 1
        for k in range(bisect_right(self.ends, release), len(self.ends)):
            start = max(self.starts[k], release)
            size = min(self.ends[k], limit) - start
            if start >= limit:
                return None
            if size < chunk:
                continue
            if size + size_of_all >= minutes:
                pieces = _shared(minutes, chunk, largest, start)
                self._cut_all(pieces)
                return pieces
            heappush(largest, (size, start))
            size_of_all += size
            if len(largest) > most:
                size_of_all -= heappop(largest)[0]
        return None

    def _cut_all(self, pieces: Pieces) -> None:
        for start, end in pieces:
            self._cut(bisect_right(self.starts, start) - 1, start, end)

    def _cut(self, k: int, start: int, end: int) -> None:
        """Take a piece out of the k-th interval."""
        starts, ends = self.starts, self.ends
        if start == starts[k]:
            if end == ends[k]:
                del starts[k], ends[k]
            else:
                starts[k] = end
        elif end == ends[k]:
            ends[k] = start
        else:
            starts.insert(k + 1, end)
            ends.insert(k, start)


def _shared(minutes: int, chunk: int, gaps: list[tuple[int, int]], last_start: int) -> Pieces:
    """The pieces of a task in some gaps (size, start) and, as little as can be, in a last one.

    The fewest, largest gaps that leave only `chunk` minutes for the last one, or all of them.
    """
    needed, rest = [], minutes - chunk
    for size, start in sorted(gaps, key=lambda gap: (-gap[0], gap[1])):
        if rest <= 0:
            break
        needed.append((start, size))
        rest -= size
    last = chunk + max(rest, 0)
    pieces: Pieces = []
    left = minutes - last
    for after, (start, size) in zip(range(len(needed) - 1, -1, -1), sorted(needed), strict=True):
        taken = min(size, left - after * chunk)
        pieces.append((start, start + taken))
        left -= taken
    return [*pieces, (last_start, last_start + last)]
