"""Durable jobs in DynamoDB: work that is completed even if the process that owes it dies.

    user_id      item   attributes
    job#<kind>   <id>   due_at, expires_at (both in Unix seconds)

A job is stored in the transaction that makes it necessary, and deleted when it is done. Before a
process runs a job, it claims it by moving `due_at` LEASE ahead: if the process dies, another one
takes the job after that. A job may therefore run more than once, and has to be idempotent.
"""

import contextlib
import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from graphql_api.errors import ServiceUnavailable
from graphql_api.infra.dynamodb import Attr, ConditionFailed, Database, Key, Put, codec

LEASE = timedelta(seconds=60)
LIFETIME = timedelta(days=30)  # after which the table's TTL deletes a job that nobody completes
PAGE_SIZE = 100  # jobs that are read at a time
REQUEST_SECONDS = 2.0  # of a request's work …
HEAD_START = timedelta(seconds=15)  # … after which no other request or process is still at it
RUN_SECONDS = 5.0  # of a dispatcher's, so that other duties have their turn


@dataclass(frozen=True, slots=True)
class Job:
    """A job that is to run from `due_at` (Unix seconds) on; its id says for what."""

    item: str
    due_at: int

    def seconds_left(self, now: datetime) -> float:
        """Return the seconds until the job is due, at least 0."""
        return max(0.0, self.due_at - now.timestamp())


class Jobs:
    """Stores the jobs of one kind."""

    def __init__(self, database: Database, kind: str) -> None:
        self._table = database.table("Users")
        self._partition = f"job#{kind}"

    def addition(self, job_id: str, due: datetime) -> Put:
        """Return the write that stores a job, as a part of a transaction."""
        due_at, expires_at = int(due.timestamp()), int((due + LIFETIME).timestamp())
        key = self._key(job_id)
        return Put(self._table, codec.item(**key, due_at=due_at, expires_at=expires_at))

    def pending(self) -> list[Job]:
        """List the jobs that are not completed, the first PAGE_SIZE by id."""
        read = self._table.query(Key("user_id").eq(self._partition), limit=PAGE_SIZE)
        return [codec.decode(Job, item) for item in read.items]

    def claim(self, job: Job, now: datetime) -> bool:
        """Lease a job that is due; False if another process has claimed or completed it."""
        unchanged = Attr("due_at").eq(job.due_at)
        leased = {"due_at": int((now + LEASE).timestamp())}
        try:
            self._table.update(leased, unchanged, **self._key(job.item))
        except ConditionFailed:
            return False
        return True

    def release(self, job: Job, now: datetime) -> None:
        """Make a job due again that somebody has claimed, `now`, and worked at for a while."""
        leased = Attr("due_at").eq(int((now + LEASE).timestamp()))
        with contextlib.suppress(ConditionFailed):  # claimed by another process meanwhile
            self._table.update({"due_at": job.due_at}, leased, **self._key(job.item))

    def complete(self, job_id: str) -> None:
        """Delete a job that is done."""
        self._table.delete_many([self._key(job_id)])

    def _key(self, job_id: str) -> dict[str, str]:
        return {"user_id": self._partition, "item": job_id}


class JobDuty(ABC):
    """Works at jobs of one kind: for a moment in the request that begins one, then as a duty."""

    def __init__(self, jobs: Jobs, now: Callable[[], datetime], interval: float) -> None:
        """`interval` are the seconds between two looks of the duty."""
        self._jobs, self._now, self._interval = jobs, now, interval
        self._is_stopped = False

    @abstractmethod
    def work(self, job_id: str, seconds: float) -> bool:
        """Work at a job for some seconds; return whether it is done."""

    def schedule(self, job_id: str, now: datetime) -> Put:
        """Return the write that makes a job durable."""
        return self._jobs.addition(job_id, now + HEAD_START)

    def work_briefly(self, job_id: str) -> bool:
        """Do in a request what a moment is enough for; return whether that was all."""
        try:
            return self._attempt(job_id, REQUEST_SECONDS)
        except ServiceUnavailable:  # what has begun goes on by itself
            return False

    def run(self, now: datetime) -> float:
        """Go on with what requests have left; return the seconds until the next look."""
        is_done = True
        for job in self._jobs.pending():
            if job.seconds_left(now) > 0 or not self._jobs.claim(job, now):
                continue
            if not self._attempt(job.item, RUN_SECONDS):
                self._jobs.release(job, now)
                is_done = False
        return self._interval if is_done else 0

    def stop(self, _: float) -> None:
        """End the work after the present item: another process goes on with it."""
        self._is_stopped = True

    def _is_over(self, end: float) -> bool:
        """Return whether it has been told to stop, or the time of work is over."""
        return self._is_stopped or time.monotonic() > end

    def _attempt(self, job_id: str, seconds: float) -> bool:
        is_done = self.work(job_id, seconds)
        if is_done:
            self._jobs.complete(job_id)
        return is_done
