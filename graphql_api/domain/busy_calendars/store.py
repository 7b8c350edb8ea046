"""Busy calendars in DynamoDB, in the table of users.

    user_id             item                            attributes
    <user id>           busycalendar#<id>               of `model.BusyCalendar`
    <user id>           busytimes#<id>                  times, and the source that was uploaded
    <user id>           busycalendars                   count, of them, and version
    busycalendars#due   <due_at>#<user id>#<id>         (when which one is read again)

Whoever reads a calendar claims it by moving its `due_at`, and its place among those that are due.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from graphql_api import clock, ids
from graphql_api.domain.busy_calendars.model import (
    MAX_CALENDARS,
    BusyCalendar,
    BusyTime,
    decoded,
    encoded,
)
from graphql_api.domain.planner.model import Interval
from graphql_api.domain.registers import Register
from graphql_api.errors import ID, NotFound
from graphql_api.infra.dynamodb import (
    Action,
    Attr,
    ConditionFailed,
    Database,
    Delete,
    Item,
    Key,
    Put,
    codec,
    pages,
)

DUE = "busycalendars#due"
PAGE = 20  # of those that are due, at a time
CALENDAR, TIMES = "busycalendar#", "busytimes#"


@dataclass(frozen=True, slots=True)
class Times:
    """The busy times of a calendar, and the text that they were read from, if it was uploaded."""

    item: str
    times: str
    source: str | None = None


@dataclass(frozen=True, slots=True)
class Place:
    """A place among the calendars that are due."""

    item: str

    @property
    def key(self) -> tuple[str, str]:
        """The user, and the calendar."""
        _, user_id, calendar_id = self.item.split("#")
        return user_id, calendar_id


class BusyCalendarStore:
    """Reads and writes busy calendars."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._table = database.table("Users")
        self._register = Register(database, "busycalendars", "busy calendars: remove one")

    def all(self, user_id: str) -> list[BusyCalendar]:
        """The user's calendars, the oldest first."""
        where = Key("user_id").eq(user_id) & Key("item").begins_with(CALENDAR)
        found = self._table.query(where, limit=MAX_CALENDARS)
        return [codec.decode(BusyCalendar, item) for item in found.items]

    def find(self, user_id: str, calendar_id: str) -> BusyCalendar | None:
        """One of the user's calendars, if there is such a one."""
        if not ids.is_id(calendar_id):
            return None
        item = self._table.get(user_id=user_id, item=CALENDAR + calendar_id)
        return codec.decode(BusyCalendar, item) if item else None

    def get(self, user_id: str, calendar_id: str, field: str = ID) -> BusyCalendar:
        """One of the user's calendars. Raises NotFound."""
        found = self.find(user_id, calendar_id)
        if found is None:
            raise _not_found(field)
        return found

    def times(self, user_id: str) -> list[Interval]:
        """The busy times of all calendars of a user, as they were read last."""
        return [Interval(each.start, each.end) for each in self.times_by_calendar(user_id)]

    def times_by_calendar(self, user_id: str) -> list[BusyTime]:
        """The busy times, each with its calendar."""
        where = Key("user_id").eq(user_id) & Key("item").begins_with(TIMES)
        found = pages(lambda start: self._table.query(where, start=start, limit=MAX_CALENDARS))
        return [time for items in found for item in items for time in _times(item)]

    def times_of(self, user_id: str, calendar_id: str) -> list[BusyTime]:
        """The busy times of one calendar. Raises NotFound."""
        is_id = ids.is_id(calendar_id)
        item = self._table.get(user_id=user_id, item=TIMES + calendar_id) if is_id else None
        if item is None:
            raise _not_found("calendar_id")
        return _times(item)

    def source(self, calendar: BusyCalendar) -> str | None:
        """The text of a calendar that was uploaded."""
        item = self._table.get(user_id=calendar.user_id, item=TIMES + calendar.calendar_id)
        return codec.decode(Times, item).source if item else None

    def add(
        self,
        calendar: BusyCalendar,
        times: Sequence[Interval],
        source: str | None,
        replaced: BusyCalendar | None = None,
    ) -> None:
        """Store a new calendar, in the place of another one if that is given.

        Raises Conflict for too many, and ConditionFailed for another count or a changed calendar.
        """
        if replaced is None:
            beside: list[Action] = [self._register.adding(calendar.user_id, MAX_CALENDARS)]
        else:
            beside = self._removal(replaced)
        self._write(
            calendar,
            Put(self._table, _item(calendar), Attr("item").not_exists()),
            self._times(calendar, times, source),
            Put(self._table, codec.item(**_place(calendar))),
            *beside,
        )

    def replace(
        self,
        before: BusyCalendar,
        after: BusyCalendar,
        times: Sequence[Interval] | None = None,
        source: str | None = None,
    ) -> None:
        """Store the next state, and its times if there are new ones. Raises ConditionFailed."""
        new = [] if times is None else [self._times(after, times, source)]
        moved: list[Action] = [Put(self._table, codec.item(**_place(after)))]
        if _place(before) != _place(after):
            moved.append(Delete(self._table, _place(before)))
        unchanged = Attr("version").eq(before.version)
        self._write(after, Put(self._table, _item(after), unchanged), *new, *moved)

    def remove(self, calendar: BusyCalendar) -> None:
        """Delete a calendar. Raises ConditionFailed if it has changed, or for another count."""
        counted = self._register.removing(calendar.user_id)
        try:
            self._database.transact(*self._removal(calendar), counted)
        except ConditionFailed as failure:
            if not failure.maybe_applied or self.find(calendar.user_id, calendar.calendar_id):
                raise

    def _removal(self, calendar: BusyCalendar) -> list[Action]:
        key = {"user_id": calendar.user_id, "item": CALENDAR + calendar.calendar_id}
        return [
            Delete(self._table, key, Attr("version").eq(calendar.version)),
            Delete(self._table, {**key, "item": TIMES + calendar.calendar_id}),
            Delete(self._table, _place(calendar)),
        ]

    def due(self, now: datetime) -> list[Place]:
        """The first calendars that are due."""
        before = Key("user_id").eq(DUE) & Key("item").lt(clock.text(now))
        found = self._table.query(before, limit=PAGE)
        return [codec.decode(Place, item) for item in found.items]

    def is_placed(self, calendar: BusyCalendar, place: Place) -> bool:
        """Tell whether a calendar is due at a place, and not at another one."""
        return _place(calendar)["item"] == place.item

    def drop(self, place: Place) -> None:
        """Delete a place that no calendar has any more."""
        self._table.delete_many([{"user_id": DUE, "item": place.item}])

    def remove_all(self, user_id: str) -> None:
        """Delete what lies outside of the user's own partition."""
        self._table.delete_many([_place(calendar) for calendar in self.all(user_id)])

    def _times(self, calendar: BusyCalendar, times: Sequence[Interval], source: str | None) -> Put:
        key = {"user_id": calendar.user_id, "item": TIMES + calendar.calendar_id}
        return Put(self._table, codec.item(**key, times=encoded(times), source=source))

    def _write(self, calendar: BusyCalendar, *actions: Action) -> None:
        try:
            self._database.transact(*actions)
        except ConditionFailed as failure:
            # If it is stored as we have it, the response to our own first attempt was lost.
            stored = self.find(calendar.user_id, calendar.calendar_id)
            if not failure.maybe_applied or stored != calendar:
                raise


def _not_found(field: str) -> NotFound:
    return NotFound("Busy calendar not found or access denied", field)


def _times(item: Item) -> list[BusyTime]:
    """The busy times of a stored item."""
    stored = codec.decode(Times, item)
    calendar_id = stored.item.removeprefix(TIMES)
    return [BusyTime(calendar_id, each.start, each.end) for each in decoded(stored.times)]


def _item(calendar: BusyCalendar) -> Item:
    key = {"user_id": calendar.user_id, "item": CALENDAR + calendar.calendar_id}
    return {**codec.encode(calendar), **codec.item(**key)}


def _place(calendar: BusyCalendar) -> dict[str, str]:
    """The place of a calendar among those that are due."""
    due = clock.text(calendar.due_at)
    return {"user_id": DUE, "item": f"{due}#{calendar.user_id}#{calendar.calendar_id}"}
