"""Pages and counts of a user's task list, read within a budget."""

import math
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from types import SimpleNamespace
from typing import Any

from graphql_api import clock
from graphql_api.domain import criteria
from graphql_api.domain.blocks.closed import ClosedBlocks
from graphql_api.domain.criteria import AtLeast, Before, Clause, Criterion, KeyIn
from graphql_api.domain.open_tasks.lists import OpenTaskLists, Wanted
from graphql_api.domain.open_tasks.model import OpenTask
from graphql_api.domain.paging import Budget, Page, Window, sorted_page
from graphql_api.domain.tasks.filters import (
    ANY_VIEWPOINT,
    DUE,
    HAS_DUE,
    OrderDirection,
    TaskFilter,
    TaskOrder,
    TaskOrderField,
    Viewpoint,
    rank_of,
)
from graphql_api.domain.tasks.model import OPEN, Task, TaskStatus
from graphql_api.domain.tasks.store import is_valid_key
from graphql_api.domain.text import Search, comparable
from graphql_api.errors import QueryTooComplex
from graphql_api.infra.concurrency.bulkhead import Shares
from graphql_api.infra.dynamodb import Attr, Condition, Database, Item, ItemPage, Key, codec
from graphql_api.infra.page_ends import PageEnds

MAX_READ = 10_000  # budget units of a request: an item that is read costs one
SEARCH_CHARACTERS = 500  # of descriptions that are searched, for one unit more
COUNTED_PER_UNIT = 10  # items that are only counted
MAX_QUERY = 1_000  # items per query: of long texts the store cuts it at 1 MB
MAX_COUNT_QUERY = 10_000
MAX_TAG_COUNTS = 1_000  # tags of a user, the most used
MAX_COUNTED_ITEMS = 1_000  # a query, of what is counted here
MAX_SORTED = 2_000  # tasks, in an order that no index has
LONG_PAGE = 100  # tasks, with which a page may end where the store has cut a query, at 1 MB

_OPEN = TaskFilter(status=OPEN)
_CLOSED = [SimpleNamespace(status=status) for status in TaskStatus if status not in OPEN]
_decode = codec.decoder(Task)


class Sieve:
    """A filter as it is read: what DynamoDB checks of it, and what is checked here."""

    def __init__(
        self, filter: TaskFilter, at: Viewpoint, within: Criterion = criteria.EVERYTHING
    ) -> None:
        """`within` has to hold, too: nothing else is there."""
        own = filter.criterion(at)
        self.criterion = own if within is criteria.EVERYTHING else criteria.All((own, within))
        self._parts = list(self.criterion.conjuncts())
        self.searches = filter.searches
        self._search = Search.of(filter.search) if filter.search else None
        self.is_exact = self.criterion.is_exact
        self.earliest, self.latest = criteria.range_of(self._parts, DUE)
        self.condition = _condition(self.criterion)
        self.impossible = self.criterion.bounds().necessary is False or any(
            _is_empty(*criteria.range_of(self._parts, each.name))
            for each in self._parts
            if isinstance(each, AtLeast)
        )

    @property
    def only_open(self) -> bool:
        """Return whether open tasks can match, and no others."""
        return not self.impossible and all(
            self.criterion.verdict(closed) is False for closed in _CLOSED
        )

    @property
    def dated(self) -> bool:
        """Return whether only tasks with a due date can match."""
        ranged = self.earliest is not None or self.latest is not None
        return ranged or HAS_DUE in self._parts

    @property
    def undated(self) -> bool:
        """Return whether only tasks without a due date can match."""
        return criteria.Not(HAS_DUE) in self._parts

    @property
    def ids(self) -> list[str] | None:
        """The ids of all tasks that can match; None if these are not given."""
        given = [part.values for part in self._parts if isinstance(part, KeyIn)]
        if not given:
            return None
        return [each for each in given[0] if all(each in others for others in given[1:])]

    @property
    def condition_on_dated(self) -> Condition | None:
        """The condition on tasks with a due date in the filter's range."""
        others = [part for part in self._parts if not _is_of_range(part)]
        return _condition(criteria.All(tuple(others)))

    @property
    def condition_on_undated(self) -> Condition | None:
        """The condition on tasks without a due date."""
        return _condition(criteria.All((self.criterion, criteria.Not(HAS_DUE))))

    def cost(self, scanned: int, descriptions: Iterable[str]) -> int:
        """The budget units of a read that has scanned so many tasks and has found some of these."""
        if not self.searches:
            return scanned
        return scanned + sum(map(len, descriptions)) // SEARCH_CHARACTERS

    def found(self, items: Sequence[Item]) -> list[Task]:
        """The tasks that match, of items that may; what lacks a word is not decoded."""
        if self._search:
            items = [item for item in items if self._search.finds(_texts(item))]
        return self.left(list(map(_decode, items)))

    def left(self, tasks: Sequence[Task]) -> list[Task]:
        """The tasks that match, of those of which DynamoDB says that they may."""
        return list(tasks) if self.is_exact else list(filter(self.criterion.holds, tasks))

    def left_items(self, items: Sequence[Item]) -> list[Item]:
        """As `left`, of items that are not decoded unless that decides."""
        if self.is_exact:
            return list(items)
        return [item for item in items if self.criterion.holds(_decode(item))]


