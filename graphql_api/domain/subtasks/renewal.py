"""Makes the subtasks of a recurring task anew for its next occurrence, whatever crashes.

The transaction that makes the next occurrence also stores a durable job. The request then makes the
subtasks; if it dies, the dispatcher does. Their ids follow from those that they are made from, so
none is made twice.
"""

import contextlib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial

from graphql_api import ids
from graphql_api.domain.changes.model import SYSTEM, Actor
from graphql_api.domain.conflicts import retry_on_conflict
from graphql_api.domain.dependencies.store import DependencyStore
from graphql_api.domain.jobs import Job, Jobs
from graphql_api.domain.series.model import Movement
from graphql_api.domain.series.store import SeriesStore
from graphql_api.domain.settings.store import SettingsStore
from graphql_api.domain.subtasks.model import in_order
from graphql_api.domain.subtasks.placement import Placement
from graphql_api.domain.tasks import writes
from graphql_api.domain.tasks.model import Task
from graphql_api.domain.tasks.store import TaskStore
from graphql_api.errors import BadUserInput, Conflict
from graphql_api.infra.concurrency.deadline import extend_deadline
from graphql_api.infra.dynamodb import Action, Database

HEAD_START = timedelta(seconds=15)  # after which no request is still at it


class Renewals:
    """Makes subtasks anew, in requests and as a duty of the dispatcher."""

    def __init__(
        self,
        jobs: Jobs,
        tasks: TaskStore,
        series: SeriesStore,
        settings: SettingsStore,
        dependencies: DependencyStore,
        interval: float = 5.0,
    ) -> None:
        """`interval` are the seconds between two looks of the duty."""
        self._jobs, self._tasks = jobs, tasks
        self._series, self._settings = series, settings
        self._dependencies = dependencies
        self._interval = interval

    @classmethod
    def of(cls, database: Database, tasks: TaskStore, interval: float = 5.0) -> "Renewals":
        """Build them on a database."""
        series, settings = SeriesStore(database), SettingsStore(database)
        dependencies = DependencyStore(database)
        return cls(Jobs(database, "renewal"), tasks, series, settings, dependencies, interval)

    def begin(self, closed: Task, following: Task | None, now: datetime) -> list[Action]:
        """The action that makes it durable that the subtasks come anew; none without any."""
        if following is None or not closed.child_ids:
            return []
        return [self._jobs.addition(_job_id(closed, following), now + HEAD_START)]

    def complete(self, closed: Task, following: Task, actor: Actor, now: datetime) -> Task:
        """Make what `begin` has promised; return the next occurrence with its subtasks."""
        if not closed.child_ids or self._tasks.rehearses:
            return following
        renewed = self._renew(closed, following, actor, now)
        self._jobs.complete(_job_id(closed, following))
        return renewed

    def run(self, now: datetime) -> float:
        """Make what requests have left; return the seconds until the next look."""
        for job in self._jobs.pending():
            if job.seconds_left(now) == 0 and self._jobs.claim(job, now):
                self._resume(job, now)
        return self._interval

    def stop(self, _: float) -> None:
        """Leave the rest to another process, which begins where this one ends."""

    def _resume(self, job: Job, now: datetime) -> None:
        user_id, closed_id, following_id = job.item.split("#")
        pair = [(user_id, closed_id), (user_id, following_id)]
        found = self._tasks.get_many(pair)
        if len(found) == len(pair):
            self._renew(found[pair[0]], found[pair[1]], SYSTEM, now)
        self._jobs.complete(job.item)

    def _renew(self, closed: Task, following: Task, actor: Actor, now: datetime) -> Task:
        way = self._way(closed, following)
        pairs, first = [(closed, following)], following
        for source, target in pairs:  # grows on the way
            if source.child_ids:
                extend_deadline()
                sources = self._children(source)
                copies = [_again(each, target, way, now) for each in sources]
                listed = self._add(target, copies, actor, now)
                first = listed if target is following else first
                pairs += zip(sources, copies, strict=True)
        copied = {source.task_id: copy.task_id for source, copy in pairs[1:]}
        self._tie(copied, closed.user_id, actor, now)
        return first

    def _tie(self, copies: Mapping[str, str], user_id: str, actor: Actor, now: datetime) -> None:
        """Let new subtasks wait for each other, as those do that they were made from.

        `copies` are their ids by the ids of these. What there is no room for is left out, and what
        would close a cycle with what somebody has done to them since.
        """
        known = self._dependencies.get(user_id)
        for source, copy in copies.items():
            blockers = [copies[each] for each in known.blockers_of(source) if each in copies]
            if blockers:
                extend_deadline()
                retry_on_conflict(partial(self._block, user_id, copy, blockers, actor, now))

    def _block(
        self, user_id: str, task_id: str, blocker_ids: Sequence[str], actor: Actor, now: datetime
    ) -> None:
        """Let new subtasks block another one, as far as they are still there."""
        keys = [(user_id, each) for each in (task_id, *blocker_ids)]
        found = {task.task_id: task for task in self._tasks.get_many(keys).values()}
        there = [each for each in blocker_ids if each in found]
        if task_id not in found or not there:
            return
        links = self._dependencies.links(user_id)
        closed = [each.task_id for each in found.values() if not each.open]
        children = Placement(self._tasks).children_of(user_id, found.values(), links)
        with contextlib.suppress(BadUserInput, Conflict):
            links.change(links.now.add(task_id, there, closed, children=children))
        if links.now is not links.before:
            unchanged = [self._tasks.unchanged_check(found[each]) for each in there]
            write = writes.linking(found[task_id], links.before, actor, now)
            self._tasks.write(write, beside=[*links.actions(), *unchanged])

    def _way(self, closed: Task, following: Task) -> Movement:
        """The way from one occurrence to the next."""
        key = (following.user_id, following.series_id or "")
        series = self._series.get_many([key]).get(key)
        timezone = series.recurrence.timezone if series else "UTC"
        start = end = closed.created_at
        return Movement.between(closed.due or start, following.due or end, timezone)

    def _add(self, parent: Task, copies: Sequence[Task], actor: Actor, now: datetime) -> Task:
        """Create subtasks that are not there yet; return their parent as it is then."""
        day = next((each.due_on for each in copies if each.due_on), None)

        def attempt() -> Task:
            at = self._tasks.get(parent.user_id, parent.task_id)
            there = self._tasks.get_many([(each.user_id, each.task_id) for each in copies])
            missing = [each for each in copies if (each.user_id, each.task_id) not in there]
            zone, unmoved = self._settings.zone(parent.user_id, day)
            new = [writes.creation(each.located(zone), (), actor, now) for each in missing]
            for group in self._tasks.transactions(new, beside=1 + len(unmoved)):
                child_ids = (*at.child_ids, *(each.result.task_id for each in group))
                listing = self._tasks.listing(at, child_ids)
                self._tasks.write(*group, beside=[listing, *unmoved])
                at = replace(at, child_ids=child_ids)
            return at

        return retry_on_conflict(attempt)

    def _children(self, task: Task) -> list[Task]:
        found = self._tasks.get_many([(task.user_id, each) for each in task.child_ids])
        return in_order(found.values())


def _again(task: Task, parent: Task, way: Movement, now: datetime) -> Task:
    """A subtask of the next occurrence, made from that of the one before."""
    task_id = ids.id_from(ids.instant(parent.task_id), parent.task_id, task.task_id)
    copy = task.again(task_id, way.due(task.due), way.instant, now, parent.task_id)
    return replace(copy, position=task.place)


def _job_id(closed: Task, following: Task) -> str:
    return f"{closed.user_id}#{closed.task_id}#{following.task_id}"
