"""Checks a plan against the rules, minute by minute, and shares nothing with what made it."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import cache
from zoneinfo import ZoneInfo

from graphql_api.domain.planner.model import (
    Plan,
    PlanRequest,
    PlanTask,
    ReasonCode,
    UnplacedCode,
)

MINUTE = timedelta(minutes=1)


def verify(request: PlanRequest, plan: Plan) -> None:
    """Fail unless the plan keeps every rule for this request."""
    rules = Rules(request, plan)
    rules.each_task_is_placed_or_left_out()
    rules.blocks_are_in_free_time_and_apart()
    for task in request.tasks:
        if task.task_id not in rules.left_out:
            rules.pieces_are_whole(task)
            rules.the_time_is_right(task)
        else:
            rules.it_had_to_be_left_out(task)
    rules.what_is_late_is_at_risk()
    rules.the_reasons_are_true()
    rules.the_cost_is_right()
    assert plan.input_hash == request.input_hash


@cache
def first(wall: datetime, zone: str) -> datetime:
    """The first instant at which the clocks of a zone show a time or a later one."""
    at = wall.replace(tzinfo=UTC) - timedelta(hours=15)
    step = timedelta(hours=1)
    while (at + step).astimezone(ZoneInfo(zone)).replace(tzinfo=None) < wall:
        at += step
    while at.astimezone(ZoneInfo(zone)).replace(tzinfo=None) < wall:
        at += MINUTE
    return at


def down(at: datetime) -> datetime:
    return at.replace(second=0, microsecond=0)


def up(at: datetime) -> datetime:
    return down(at + MINUTE - timedelta(microseconds=1))


class Rules:
    def __init__(self, request, plan):
        self.request, self.plan = request, plan
        self.start = up(request.from_).astimezone(UTC)
        self.end = self.start + timedelta(days=request.horizon_days)
        self.blocks = {}
        for block in plan.blocks:
            self.blocks.setdefault(block.task_id, []).append(block)
        self.by_id = {task.task_id: task for task in request.tasks}
        self.fixed = {}
        for piece in request.fixed:
            self.fixed.setdefault(piece.task_id, []).append((down(piece.start), down(piece.end)))
        self.left_out = {task.task_id for task in plan.unplaced}
        named = {task.schedule for task in request.tasks}
        weeks = {week.name: week.hours for week in request.schedules if week.name in named}
        self.free = {name: self.free_minutes(weeks[name]) for name in weeks}
        self.free[""] = self.free_minutes(request.hours)
        self.first = {name: max(0, free.find(1)) for name, free in self.free.items()}

    def number(self, at):
        return (at - self.start) // MINUTE

    def schedule(self, task_id):
        """The schedule in which a task is done; empty for the working hours."""
        name = self.by_id[task_id].schedule
        return name if name in self.free else ""

    def free_minutes(self, hours):
        """A byte for each minute of the plan, 1 where there is time."""
        free = bytearray(self.number(self.end))
        day = (self.start - timedelta(days=2)).date()
        while day <= (self.end + timedelta(days=2)).date():
            for opens, closes in hours.weekly[day.weekday()] if day not in hours.days_off else ():
                until = day if closes > opens else day + timedelta(days=1)
                low = first(datetime.combine(day, opens), hours.timezone)
                high = first(datetime.combine(until, closes), hours.timezone)
                self.fill(free, low, high, 1)
            day += timedelta(days=1)
        buffers = self.request.buffers
        for apart, taken in (
            (buffers.around_busy * MINUTE, self.request.busy),
            (buffers.after_block * MINUTE, self.request.fixed),
        ):
            for each in taken:
                self.fill(free, down(each.start) - apart, up(each.end) + apart, 0)
        return free

    def is_fixed(self, block):
        return (block.start, block.end) in self.fixed.get(block.task_id, ())

    def placed(self, task_id):
        """The pieces of a task that were not fixed."""
        return [block for block in self.blocks.get(task_id, ()) if not self.is_fixed(block)]

    def fill(self, minutes, low, high, value):
        low, high = max(0, self.number(low)), min(len(minutes), self.number(high))
        if low < high:
            minutes[low:high] = bytes([value]) * (high - low)

    def each_task_is_placed_or_left_out(self):
        left_out = [task.task_id for task in self.plan.unplaced]
        assert {*self.blocks, *left_out} == set(self.by_id)
        for task_id in {*self.blocks} & {*left_out}:
            assert self.placed(task_id) == []
        assert list(self.plan.blocks) == sorted(
            self.plan.blocks, key=lambda block: (block.start, block.end, block.task_id)
        )
        assert left_out == sorted(left_out)

    def blocks_are_in_free_time_and_apart(self):
        for block in self.plan.blocks:
            if self.is_fixed(block):
                continue
            low, high = self.number(block.start), self.number(block.end)
            free = self.free[self.schedule(block.task_id)]
            assert 0 <= low <= high <= len(free)
            assert free[low:high] == b"\1" * (high - low), block
            if low < high:
                apart = self.request.buffers.after_block
                low, high = max(0, low - apart), high + apart
                for each in self.free.values():
                    each[low:high] = each[low:high].replace(b"\1", b"\2")

    def pieces_are_whole(self, task: PlanTask):
        blocks = self.blocks[task.task_id]
        stayed = [(block.start, block.end) for block in blocks if self.is_fixed(block)]
        assert stayed == self.fixed.get(task.task_id, [])
        lengths = [(b.end - b.start) // MINUTE for b in self.placed(task.task_id)]
        assert sum(lengths) == task.duration_minutes
        assert [block.part for block in blocks] == list(range(1, len(blocks) + 1))
        assert {block.parts for block in blocks} == {len(blocks)}
        if len(lengths) > 1:
            assert 0 < task.min_chunk_minutes <= min(lengths)
        if self.is_cut(task):
            self.no_piece_is_too_long_or_too_near(task, lengths)

    def no_piece_is_too_long_or_too_near(self, task, lengths):
        assert max(lengths, default=0) <= task.max_chunk_minutes
        around = timedelta(minutes=self.pause())
        blocks = self.blocks[task.task_id]
        for block in self.placed(task.task_id) if task.duration_minutes else ():
            for other in blocks:
                apart = other.end + around <= block.start or block.end + around <= other.start
                assert other is block or other.start == other.end or apart, block

    def is_cut(self, task):
        """Whether a task has a longest piece, which means nothing if it is never split."""
        return bool(task.min_chunk_minutes and task.max_chunk_minutes)

    def pause(self):
        """Minutes between two pieces of a task that has a longest one."""
        return max(self.request.buffers.break_minutes, self.request.buffers.after_block)

    def room(self, task):
        """A byte for each minute: whether it is free, and as far from fixed pieces as must be."""
        free = bytearray(self.free[self.schedule(task.task_id)])
        for piece in self.request.fixed if self.is_cut(task) else ():
            if piece.task_id == task.task_id and piece.start < piece.end:
                around = timedelta(minutes=self.pause())
                self.fill(free, down(piece.start) - around, up(piece.end) + around, 0)
        return free

    def minutes_in_one_place(self, task):
        """Minutes of a task with the pauses between its pieces."""
        if not self.is_cut(task):
            return task.duration_minutes
        pieces = max(1, -(-task.duration_minutes // task.max_chunk_minutes))
        return task.duration_minutes + (pieces - 1) * self.pause()

    def span(self, task_id):
        pieces = [(block.start, block.end) for block in self.blocks.get(task_id, ())]
        pieces = pieces or self.fixed[task_id]
        return pieces[0][0], max(end for _, end in pieces)

    def lighter_later(self, block):
        """What is told of the tasks of less weight that begin after a block; None without any."""
        if block.start == block.end:
            return None
        firsts = [pieces[0] for pieces in self.blocks.values()]
        weight = self.by_id[block.task_id].weight
        count = sum(
            block.start < first.start < first.end and self.by_id[first.task_id].weight < weight
            for first in firsts
        )
        tasks = "a task" if count == 1 else f"{count} tasks"
        return f"It weighs more than {tasks} planned later." if count else None

    def keeps_back(self, cause, start, task, other):
        """Whether it is true what keeps a heavier task from a start of another one."""
        if cause == "waits for it":
            return task.task_id in other.blocked_by
        if cause == "cannot begin by then":
            ends = [self.span(b)[1] for b in other.blocked_by if self.has_place(b)]
            return max(start, other.not_before or start, *ends) > start
        if cause in {"does not fit there", "has other hours"}:
            free = bytes(self.free[self.schedule(other.task_id)])
            room = free[self.number(start) :].partition(b"\0")[0]
            elsewhere = self.schedule(task.task_id) != self.schedule(other.task_id) and not room
            assert (cause == "has other hours") == elsewhere
            return len(room) < self.shortest_piece(other)
        assert not self.is_fixed(self.blocks[other.task_id][0])
        if cause in {"is due later", "has no deadline"}:
            return other.deadline is None or task.deadline < other.deadline
        assert cause == "is longer for its weight"
        value, others = task.weight**2, other.weight**2
        return 4 * value * other.duration_minutes > others * task.duration_minutes

    def shortest_piece(self, task):
        """Minutes of the shortest piece that a task can have."""
        least, minutes = task.min_chunk_minutes, task.duration_minutes
        return least if least and 2 * least <= minutes else minutes

    def is_within(self, task_id, other):
        """Whether another task has some of the time in which a task could be, or stays fixed."""
        free, blocks = self.free[self.schedule(task_id)], self.blocks[other]
        return other in self.fixed or any(
            b"\2" in free[self.number(block.start) : self.number(block.end)] for block in blocks
        )

    def has_place(self, task_id):
        return task_id not in self.left_out and (task_id in self.blocks or task_id in self.fixed)

    def the_time_is_right(self, task: PlanTask):
        for block in self.placed(task.task_id):
            assert task.not_before is None or block.start >= task.not_before
            assert all(self.span(blocker)[1] <= block.start for blocker in task.blocked_by)
            if task.deadline and task.deadline_is_hard:
                assert block.end <= task.deadline

    def it_had_to_be_left_out(self, task: PlanTask):
        (out,) = [out for out in self.plan.unplaced if out.task_id == task.task_id]
        waits_for = tuple(b for b in task.blocked_by if not self.has_place(b))
        assert (out.code is UnplacedCode.BLOCKER_UNPLACED) == bool(waits_for)
        assert out.task_ids == waits_for
        assert min(1, task.duration_minutes) <= out.missing_minutes <= task.duration_minutes
        if not waits_for:
            low, high = self.window(task)
            free = self.room(task)
            run = self.longest_run(free, low, high)
            assert run < self.minutes_in_one_place(task) or low > high
            if not task.min_chunk_minutes and task.duration_minutes:
                usable = task.duration_minutes - out.missing_minutes
                if out.code is UnplacedCode.NO_TIME_LEFT:
                    assert usable == run
                else:  # others have nothing to do with it, but for when its blockers end
                    first = self.window(replace(task, blocked_by=()))[0]
                    least, most = (
                        self.longest_run(free, begin, high, taken=b"\1") for begin in (low, first)
                    )
                    assert least <= usable <= most

    def window(self, task):
        """From and until which minute an unplaced task could have been."""
        earliest = [self.start, *(self.span(blocker)[1] for blocker in task.blocked_by)]
        if task.not_before:
            earliest.append(up(task.not_before))
        latest = self.end
        if task.deadline and task.deadline_is_hard:
            latest = min(latest, down(task.deadline))
        return self.number(max(earliest)), self.number(latest)

    def longest_run(self, free, low, high, taken=b"\0"):
        """Minutes of the longest free time; `taken` is what others' time counts as."""
        runs = bytes(free[low : max(low, high)]).replace(b"\2", taken).split(b"\0")
        return max(map(len, runs))

    def lateness(self, task, since, early=0):
        """Minutes after the deadline, or after a time before it; or since another time."""
        if task.task_id in self.left_out or task.deadline is None:
            return 0
        until = max(since, self.deadline(task) - early)
        return max(0, self.number(self.span(task.task_id)[1]) - until)

    def deadline(self, task):
        return self.number(down(task.deadline))

    def what_is_late_is_at_risk(self):
        late = {
            task.task_id: minutes
            for task in self.request.tasks
            if (minutes := self.lateness(task, since=-(10**9)))
        }
        assert {risk.task_id: risk.late_minutes for risk in self.plan.at_risk} == late
        assert not any(self.by_id[id_].deadline_is_hard for id_ in late if id_ not in self.fixed)

    def the_reasons_are_true(self):
        for block in self.plan.blocks:
            task = self.by_id[block.task_id]
            codes = [reason.code for reason in block.reasons]
            assert len(codes) == len(set(codes)) > 0
            assert all(reason.text.endswith(".") for reason in block.reasons)
            by_code = dict(zip(codes, block.reasons, strict=True))
            assert (ReasonCode.SPLIT in codes) == (block.parts > 1)
            assert (ReasonCode.FIXED in codes) == self.is_fixed(block)
            milestone = task.duration_minutes == 0 and not self.is_fixed(block)
            assert (ReasonCode.MILESTONE in codes) == milestone
            late = task.task_id in {risk.task_id for risk in self.plan.at_risk}
            assert (ReasonCode.LATE in codes) == late
            in_time = task.deadline is not None and not late
            in_time = in_time and task.task_id not in self.left_out
            assert (ReasonCode.DEADLINE in codes) == in_time
            if others := by_code.get(ReasonCode.OTHERS_FIRST):
                assert all(self.span(other)[0] < block.start for other in others.task_ids)
                assert others.task_ids
                assert all(self.is_within(task.task_id, other) for other in others.task_ids)
            if not self.is_fixed(block):
                heavier = by_code.get(ReasonCode.URGENCY)
                assert self.lighter_later(block) == (heavier.text if heavier else None)
            if waits := by_code.get(ReasonCode.AFTER_BLOCKER):
                assert set(waits.task_ids) <= set(task.blocked_by)
            if first := by_code.get(ReasonCode.LIGHTER_FIRST):
                (other,) = first.task_ids
                assert self.by_id[other].weight > task.weight
                assert self.span(other)[0] > block.start
                cause = first.text.partition("weighs more but ")[2].rstrip(".")
                assert self.keeps_back(cause, block.start, task, self.by_id[other])
            named = task.schedule in self.free
            assert (ReasonCode.SCHEDULE in codes) == (bool(task.schedule) and named)
            assert (ReasonCode.NO_SCHEDULE in codes) == (bool(task.schedule) and not named)
            if ReasonCode.KEPT in codes:
                assert self.request.keep_current
                assert any(p.start <= block.start and block.end <= p.end for p in task.planned)
            if ReasonCode.NOT_BEFORE in codes:
                assert task.not_before > self.start

    def the_cost_is_right(self):
        """The clauses of docs/planning.md in numbers: left out, late, tight, waiting."""
        cost = 0
        for task in self.request.tasks:
            value = task.weight**2
            if task.task_id in self.left_out:
                hard = 4 if task.deadline and task.deadline_is_hard else 1
                work = value * hard * max(1, task.duration_minutes)
                cost += 10**9 * (100 * work + task.weight * len(self.free[""]))
            else:
                end = max(0, self.number(self.span(task.task_id)[1]))
                late, tight = self.lateness(task, since=0), self.lateness(task, since=0, early=1440)
                if task.deadline and self.deadline(task) < self.first[self.schedule(task.task_id)]:
                    cost += 4 * value * end  # it is overdue anyway
                else:
                    cost += task.weight * (10**9 * late + 1000 * tight) + value * end
        moves = self.plan.cost - cost
        assert moves == 0 or (self.request.previous and moves % 500_000 == 0 < moves)
