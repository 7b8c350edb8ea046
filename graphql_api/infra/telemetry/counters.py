"""Numbers that a process counts where another one can see them at any moment.

They are cells of shared memory, in a file that outlives its process; nothing is written by a
call that could fail. With prometheus-client's own values — a lock, a look at the process id and
two numbers packed for each of ten — a request with one call took 12 µs of CPU more.
"""

import json
import logging
import mmap
import os
import secrets
from array import array
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from threading import Lock
from typing import TypeAlias

Key: TypeAlias = tuple[str, ...]  # the name of a metric, and the values of its labels

# A file is cells, then text: a line of JSON for each key, with its first cell, how many it has,
# and its texts. The first cell says how long that text is.
CELLS = 8_192  # of 8 bytes: several times what all labels can need
TEXT = 192 * 1024  # bytes
_SPARE = 64  # cells at the end, for what finds no room any more: nobody reads them
_TEXT_FROM = CELLS * 8
_SIZE = _TEXT_FROM + TEXT

log = logging.getLogger(__name__)


class Counts:
    """What one process has counted; its threads may count at once."""

    def __init__(self, directory: Path, process: int) -> None:
        """In a directory where `read` finds them; OSError if there is no room."""
        # Ids of processes come again: what the one before has counted has another name.
        with (directory / f"{process}-{secrets.token_hex(4)}.counts").open("xb+") as file:
            file.truncate(_SIZE)
            if hasattr(os, "posix_fallocate"):  # else a full disk is noticed by a crash, later
                os.posix_fallocate(file.fileno(), 0, _SIZE)
            self._memory = mmap.mmap(file.fileno(), _SIZE)
        self._cells = memoryview(self._memory)[:_TEXT_FROM].cast("d")
        self._places: dict[Key, int] = {}
        self._used = 1
        self._said = 0
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
        return self._new_place(key, cells) if place is None else place

    def _new_place(self, key: Key, cells: int) -> int:
        place = self._used
        line = json.dumps([place, cells, *key]).encode() + b"\n"
        if place + cells > CELLS - _SPARE or self._said + len(line) > TEXT:
            log.error("There is no room to count %s", key[0])
            self._places[key] = CELLS - _SPARE  # said once
            return CELLS - _SPARE
        start = _TEXT_FROM + self._said
        self._memory[start : start + len(line)] = line
        self._used += cells
        self._said += len(line)
        self._cells[0] = self._said  # now whoever reads finds the whole line
        self._places[key] = place
        return place


def read(directory: Path) -> Iterator[tuple[int, dict[Key, list[float]]]]:
    """What each process has counted until now, also one that has ended: its id, its cells by key.

    The cells of a value are one; those of observations are one a bound, one beyond, and the sum.
    """
    for file in sorted(directory.glob("*.counts")):
        content = b""
        with suppress(FileNotFoundError):
            content = file.read_bytes()
        if len(content) == _SIZE:  # else it is just being made
            cells = array("d", content[:_TEXT_FROM])
            lines = content[_TEXT_FROM : _TEXT_FROM + int(cells[0])].splitlines()
            places = [(tuple(key), place, size) for place, size, *key in map(json.loads, lines)]
            process = int(file.name.partition("-")[0])
            yield process, {key: cells[at : at + size].tolist() for key, at, size in places}
