"""The embedded engine: a supervised DynamoDB server, so that a laptop needs one command only.

It is roto (`pip install roto-aws`), one process on SQLite files, and no other module knows that.
The process that starts it owns the data directory, and the engine ends with it.
"""

import contextlib
import ctypes
import fcntl
import json
import logging
import os
import secrets
import shutil
import signal
import socket
import stat
import subprocess
import sys
import sysconfig
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import IO, Any

from graphql_api.config import Config
from graphql_api.errors import StartError

log = logging.getLogger(__name__)

START_SECONDS = 10
LOCK_SECONDS = 1  # for the processes of a killed service to end

# The engine that this process started, with the lock of its data directory.
_running: list[tuple[subprocess.Popen[bytes], IO[str]]] = []


def prepare(config: Config, *, shared: bool = False, beside: bool = False) -> Config:
    """Start the engine, if the configuration wants it; return the configuration with its URL.

    The secret of tokens is added, too. `shared` is for the workers of another WSGI server: the
    first one starts the engine, and its siblings use that. `beside` is for commands, which use the
    engine of a service that runs. Raises StartError.
    """
    if not config.embedded:
        return config
    directory = _private_directory(config.data_dir)
    address = _Engine(directory, shared=shared, beside=beside).address()
    return replace(
        config,
        jwt_secret=config.jwt_secret or _secret(directory),
        engine_url=f"http://{address}",
    )


_stopping = threading.Event()
_failed = threading.Event()


def stop() -> bool:
    """End the engine that this process started, and release its data directory.

    Returns False if the engine had ended by itself twice before.
    """
    _stopping.set()
    while _running:
        child, lock = _running.pop()
        child.terminate()
        child.communicate()
        lock.close()
    return not _failed.is_set()


def _private_directory(path: Path) -> Path:
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        if path.stat().st_mode & stat.S_IWOTH:
            raise StartError(f"DATA_DIR {path} cannot be used: others may write in it")
        path.chmod(0o700)
    except OSError as error:
        raise StartError(f"DATA_DIR {path} cannot be used: {error.strerror}") from None
    if not os.access(path, os.W_OK):
        raise StartError(f"DATA_DIR {path} cannot be used: it is not writable")
    return path


def _secret(directory: Path) -> bytes:
    """Read the secret of this data directory; the first start creates it."""
    path = directory / "jwt_secret"
    try:
        if not path.exists():
            _write_once(path, secrets.token_hex(32).encode() + b"\n")
        secret = path.read_bytes().strip()
    except OSError as error:
        raise StartError(f"{path} cannot be used: {error.strerror}") from None
    if len(secret) < 64:  # noqa: PLR2004 - what token_hex(32) writes
        raise StartError(f"{path} is damaged: restore it, or remove it (then all tokens end)")
    return secret


def _write_once(path: Path, content: bytes) -> None:
    """Create a file of mode 0600, whole or not at all; keep one that exists already."""
    draft = path.with_name(f"{path.name}.{os.getpid()}")
    try:
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        with contextlib.suppress(FileExistsError):
            path.hardlink_to(draft)
    finally:
        draft.unlink(missing_ok=True)