def _condition(criterion: Criterion) -> Condition | None:
    """The part of a possible criterion that DynamoDB has to check; None if nothing."""
    necessary: Clause = criterion.bounds().necessary
    return None if isinstance(necessary, bool) else necessary


def _is_of_range(part: Criterion) -> bool:
    return part == HAS_DUE or (isinstance(part, AtLeast | Before) and part.name == DUE)


def _is_empty(low: Any, high: Any) -> bool:
    return low is not None and high is not None and low >= high


class OpenTally:
    """The number of a user's open tasks: in all, past their due date, and in each project."""

    def __init__(self) -> None:
        self.total = self.overdue = 0
        self.by_project: Counter[str] = Counter()

    def add(self, tasks: Iterable[Task | OpenTask], now: datetime) -> None:
        """Count tasks, which are open."""
        latest = clock.milliseconds(now)
        for task in tasks:
            self.total += 1
            self.overdue += task.due_until is not None and task.due_until < latest
            if task.project_id:
                self.by_project[task.project_id] += 1


@dataclass(frozen=True, slots=True)
class TagCount:
    """A tag, and the number of tasks that have it."""

    name: str
    count: int


class TaskListReader:
    """Reads task lists, page by page."""

    def __init__(
        self,
        database: Database,
        shares: Shares,
        within: Criterion = criteria.EVERYTHING,
        open_tasks: OpenTaskLists | None = None,
        page_ends: PageEnds | None = None,
    ) -> None:
        """`shares` bound how many lists of one user are read at once.

        Nothing is there but the tasks `within` a criterion. `page_ends` are for an engine that
        reads whole partitions.
        """
        self._database = database
        self._table = database.table("Tasks")
        self._shares = shares
        self._within = within
        self._open = open_tasks or OpenTaskLists(database, shares)
        self._page_ends = page_ends
        self._closed_blocks = ClosedBlocks(database)

    def within(self, criterion: Criterion) -> "TaskListReader":
        """The lists of a user of whom nothing is there but tasks that meet a criterion."""
        ends = self._page_ends
        return TaskListReader(self._database, self._shares, criterion, self._open, ends)

    def sees(self, task: Task) -> bool:
        """Return whether a task is there, by the criterion that all of them meet."""
        return self._within.holds(task)

    def page(
        self,
        user_id: str,
        order: TaskOrder,
        filter: TaskFilter,
        window: Window,
        position: str | None,
        budget: Budget,
        at: Viewpoint,
    ) -> Page[Task]:
        """The page of the user's list that begins after `position`.

        DynamoDB's Limit counts items read, not matches. So this reads on until it has one match
        more than the page, until the list ends, or until the budget is spent. The filter is looked
        at from `at`.
        """
        sieve = Sieve(filter, at, self._within)
        if sieve.ids is not None:
            return sorted_page(
                self._of_ids(user_id, sieve, budget),
                lambda task: rank_of(task, order.field),
                window,
                position,
                descending=order.direction is OrderDirection.DESC,
            )
        found = self._open_page(user_id, sieve, order, window, position, budget)
        if found is not None:
            return found
        runs = _runs(user_id, order, sieve, backward=window.backward)
        limit = window.size + 1
        tasks, stopped_at = self._read(runs, sieve, limit, position, budget)
        has_more = stopped_at is not None or len(tasks) > window.size
        tasks = tasks[: window.size]
        if window.backward:
            tasks.reverse()
        position_of = (
            _creation_position if order.field is TaskOrderField.CREATED_AT else _due_position
        )
        page = Page.of(
            tasks,
            position_of,
            window,
            has_cursor=position is not None,
            has_more=has_more,
        )
        return page if stopped_at is None else page.stopped_at(stopped_at, window)

    def sorted(
        self,
        user_id: str,
        order: TaskOrder,
        filter: TaskFilter,
        window: Window,
        position: str | None,
        budget: Budget,
        at: Viewpoint,
    ) -> Page[Task]:
        """Return a page in an order that no index has.

        Open tasks are sorted by their items. Of other lists the newest MAX_SORTED matches are read
        and sorted here; beyond them or the budget, the page is incomplete.
        """
        sieve = Sieve(filter, at, self._within)
        found = self._open_page(user_id, sieve, order, window, position, budget)
        if found is not None:
            return found
        tasks, complete = self.newest(user_id, filter, MAX_SORTED, budget, at)
        return sorted_page(
            tasks,
            lambda task: rank_of(task, order.field),
            window,
            position,
            descending=order.direction is OrderDirection.DESC,
            complete=complete,
        )

    def _open_page(
        self,
        user_id: str,
        sieve: Sieve,
        order: TaskOrder,
        window: Window,
        position: str | None,
        budget: Budget,
    ) -> Page[Task] | None:
        """The page of a list of open tasks by their items; None if it cannot be read so."""
        if sieve.ids is not None or not sieve.only_open:
            return None
        return self._open.page(_wanted(user_id, sieve), order, window, position, budget)

    def tag_counts(self, user_id: str, budget: Budget) -> list[TagCount]:
        """The user's tags, the most used first, each as the oldest of its tasks has it.

        Raises QueryTooComplex beyond the budget.
        """
        sieve = Sieve(TaskFilter(no_tags=False), ANY_VIEWPOINT, self._within)
        order = TaskOrder(direction=OrderDirection.ASC)
        [run] = _runs(user_id, order, sieve, backward=False)
        names: dict[str, str] = {}
        counts: Counter[str] = Counter()
        for items in self._counted(run, MAX_COUNTED_ITEMS, budget, "count their tags"):
            for item in sieve.left_items(items):
                for tag in codec.texts(codec.Raw(item), "tags"):
                    counts[comparable(tag)] += 1
                    names.setdefault(comparable(tag), tag)
        most = sorted(counts.items(), key=lambda each: (-each[1], each[0]))
        return [TagCount(names[key], count) for key, count in most[:MAX_TAG_COUNTS]]

    def planned_between(
        self, user_id: str, start: datetime, end: datetime, budget: Budget
    ) -> list[Task]:
        """The user's tasks that have planned blocks around this time, open or not.

        Raises QueryTooComplex beyond the budget.
        """
        tasks = self._open.all(user_id, budget)
        if tasks is None:
            return self._planned_of_all(user_id, start, end, budget)
        ids = [task.task_id for task in tasks if _may_be_planned(task, start, end)]
        for closed in self._closed_blocks.between(user_id, start, end):
            ids += closed
            if len(ids) > budget.left:
                raise QueryTooComplex("There are too many tasks to read what is planned.")
        wanted = _wanted(user_id, Sieve(TaskFilter(), ANY_VIEWPOINT, self._within))
        return list(self._open.by_id(wanted, list(dict.fromkeys(ids)), budget).values())

    def _planned_of_all(
        self, user_id: str, start: datetime, end: datetime, budget: Budget
    ) -> list[Task]:
        """As `planned_between`, of somebody whose tasks lack their items."""
        own = Key("user_id").eq(user_id)
        first, last = clock.text(start), clock.text(end)
        planned = Attr("planned_end").gte(first) & Attr("planned_start").lt(last)
        kept = Attr("blocks_end").gte(first) & Attr("blocks_start").lt(last)
        run = _Run("c", user_id, own, planned | kept, descending=False)
        pages = self._counted(run, MAX_QUERY, budget, "read what is planned")
        tasks = [_decode(item) for items in pages for item in items]
        return list(filter(self._within.holds, tasks))

    def newest(
        self, user_id: str, filter: TaskFilter, limit: int, budget: Budget, at: Viewpoint
    ) -> tuple[list[Task], bool]:
        """The user's newest tasks that match, and whether these are all of them."""
        sieve = Sieve(filter, at, self._within)
        if sieve.ids is not None:
            return self._of_ids(user_id, sieve, budget), True
        page = self._open_page(user_id, sieve, TaskOrder(), Window(limit), None, budget)
        if page is not None:
            return list(page.items), page.complete and not page.has_next
        return self._newest(user_id, sieve, limit, budget)

    def open_tasks(self, user_id: str, limit: int, budget: Budget) -> tuple[list[OpenTask], bool]:
        """The user's newest open tasks in short, and whether these are all of them."""
        sieve = Sieve(_OPEN, ANY_VIEWPOINT, self._within)
        tasks = self._open.all(user_id, budget)
        if tasks is not None:
            found, is_known = self._open.matching(_wanted(user_id, sieve), tasks, budget)
            return found[-limit:], is_known and len(found) <= limit
        whole, is_complete = self._newest(user_id, sieve, limit, budget)
        return [OpenTask.of(task) for task in whole], is_complete

    def matching(
        self,
        user_id: str,
        tasks: Sequence[OpenTask],
        filter: TaskFilter,
        budget: Budget,
        at: Viewpoint,
    ) -> tuple[list[OpenTask], bool]:
        """The matches among a user's open tasks, and whether the budget was enough to tell."""
        sieve = Sieve(filter, at, self._within)
        return self._open.matching(_wanted(user_id, sieve), tasks, budget)

    def _newest(
        self, user_id: str, sieve: Sieve, limit: int, budget: Budget
    ) -> tuple[list[Task], bool]:
        runs = _runs(user_id, TaskOrder(), sieve, backward=False)
        tasks, stopped_at = self._read(runs, sieve, limit + 1, None, budget)
        return tasks[:limit], stopped_at is None and len(tasks) <= limit

    def count(self, user_id: str, filter: TaskFilter, budget: Budget, at: Viewpoint) -> int:
        """The number of the user's tasks that match. Raises QueryTooComplex beyond the budget."""
        sieve = Sieve(filter, at, self._within)
        if sieve.impossible:
            return 0
        if sieve.ids is not None:
            return len(self._of_ids(user_id, sieve, budget))
        if sieve.only_open:
            found = self._open.count(_wanted(user_id, sieve), budget)
            if found is not None:
                return found
        [run] = _runs(user_id, TaskOrder(), sieve, backward=False)
        total, start = 0, None
        while budget.left > 0:
            if sieve.is_exact:
                with self._shares.slot(user_id):
                    counted = self._table.count(
                        run.where, filter=run.filter, start=start, limit=MAX_COUNT_QUERY
                    )
                budget.spend(math.ceil(counted.scanned / COUNTED_PER_UNIT))
                total += counted.matches
                start = counted.last_key
            else:
                read = self._query(run, MAX_COUNTED_ITEMS, start)
                left_out = math.ceil((read.scanned - len(read.items)) / COUNTED_PER_UNIT)
                looked_at = sieve.cost(len(read.items), map(_description, read.items))
                budget.spend(looked_at + left_out)
                total += len(sieve.found(read.items))
                start = read.last_key
            if start is None:
                return total
        raise QueryTooComplex("There are too many tasks to count them in one request.")

    def open_tally(self, user_id: str, budget: Budget, at: Viewpoint) -> OpenTally:
        """Count the user's open tasks, in all and by project, in one pass.

        Raises QueryTooComplex beyond the budget.
        """
        sieve = Sieve(_OPEN, at, self._within)
        tally = OpenTally()
        tasks = self._open.all(user_id, budget)
        if tasks is not None:
            found, _ = self._open.matching(_wanted(user_id, sieve), tasks, budget)
            tally.add(found, at.now)
            return tally
        [run] = _runs(user_id, TaskOrder(), sieve, backward=False)
        for items in self._counted(run, MAX_COUNT_QUERY, budget, "count them"):
            tally.add(sieve.left(list(map(_decode, items))), at.now)
        return tally

    def _counted(self, run: "_Run", size: int, budget: Budget, what: str) -> Iterator[list[Item]]:
        """Yield all items of a run, which are only counted. Raises QueryTooComplex."""
        start: Item | None = None
        while budget.left > 0:
            read = self._query(run, size, start)
            budget.spend(math.ceil(read.scanned / COUNTED_PER_UNIT))
            yield read.items
            start = read.last_key
            if start is None:
                return
        raise QueryTooComplex(f"There are too many tasks to {what} in one request.")

    def _of_ids(self, user_id: str, sieve: Sieve, budget: Budget) -> list[Task]:
        """The user's tasks of the filter's ids that match, read by their keys."""
        ids = [each for each in sieve.ids or () if is_valid_key(each)]
        budget.spend(len(ids))
        keys = [{"user_id": user_id, "task_id": each} for each in ids]
        items = [] if sieve.impossible or not keys else self._table.get_many(keys)
        return sieve.left(list(map(_decode, items)))

    def _read(
        self,
        runs: Sequence["_Run"],
        sieve: Sieve,
        limit: int,
        position: str | None,
        budget: Budget,
    ) -> tuple[list[Task], str | None]:
        """Read up to `limit` matches; return them, and the position if it has stopped before.

        That is where the budget was spent, or where a long page has become large.
        """
        if position is not None:
            runs = runs[[run.letter for run in runs].index(position[0]) :]
        matches: list[Task] = []
        size = limit
        for run in runs:
            start = run.start(position)
            while len(matches) < limit:
                if budget.left <= 0:
                    return matches, run.position(start) if start else run.letter
                if run.filter or not sieve.is_exact:  # matches may be rare: read ever more
                    size = min(size * 2, MAX_QUERY)
                else:
                    size = limit - len(matches)
                read = self._query(run, size, start)
                budget.spend(sieve.cost(read.scanned, map(_description, read.items)))
                matches += sieve.found(read.items)
                start = read.last_key
                if start is None:
                    break
                if len(matches) >= LONG_PAGE and read.scanned < size:
                    return matches, run.position(start)
            position = None
        return matches[:limit], None

    def _query(self, run: "_Run", limit: int, start: Item | None) -> ItemPage:
        # A long list may end where a page is short, which is no sign of large texts here.
        ends = self._page_ends if run.descending and not run.index and limit < LONG_PAGE else None
        with self._shares.slot(run.user_id):
            if ends is not None:
                return ends.newest(
                    self._table, run.user_id, filter=run.filter, start=start, limit=limit
                )
            return self._table.query(
                run.where,
                index=run.index,
                filter=run.filter,
                start=start,
                descending=run.descending,
                limit=limit,
            )


