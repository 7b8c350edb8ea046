"""Numbers that a process counts where another one can see them at any moment.

They are cells of shared memory, in a file that outlives its process. With prometheus-client's
own values — a lock, a look at the process id and two numbers packed for each of ten — a create
took 40 µs of CPU more; so it takes 8.
"""

import json
import mmap
from array import array
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from threading import Lock
from typing import TypeAlias

Key: TypeAlias = tuple[str, ...]  # the name of a metric, and the values of its labels

CELLS = 32_768  # numbers of 8 bytes: many times what all labels can need
_SPARE = 64  # of them, at the end, for what finds no room any more: nobody reads it
_SIZE = CELLS * 8


class Counts:
    """What one process has counted; its threads may count at once."""

    def __init__(self, directory: Path, process: int) -> None:
        """In a directory where `read` finds them."""
        with (directory / f"{process}.cells").open("w+b") as file:
            file.truncate(_SIZE)
            self._cells = memoryview(mmap.mmap(file.fileno(), _SIZE)).cast("d")
        self._keys = directory / f"{process}.keys"
        self._keys.touch()
        self._places: dict[Key, int] = {}
        self._used = 0
        self._lock = Lock()

    def add(self, *key: str, by: float = 1) -> None:
        """Count one more, or so many."""
        with self._lock:
            self._cells[self._place(key, 1)] += by

    def set(self, *key: str, to: float) -> None:
        """Say what it is now."""
        with self._lock:
            self._cells[self._place(key, 1)] = to

    def observe(self, *key: str, value: float, bounds: Sequence[float]) -> None:
        """Count a value under the first bound that it does not exceed, and add it to the sum."""
        with self._lock:
            place = self._place(key, len(bounds) + 2)
            self._cells[place + bisect_left(bounds, value)] += 1
            self._cells[place + len(bounds) + 1] += value

    def _place(self, key: Key, cells: int) -> int:
        """Where the cells of a key begin."""
        place = self._places.get(key)
        if place is None:
            place = self._used
            if place + cells > CELLS - _SPARE:
                return CELLS - _SPARE
            self._used += cells
            self._places[key] = place
            with self._keys.open("a") as file:
                file.write(json.dumps([cells, *key]) + "\n")
        return place


def read(directory: Path) -> Iterator[tuple[int, dict[Key, list[float]]]]:
    """What each process has counted until now, also one that has ended: its id, its cells by key.

    The cells of a value are one; those of observations are one a bound, one beyond, and the sum.
    """
    for file in sorted(directory.glob("*.keys")):
        with suppress(FileNotFoundError):
            cells = array("d", file.with_suffix(".cells").read_bytes())
            found: dict[Key, list[float]] = {}
            place = 0
            for line in file.read_text().splitlines(keepends=True):
                if not line.endswith("\n"):  # it is being written
                    break
                size, *key = json.loads(line)
                found[tuple(key)] = cells[place : place + size].tolist()
                place += size
            yield int(file.stem), found