class _Engine:
    """The engine of one data directory, started by this process or a sibling."""

    def __init__(self, directory: Path, *, shared: bool, beside: bool) -> None:
        self.directory, self.beside = directory, beside
        self.state_file = directory / "engine.json"
        # Workers of one server have one parent and one process group.
        self.group = [os.getppid(), os.getpgrp()] if shared else [os.getpid(), 0]

    def address(self) -> str:
        """Start the engine, or find that of a sibling or a service; return its `host:port`."""
        lock = self._lock()
        if lock is None:
            return self._sibling_address()
        try:
            return self._start(lock)
        except StartError:
            lock.close()
            raise
        except OSError as error:  # such as a full disk, or a binary for another machine
            lock.close()
            raise StartError(f"The embedded engine did not start: {error}") from None

    def _lock(self) -> IO[str] | None:
        """Lock the directory; None if somebody has done so whose engine this process may use."""
        try:
            lock = (self.directory / "lock").open("a")
        except OSError as error:
            raise StartError(f"DATA_DIR {self.directory}: {error.strerror}") from None
        deadline = time.monotonic() + LOCK_SECONDS
        while True:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                if self.beside or self._state().get("group") == self.group:
                    lock.close()
                    return None
                if time.monotonic() > deadline:
                    raise StartError(
                        f"DATA_DIR {self.directory} is in use by another running service"
                    ) from None
                time.sleep(0.05)
            else:
                return lock

    def _state(self) -> dict[str, Any]:
        try:
            state = json.loads(self.state_file.read_text())
        except (OSError, ValueError):
            return {}
        return state if isinstance(state, dict) else {}

    def _sibling_address(self) -> str:
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            address: str = self._state().get("address", "")
            if address and _is_healthy(address):
                return address
            time.sleep(0.02)
        raise StartError(f"The engine of DATA_DIR {self.directory} does not answer")

    def _start(self, lock: IO[str]) -> str:
        # A worker that replaces the one that owned the engine takes up its address again,
        # so that its siblings find the new engine where the old one was.
        state = self._state()
        address: str = state.get("address", "") if state.get("group") == self.group else ""
        self.state_file.write_text(json.dumps({"group": self.group}))
        for _ in range(5):
            address = address if address and _is_free(address) else _free_address()
            if self._spawn(lock, address):
                self.state_file.write_text(json.dumps({"group": self.group, "address": address}))
                _stopping.clear()
                arguments = (_running[-1][0], lock, address)
                threading.Thread(target=self._watch, args=arguments, daemon=True).start()
                return address
        raise StartError(f"The embedded engine did not start: see {self.directory / 'engine.log'}")

    def _watch(self, child: subprocess.Popen[bytes], lock: IO[str], address: str) -> None:
        """Restart an engine that ends by itself, once; the second time, end this process."""
        child.wait()
        if _stopping.is_set():
            return
        log.error("The embedded engine has ended by itself: restarting it")
        _running.clear()
        if self._spawn(lock, address):
            _running[-1][0].wait()
            if _stopping.is_set():
                return
        log.error("The embedded engine has ended again: stopping the service")
        _failed.set()
        os.kill(os.getpid(), signal.SIGTERM)

    def _spawn(self, lock: IO[str], address: str) -> bool:
        host, port = address.split(":")
        with (self.directory / "engine.log").open("ab") as output:
            child = subprocess.Popen(  # noqa: S603 - our own binary, our own arguments  # nosec B603
                [
                    *_SUPERVISED,
                    _binary(),
                    *("--host", host, "--port", port),
                    *("--data-dir", str(self.directory / "engine"), "--durable"),
                ],
                stdin=subprocess.PIPE,  # never written to: its end is the end of this process
                stdout=output,
                stderr=output,
                cwd=self.directory,
                env={"PATH": os.environ.get("PATH", "")},
                umask=0o077,
                # Out of reach of a Ctrl-C in the terminal: requests in flight still need it.
                start_new_session=True,
                # The directory stays locked until the engine has ended, too.
                pass_fds=[lock.fileno()],
                preexec_fn=_end_with_parent(),  # noqa: PLW1509 - it only calls prctl
            )
        deadline = time.monotonic() + START_SECONDS
        while child.poll() is None and time.monotonic() < deadline:
            if _is_healthy(address):
                time.sleep(0.02)  # for a child that could not listen there to end
                if child.poll() is None:
                    _running.append((child, lock))
                    return True
            time.sleep(0.01)
        child.kill()
        child.communicate()
        return False


def _binary() -> str:
    scripts = sysconfig.get_path("scripts")
    binary = shutil.which("roto-server", path=scripts) or shutil.which("roto-server")
    if binary is None:
        raise StartError(
            "The embedded engine (roto-aws) is not installed; there is no wheel for some"
            " platforms: set DYNAMODB=<url> to use DynamoDB Local or another engine"
        )
    return binary


def _free_address() -> str:
    """Choose a free address that is hard to guess.

    The engine asks nobody for a password, and a page in a browser can reach the addresses that it
    guesses. Linux has 2^24 loopback addresses, other systems have one.
    """
    host = "127.0.0.1"
    if sys.platform == "linux":
        host = "127." + ".".join(str(1 + secrets.randbelow(254)) for _ in range(3))
    with socket.socket() as probe:
        probe.bind((host, 0))
        return f"{host}:{probe.getsockname()[1]}"


def _is_free(address: str) -> bool:
    host, port = address.split(":")
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, int(port)))
        except OSError:
            return False
    return True


_opener_without_proxy = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def _is_healthy(address: str) -> bool:
    try:
        with _opener_without_proxy.open(f"http://{address}/roto-api/health", timeout=1):
            return True
    except (urllib.error.URLError, OSError):
        return False


# Where the kernel does not end a child with its parent, a shell ends it at the end of stdin.
_SUPERVISED = (
    []
    if sys.platform == "linux"
    else [
        "/bin/sh",
        "-c",
        'exec 3<&0; "$@" & e=$!; { read -r _ <&3; kill $e; } & wait $e',
        "engine",
    ]
)


def _end_with_parent() -> Callable[[], None] | None:
    """Make what the child runs before it becomes the engine, so that it ends with us, however.

    On Linux the kernel sends it a SIGTERM, even after a `kill -9` of this process.
    """
    if sys.platform != "linux":
        return None
    libc = ctypes.CDLL(None, use_errno=True)
    parent = os.getpid()

    def run() -> None:
        set_parent_death_signal = 1  # PR_SET_PDEATHSIG in prctl(2)
        libc.prctl(set_parent_death_signal, signal.SIGTERM)
        if os.getppid() != parent:  # it died before we could ask
            os._exit(1)

    return run
