"""The whole service, started as its users start it."""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from graphql_api.config import Config

ROOT = Path(__file__).parents[2]
SETTINGS = {name.upper() for name in Config.__dataclass_fields__}


@contextmanager
def running(
    data: Path, *, directory: Path = ROOT, by: Sequence[str] = (), **settings: str
) -> Iterator[str]:
    """The URL of a service that keeps its data there, with these settings and no others.

    It is the one in this directory, started by a program that the command is put behind.
    """
    inherited = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("AWS_") and name not in SETTINGS
    }
    with data.with_suffix(".log").open("ab") as log:
        service = subprocess.Popen(
            [*by, sys.executable, "app.py"],
            cwd=directory,
            env={**inherited, "PORT": "0", "DRAIN_SECONDS": "0", "DATA_DIR": str(data), **settings},
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
        )
    try:
        line = service.stdout.readline()
        yield re.search(r"http://127\.0\.0\.1:\d+", line)[0]
    finally:
        service.send_signal(signal.SIGTERM)
        service.communicate(timeout=120)