@dataclass(frozen=True)
class _Run:
    """Tasks that are adjacent in one index, in the order of its sort key.

    A list is one run or several, one after the other. A position in it is the run's letter and
    the sort key, so it stays valid when tasks around it come and go. The letter is `c` in a list
    by creation; in one by due date it is `d` for tasks with a due date, `u` for the others.
    """

    letter: str
    user_id: str
    where: Condition
    filter: Condition | None
    descending: bool
    index: str | None = None

    def position(self, key: Item) -> str:
        """The position of a key of this run."""
        return self.letter + str(key["due_order" if self.index else "task_id"]["S"])

    def start(self, position: str | None) -> Item | None:
        """The exclusive start key of a position; None for the beginning of the run."""
        sort_key = position[1:] if position else ""
        if not sort_key:
            return None
        if self.index is None:
            return codec.item(user_id=self.user_id, task_id=sort_key)
        task_id = sort_key.partition("#")[2]
        return codec.item(user_id=self.user_id, task_id=task_id, due_order=sort_key)


def _texts(item: Item) -> Iterator[str]:
    """The texts of a task that are searched."""
    yield item["title"]["S"]
    yield _description(item)
    yield from codec.texts(codec.Raw(item), "tags")


def _description(item: Item) -> str:
    return str(item["description"]["S"])


