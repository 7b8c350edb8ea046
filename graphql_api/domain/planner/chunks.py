"""Cut jobs that have a longest piece, with pauses between the pieces."""

from bisect import bisect_right
from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

from graphql_api.domain.planner.calendar import Minutes


class Chunks(NamedTuple):
    """The cut of a job: pieces of at most `longest` minutes, `pause` or more minutes apart.

    No piece is within the `apart` spans: merged ones, around the fixed pieces of the job.
    """

    longest: int
    pause: int
    apart: Sequence[Minutes] = ()

    def work(self, minutes: int) -> int:
        """Minutes of work that fit into so many free ones, pauses left out."""
        if minutes <= self.longest:
            return minutes
        whole, rest = divmod(minutes + self.pause, self.longest + self.pause)
        return whole * self.longest + max(0, rest - self.pause)

    def end(self, start: int, minutes: int) -> int:
        """The end of so many minutes of work from a time on, with the pauses in them."""
        if minutes <= self.longest:
            return start + minutes
        return start + minutes + (-(-minutes // self.longest) - 1) * self.pause

    def cut(self, start: int, minutes: int, shortest: int) -> list[Minutes]:
        """Cut work into the fewest pieces from a time on: as long as can be, then what is left.

        A longest piece is at least twice a shortest one, so that there is always a way.
        """
        pieces: list[Minutes] = []
        for later in range(-(-minutes // self.longest) - 1, -1, -1):
            length = min(self.longest, minutes - later * shortest)
            pieces.append((start, start + length))
            start += length + self.pause
            minutes -= length
        return pieces

    def clip(self, start: int, end: int) -> Minutes:
        """Clip an interval of free time, so that it keeps apart from what is fixed."""
        k = bisect_right(self.apart, (start, end))
        if k and self.apart[k - 1][1] > start:
            start = self.apart[k - 1][1]
        if k < len(self.apart) and self.apart[k][0] < end:
            end = self.apart[k][0]
        return start, end

    def suit(self, pieces: Sequence[Minutes]) -> bool:
        """Return whether pieces, by time, are short enough, and far enough apart."""
        return (
            all(end - start <= self.longest for start, end in pieces)
            and all(later - end >= self.pause for (_, end), (later, _) in pairwise(pieces))
            and all(self.clip(start, end) == (start, end) for start, end in pieces)
        )
