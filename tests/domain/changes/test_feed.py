"""The feed by itself: positions, passes and the order of one task's changes."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from graphql_api import ids
from graphql_api.domain.changes.feed import Feed
from graphql_api.domain.changes.model import SYSTEM, WINDOW, Change, ChangeKind, Position
from graphql_api.domain.changes.store import ChangeStore
from graphql_api.errors import BadUserInput, CursorExpired
from graphql_api.infra.dynamodb import Database, connect
from graphql_api.infra.dynamodb.codec import Raw

NOW = datetime(2036, 11, 29, 12, tzinfo=UTC)  # to come: DynamoDB Local deletes what has expired
RETENTION = timedelta(days=30)
LONG = WINDOW * 2


def change(at=NOW, task="t", previous=None, user="u", **more):
    return Change(
        user_id=user,
        change_id=ids.id_after(at, previous),
        kind=ChangeKind.TASK_UPDATED,
        task_id=task,
        version=2,
        fields=("title",),
        before=Raw({"title": {"S": "Old"}}),
        actor=SYSTEM,
        previous=previous,
        **more,
    )


class Memory:
    """Changes as the store would find them."""

    def __init__(self):
        self.changes = {}
        self.reads = 0

    def add(self, *changes):
        self.changes |= {each.change_id: each for each in changes}

    def after(self, _user, after, limit, _now):
        self.reads += 1
        return [self.changes[key] for key in sorted(self.changes) if key > after][:limit]

    def find(self, _user, change_id):
        self.reads += 1
        return self.changes.get(change_id)

    def count(self, _user, after, last):
        self.reads += 1
        return sum(after <= key <= last for key in self.changes)


def read_to_the_end(feed, position, now, first=2):
    found = []
    while True:
        page = feed.page("u", position, first, now)
        found += page.changes
        position = page.end
        if not page.more:
            return found, position


def test_a_pass_gives_every_change_once_in_the_order_of_time():
    memory = Memory()
    changes = [change(NOW - LONG + timedelta(seconds=n)) for n in range(5)]
    memory.add(*reversed(changes))

    found, end = read_to_the_end(Feed(memory), Position.start(NOW, RETENTION), NOW + LONG)

    assert found == changes
    assert end == Position(ids.first_id(NOW + LONG - WINDOW))
    assert read_to_the_end(Feed(memory), end, NOW + LONG)[0] == []


def test_a_change_that_is_committed_late_comes_with_the_next_pass():
    memory = Memory()
    early, late = change(NOW), change(NOW + timedelta(seconds=1))
    memory.add(late)
    _, end = read_to_the_end(Feed(memory), Position.end(NOW), NOW + timedelta(seconds=2))

    memory.add(early)
    found, _ = read_to_the_end(Feed(memory), end, NOW + timedelta(seconds=3))

    assert found == [early, late]


def test_an_earlier_change_that_was_overtaken_comes_before_the_later_one_of_its_task():
    memory = Memory()
    other = [change(NOW + timedelta(seconds=n), task=f"other {n}") for n in range(1, 4)]
    first = change(NOW)
    second = change(NOW + timedelta(seconds=9), previous=first.change_id)
    memory.add(*other)
    page = Feed(memory).page("u", Position.end(NOW), 2, NOW + timedelta(seconds=9))

    memory.add(first, second)  # committed while the reader is between two pages
    found, _ = read_to_the_end(Feed(memory), page.end, NOW + timedelta(seconds=9))

    assert found == [first, *other, second]


def test_an_earlier_change_that_is_committed_while_a_page_is_read_is_read_by_itself():
    memory = Memory()
    first = change(NOW)
    second = change(NOW + timedelta(seconds=1), previous=first.change_id)
    memory.add(second)
    after = memory.after

    def read_and_commit(*where):
        found = after(*where)
        memory.add(first)
        return found

    memory.after = read_and_commit
    found = Feed(memory).page("u", Position.end(NOW), 2, NOW + timedelta(seconds=9)).changes

    assert found == [first, second]


def test_a_task_that_is_changed_all_the_time_takes_two_reads_a_page():
    memory, changes = Memory(), [change(NOW)]
    for number in range(1, 500):
        at = NOW + timedelta(milliseconds=number)
        changes.append(change(at, previous=changes[-1].change_id))
    memory.add(*changes)

    found, _ = read_to_the_end(
        Feed(memory), Position.end(NOW), NOW + timedelta(seconds=1), first=50
    )

    assert found == changes
    assert memory.reads == 10 + 9  # a page, and a count of what came before it


@given(
    st.lists(
        st.tuples(
            st.integers(0, 2), st.integers(0, 500), st.integers(0, 3_000), st.integers(0, 8_000)
        ),
        max_size=40,
    ),
    st.lists(st.integers(1, 1_500), max_size=20),
)
def test_the_changes_of_a_task_come_in_their_order_however_late_and_by_whatever_clock(
    writes, pauses
):
    """Each follows its task's last one by some milliseconds, is committed, and dated early."""
    memory, pending, last, free = Memory(), [], {}, {}
    for task, gap, lag, behind in writes:
        begun = free.get(task, 0) + gap
        at = NOW + timedelta(milliseconds=begun - behind)
        last[task] = change(at, task=f"{task}", previous=getattr(last.get(task), "change_id", None))
        free[task] = begun + lag
        pending.append((free[task], len(pending), last[task]))
    pending.sort()
    position, seen, clock = Position.end(NOW), [], 0
    for pause in [*pauses, *[500] * 200]:
        clock += pause
        while pending and pending[0][0] <= clock:
            memory.add(pending.pop(0)[2])
        page = Feed(memory).page("u", position, 3, NOW + timedelta(milliseconds=clock))
        seen += page.changes
        position = page.end

    assert not pending
    first_seen = list(dict.fromkeys(each.change_id for each in seen))
    assert sorted(first_seen) == sorted(memory.changes)
    for task in last:
        of_task = [key for key in first_seen if memory.changes[key].task_id == f"{task}"]
        assert of_task == sorted(of_task)