def _wanted(user_id: str, sieve: Sieve) -> Wanted:
    return Wanted(
        user_id,
        sieve.criterion,
        lambda tasks: sieve.cost(len(tasks), (task.description for task in tasks)),
    )


def _may_be_planned(task: OpenTask, start: datetime, end: datetime) -> bool:
    """Return whether a task may have planned blocks in a range of time."""
    begin, until = task.blocks_start, task.blocks_end
    return begin is not None and until is not None and begin < end and until >= start


def _creation_position(task: Task) -> str:
    return f"c{task.task_id}"


def _due_position(task: Task) -> str:
    return f"d{order}" if (order := task.due_order) else f"u{task.task_id}"


def _runs(user_id: str, order: TaskOrder, sieve: Sieve, *, backward: bool) -> list[_Run]:
    """The runs of the user's list, in the order in which they are read."""
    if sieve.impossible:
        return []
    descending = (order.direction is OrderDirection.DESC) is not backward
    by_user = Key("user_id").eq(user_id)
    if order.field is TaskOrderField.CREATED_AT:
        return [_Run("c", user_id, by_user, sieve.condition, descending)]
    runs = []
    if not sieve.undated:
        earliest = clock.text(sieve.earliest) if sieve.earliest else "0"
        latest = clock.text(sieve.latest) if sieve.latest else "~"
        # A due_order is longer than the date that it begins with, so none equals `latest`.
        dated = by_user & Key("due_order").between(earliest, latest)
        condition = sieve.condition_on_dated
        runs.append(_Run("d", user_id, dated, condition, descending, "by_due_date"))
    if not sieve.dated:
        runs.append(_Run("u", user_id, by_user, sieve.condition_on_undated, descending))
    return runs[::-1] if backward else runs
