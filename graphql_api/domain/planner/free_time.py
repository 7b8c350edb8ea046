"""Free time, and how jobs take their share of it."""

from bisect import bisect_right
from heapq import heappop, heappush

from graphql_api.domain.planner.calendar import Minutes

Pieces = list[Minutes]
"""The pieces of a scheduled job, by time."""


def end_of(pieces: Pieces | None) -> int | None:
    """End of a scheduled job; None for one without pieces."""
    return pieces[-1][1] if pieces else None


class FreeTime:
    """Sorted, disjoint intervals of free minutes; shrinks as jobs take their share.

    Two plain lists of ints: a search copies, compares and cuts them some 100,000 times.
    """

    __slots__ = ("ends", "starts")

    def __init__(self, starts: list[int], ends: list[int]) -> None:
        self.starts = starts
        self.ends = ends

    @classmethod
    def of(cls, intervals: list[Minutes]) -> "FreeTime":
        """Build from sorted, disjoint intervals."""
        return cls([start for start, _ in intervals], [end for _, end in intervals])

    def equals(self, other: "FreeTime") -> bool:
        """Compare the intervals of both."""
        return self.starts == other.starts and self.ends == other.ends

    def copy(self) -> "FreeTime":
        """Copy, so that the original stays as it is."""
        return FreeTime(self.starts[:], self.ends[:])

    def allocate(self, duration: int, min_piece: int, start: int, deadline: int) -> Pieces | None:
        """Take `duration` minutes between start and deadline so that they end the earliest.

        In one piece, or in pieces of at least `min_piece` minutes if two of them fit into the
        duration. Returns None and takes nothing if there is not enough free time. A duration of
        zero takes nothing and ends at its start.
        """
        if not duration:
            return [(start, start)] if start <= deadline else None
        if duration >= 2 * min_piece:
            return self._allocate_split(duration, min_piece, start, deadline)
        return self._allocate_whole(duration, start, deadline)

    def reserve(self, pieces: Pieces) -> bool:
        """Take exactly these pieces; returns False and takes nothing if one is not free."""
        gaps = [bisect_right(self.starts, start) - 1 for start, _ in pieces]
        free = all(k >= 0 and end <= self.ends[k] for k, (_, end) in zip(gaps, pieces, strict=True))
        if free:
            self._cut_all(pieces)
        return free

    def capacity(self, duration: int, min_piece: int, start: int, deadline: int) -> int:
        """Free minutes that a job could use: those of its longest possible pieces."""
        sizes = sorted(
            min(end, deadline) - max(begin, start)
            for begin, end in zip(self.starts, self.ends, strict=True)
        )
        if duration < 2 * min_piece:
            return max([0, *sizes])
        return sum(size for size in sizes[-(duration // min_piece) :] if size >= min_piece)

    def _allocate_whole(self, duration: int, earliest: int, deadline: int) -> Pieces | None:
        starts, ends = self.starts, self.ends
        for k in range(bisect_right(ends, earliest), len(ends)):
            start = starts[k]
            if start < earliest:  # noqa: PLR1730 (max() is slower, in the innermost loop)
                start = earliest
            end = start + duration
            if end > deadline:
                return None
            if end <= ends[k]:
                self._cut(k, start, end)
                return [(start, end)]
        return None

    def _allocate_split(
        self, duration: int, min_piece: int, earliest: int, deadline: int
    ) -> Pieces | None:
        """Find the first gap in which the job can end, given the largest gaps before it.

        A job has at most `duration // min_piece` pieces, so only as many gaps can help.
        """
        if sum(self.ends) - sum(self.starts) < duration:
            return None
        largest: list[tuple[int, int]] = []  # a heap of (size, start)
        total = 0  # minutes of the largest gaps
        most = duration // min_piece - 1
        for k in range(bisect_right(self.ends, earliest), len(self.ends)):
            start = max(self.starts[k], earliest)
            size = min(self.ends[k], deadline) - start
            if start >= deadline:
                return None
            if size < min_piece:
                continue
            if size + total >= duration:
                pieces = _split(duration, min_piece, largest, start)
                self._cut_all(pieces)
                return pieces
            heappush(largest, (size, start))
            total += size
            if len(largest) > most:
                total -= heappop(largest)[0]
        return None

    def _cut_all(self, pieces: Pieces) -> None:
        for start, end in pieces:
            self._cut(bisect_right(self.starts, start) - 1, start, end)

    def _cut(self, k: int, start: int, end: int) -> None:
        """Remove a piece from the k-th interval."""
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


def _split(duration: int, min_piece: int, gaps: list[tuple[int, int]], last_start: int) -> Pieces:
    """Split a job over some gaps (size, start) and, with as little as possible, a last one.

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
