"""Pollers: wait until one of many sockets is ready, or another thread calls `wake`."""

import os
import select
import selectors
import socket
import sys
from typing import Protocol

READ, WRITE = selectors.EVENT_READ, selectors.EVENT_WRITE
MAX_READY = 1_024  # file descriptors that one poll returns: more than ever wait at a time

_POLL_EVENT = {READ: select.POLLIN, WRITE: select.POLLOUT}


class Poller(Protocol):
    """Reports each registered socket once; a thread other than the polling one may wake it."""

    def register(self, fd: int, event: int) -> None:
        """Wait for READ or WRITE of a socket once, in place of what it was registered for."""

    def poll(self, seconds: float | None) -> list[int]:
        """Return the sockets that are ready, after this time or a `wake` at the latest."""

    def wake(self) -> None:
        """End the present poll, or the next one at once."""


class SelectorPoller:
    """A poller for any system, of the standard library's selectors."""

    def __init__(self) -> None:
        self._selector = selectors.DefaultSelector()
        self._waker, self._woken = socket.socketpair()
        self._waker.settimeout(0)
        self._selector.register(self._woken, READ)

    def register(self, fd: int, event: int) -> None:
        """Wait for READ or WRITE of a socket once, in place of what it was registered for."""
        if fd in self._selector.get_map():  # its wait timed out; or it is a reused number
            self._selector.unregister(fd)
        self._selector.register(fd, event)

    def poll(self, seconds: float | None) -> list[int]:
        """Return the sockets that are ready, after this time or a `wake` at the latest."""
        ready = [key.fd for key, _ in self._selector.select(seconds)]
        for fd in ready:
            if fd == self._woken.fileno():
                self._woken.recv(MAX_READY)
            else:
                self._selector.unregister(fd)
        return ready

    def wake(self) -> None:
        """End the present poll, or the next one at once."""
        self._waker.send(b"\0")


class EpollPoller:
    """A poller for Linux: one system call for each wait and each wake, in place of two or three."""

    def __init__(self) -> None:
        self._epoll = select.epoll()
        self._waker = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
        self._epoll.register(self._waker, select.EPOLLIN | select.EPOLLET)

    def register(self, fd: int, event: int) -> None:
        """Wait for READ or WRITE of a socket once, in place of what it was registered for."""
        once = _POLL_EVENT[event] | select.EPOLLONESHOT
        try:
            self._epoll.modify(fd, once)
        except FileNotFoundError:
            self._epoll.register(fd, once)

    def poll(self, seconds: float | None) -> list[int]:
        """Return the sockets that are ready, after this time or a `wake` at the latest."""
        return [fd for fd, _ in self._epoll.poll(seconds, MAX_READY)]

    def wake(self) -> None:
        """End the present poll, or the next one at once."""
        os.eventfd_write(self._waker, 1)


def new_poller() -> Poller:
    """Make the fastest poller that this system has."""
    return EpollPoller() if sys.platform == "linux" else SelectorPoller()


def poll_once(fd: int, event: int, milliseconds: int) -> bool:
    """Block the thread until the one socket is ready; False after this time."""
    poll = select.poll()
    poll.register(fd, _POLL_EVENT[event])
    return bool(poll.poll(milliseconds))