@given(
    st.lists(st.tuples(st.integers(0, 12_000), st.integers(0, 14_000)), max_size=30),
    st.lists(st.integers(1, 9_000), max_size=12),
)
def test_whoever_reads_on_gets_every_change_however_late_it_is_committed(writes, pauses):
    """Each write is dated some milliseconds after NOW, and committed less than WINDOW later."""
    memory = Memory()
    feed = Feed(memory)
    pending = sorted(
        (dated + late, number, change(NOW + timedelta(milliseconds=dated), task=f"{number}"))
        for number, (dated, late) in enumerate(writes)
    )
    position, seen, clock = Position.end(NOW), [], 0
    for pause in pauses:
        clock += pause
        while pending and pending[0][0] <= clock:
            memory.add(pending.pop(0)[2])
        page = feed.page("u", position, 3, NOW + timedelta(milliseconds=clock))
        seen += page.changes
        position = page.end
    memory.add(*(each for _, _, each in pending))
    for _ in range(2):  # the rest of this pass, and one that begins after the last commit
        found, position = read_to_the_end(feed, position, NOW + timedelta(milliseconds=30_000))
        seen += found

    assert {each.change_id for each in seen} == set(memory.changes)


def test_the_position_of_a_change_is_behind_it_unless_an_earlier_one_may_still_come():
    old, new = change(NOW - LONG), change(NOW)

    assert Position.of(old, NOW) == Position(old.change_id)
    assert Position.of(new, NOW) == Position(ids.first_id(NOW - WINDOW))


@given(st.integers(0, 10**12), st.booleans())
def test_a_position_is_read_as_it_was_written(microseconds, between_pages):
    at = NOW + timedelta(microseconds=microseconds)
    position = Position(ids.new_id(at))
    if between_pages:
        position = Position(ids.new_id(at), ids.first_id(at), 120)

    assert Position.parse(str(position), at, RETENTION) == position


ID = ids.first_id(NOW)


@pytest.mark.parametrize("text", ["", "x", "|", f"{ID}|x", f"{ID}|{ID}", f"{ID}|{ID}|x", "d" * 500])
def test_what_is_no_position_is_refused(text):
    with pytest.raises(BadUserInput, match="change feed") as refusal:
        Position.parse(text, NOW, RETENTION)

    assert refusal.value.field == "after"


def test_a_position_before_the_oldest_change_kept_has_expired():
    position = str(Position(ids.first_id(NOW - RETENTION - WINDOW - timedelta(seconds=1))))

    with pytest.raises(CursorExpired, match="kept for 30 days"):
        Position.parse(position, NOW, RETENTION)


def test_an_id_sorts_behind_the_one_before_it_though_the_clock_has_gone_back():
    first = ids.new_id(NOW)

    second = ids.id_after(NOW - timedelta(seconds=5), first)

    assert second > first
    assert ids.instant(second) == NOW + timedelta(milliseconds=1)


@pytest.fixture
def store(engine):
    return ChangeStore(Database(connect(engine), engine.table_prefix), RETENTION)


def write(store, *changes):
    store._table.database.transact(*map(store.put, changes))


def test_a_kept_change_is_found_as_it_was(store):
    kept = change(user="kept", undoes=ids.new_id(NOW))
    write(store, kept)

    assert store.find("kept", kept.change_id) == kept
    assert store.find("someone else", kept.change_id) is None
    assert store.find("kept", "no id") is None


def test_changes_of_several_days_are_read_in_their_order(store):
    days = [change(NOW - timedelta(days=n), user="days", task=f"{n}") for n in range(5)]
    write(store, *days)

    def found(after, limit):
        return [each.task_id for each in store.after("days", after, limit, NOW)]

    assert found(ids.first_id(NOW - RETENTION), 100) == ["4", "3", "2", "1", "0"]
    assert found(days[3].change_id, 2) == ["2", "1"]
    assert found(days[0].change_id, 2) == []


def test_the_changes_of_one_user_are_removed_and_no_others(store):
    mine = [change(NOW - timedelta(days=n), user="going") for n in (0, 29)]
    other = change(user="staying")
    write(store, *mine, other)

    store.remove_all("going", NOW)

    assert store.after("going", ids.first_id(NOW - RETENTION), 10, NOW) == []
    assert store.find("staying", other.change_id) == other
