"""Delete the data of an account, in two passes that a crash cannot prevent.

The first pass runs in the request that deletes the account. Requests that have a session cached
may still write for its user, in other processes: a second pass runs SECOND_PASS_DELAY later. It
is a durable job, which also completes a first pass that was interrupted.
"""

import contextlib
import logging
import time
from collections.abc import Callable
from datetime import datetime, timedelta

from graphql_api.domain.accounts.store import UserStore
from graphql_api.domain.jobs import LEASE, PAGE_SIZE, Job, Jobs
from graphql_api.errors import ServiceUnavailable
from graphql_api.infra.concurrency.alarm import Alarm
from graphql_api.infra.dynamodb import Put

# A session is cached for 4 seconds, and its last request may run for some more.
SECOND_PASS_DELAY = timedelta(seconds=30)
RETRY_SECONDS = 60.0  # until the next sweep if the store is unavailable
LOOK_SECONDS = 600.0  # at least, between two looks of a process for jobs that others have left

log = logging.getLogger(__name__)


class Deletions:
    """Deletes users' data, in requests and in the background."""

    def __init__(
        self,
        jobs: Jobs,
        users: UserStore,
        remove_data: Callable[[str], None],
        now: Callable[[], datetime],
    ) -> None:
        self._jobs = jobs
        self._users = users
        self._remove_data = remove_data
        self._now = now
        self._alarm = Alarm(self.sweep)
        self._next_look = time.monotonic() + LOOK_SECONDS

    def begin(self, user_id: str, now: datetime) -> Put:
        """Schedule the second pass; return the write that makes it durable."""
        self._alarm.set(SECOND_PASS_DELAY.total_seconds())
        return self._jobs.addition(user_id, now + SECOND_PASS_DELAY)

    def run_pass(self, user_id: str) -> None:
        """Delete all data of a user; can be repeated."""
        self._remove_data(user_id)
        self._users.remove(user_id)

    def resume(self) -> None:
        """Complete in the background what a process has left that has ended."""
        self._alarm.set(0)

    def look(self) -> None:
        """Resume if there are jobs; reads the store at most once in LOOK_SECONDS."""
        if time.monotonic() < self._next_look:
            return
        self._next_look = time.monotonic() + LOOK_SECONDS
        with contextlib.suppress(ServiceUnavailable):
            if self._jobs.pending():
                self.resume()

    def sweep(self) -> None:
        """Complete the jobs that are due, and sweep again when the next one is."""
        try:
            jobs = self._jobs.pending()
            delays = [self._attempt(job) for job in jobs]
            if len(jobs) == PAGE_SIZE:  # there may be more
                delays.append(1.0)
        except ServiceUnavailable:
            delays = [RETRY_SECONDS]
        if waiting := [delay for delay in delays if delay]:
            self._alarm.set(min(waiting))

    def _attempt(self, job: Job) -> float:
        """Complete a job if it is due; return the seconds until its next attempt, or 0."""
        now = self._now()
        if left := job.seconds_left(now):
            return left
        with contextlib.suppress(ServiceUnavailable):
            if self._jobs.claim(job, now):
                self._complete(job.item)
                return 0
        return LEASE.total_seconds()

    def _complete(self, user_id: str) -> None:
        user = self._users.get(user_id)
        if user is None or user.deleting:  # otherwise a migration has added the user again
            self.run_pass(user_id)
        self._jobs.complete(user_id)
        log.info("The deletion of user %s is complete", user_id)
