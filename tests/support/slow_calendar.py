"""An oracle of recurrence: walks day by day over the text of RFC 5545, without any library.

It shares nothing with the service: each sentence of section 3.3.10 is a condition on one day, and
instants are found by trying the offsets that the zone has around a local time.
"""

from calendar import isleap, monthrange
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

ONE_DAY = timedelta(1)
NAMES = ["MO", "TU", "WE", "TH", "FR", "SA", "SU"]


def days(rrule, first, *, clamped, until_year):
    """The days of a rule from its first one on; COUNT and UNTIL are not looked at."""
    parts = dict(part.split("=") for part in rrule.split(";"))
    conditions = _Conditions(parts, first, clamped)
    if "BYSETPOS" not in parts:
        day = first
        while day.year <= until_year:
            if conditions.hold(day):
                yield day
            day += ONE_DAY
        return
    positions = [int(each) for each in parts["BYSETPOS"].split(",")]
    day, period, members = first - timedelta(400), None, []
    while day.year <= until_year + 1:
        number = conditions.period(day)
        if number != period:
            for index, each in enumerate(members):
                if {index + 1, index - len(members)} & set(positions) and each >= first:
                    yield each
            period, members = number, []
        if conditions.hold(day):
            members.append(day)
        day += ONE_DAY


class _Conditions:
    def __init__(self, parts, first, clamped):
        self.frequency = parts["FREQ"]
        self.interval = int(parts.get("INTERVAL", 1))
        self.first, self.clamped = first, clamped
        self.start = NAMES.index(parts.get("WKST", "MO"))
        self.months = _numbers(parts, "BYMONTH")
        self.month_days = _numbers(parts, "BYMONTHDAY")
        self.year_days = _numbers(parts, "BYYEARDAY")
        self.weeks = _numbers(parts, "BYWEEKNO")
        self.weekdays = [
            (int(each[:-2] or 0), NAMES.index(each[-2:]))
            for each in parts.get("BYDAY", "").split(",")
            if each
        ]
        if not (self.weekdays or self.month_days or self.year_days):
            if self.frequency == "WEEKLY" or self.weeks:
                self.weekdays = [(0, first.weekday())]
            elif self.frequency in {"MONTHLY", "YEARLY"}:
                self.month_days = [first.day]
                if self.frequency == "YEARLY":
                    self.months = self.months or [first.month]

    def week_begin(self, day):
        while day.weekday() != self.start:
            day -= ONE_DAY
        return day

    def period(self, day):
        if self.frequency == "DAILY":
            return (day - self.first).days
        if self.frequency == "WEEKLY":
            return (self.week_begin(day) - self.week_begin(self.first)).days // 7
        if self.frequency == "MONTHLY":
            return (day.year - self.first.year) * 12 + day.month - self.first.month
        return day.year - self.first.year

    def hold(self, day):
        length = monthrange(day.year, day.month)[1]
        year_length = 366 if isleap(day.year) else 365
        if self.period(day) % self.interval:
            return False
        if self.months and day.month not in self.months:
            return False
        if self.month_days:
            missing = any(each > length for each in self.month_days)
            filled = self.clamped and day.day == length and missing
            if not filled and not {day.day, day.day - length - 1} & set(self.month_days):
                return False
        number = day.timetuple().tm_yday
        if self.year_days and not {number, number - year_length - 1} & set(self.year_days):
            return False
        if self.weeks and not self._in_weeks(day):
            return False
        return not self.weekdays or any(self._is_nth(day, *each) for each in self.weekdays)

    def _in_weeks(self, day):
        """RFC 5545: week one is the first week with at least four days in its calendar year."""
        begin = self.week_begin(day)
        year = (begin + timedelta(3)).year
        first = self.week_begin(date(year, 1, 4))
        number = (begin - first).days // 7 + 1
        count = (self.week_begin(date(year + 1, 1, 4)) - first).days // 7
        return bool({number, number - count - 1} & set(self.weeks))

    def _is_nth(self, day, nth, weekday):
        if day.weekday() != weekday:
            return False
        if not nth:
            return True
        by_year = self.frequency == "YEARLY" and not self.months
        number, length = day.day, monthrange(day.year, day.month)[1]
        if by_year:
            number, length = day.timetuple().tm_yday, 366 if isleap(day.year) else 365
        return nth in {(number - 1) // 7 + 1, -((length - number) // 7 + 1)}


def _numbers(parts, name):
    return [int(each) for each in parts.get(name, "").split(",") if each]


def instants(days_, time, timezone):
    """Days of the zone and instants of local times: a gap shifts, of two times the first counts.

    A time in a gap means, by RFC 5545 3.3.5, what it would with the offset before the gap.
    """
    zone = ZoneInfo(timezone)
    found = {}
    for day in days_:
        local = datetime.combine(day, time)
        around = [(local.replace(tzinfo=UTC) + timedelta(hours=h)) for h in range(-30, 31)]
        offsets = dict.fromkeys(each.astimezone(zone).utcoffset() for each in around)
        fits = sorted(
            at
            for at in (local.replace(tzinfo=UTC) - offset for offset in offsets)
            if at.astimezone(zone).replace(tzinfo=None, fold=0) == local
        )
        if fits:
            at = fits[0]
        else:
            before = _offset_before_gap(local, zone)
            at = local.replace(tzinfo=UTC) - before
        found.setdefault(at, at.astimezone(zone).date())
    return [(on, at) for at, on in sorted(found.items())]


def _offset_before_gap(local, zone):
    """The offset until the minute from which the clock shows later than a local time."""
    at = local.replace(tzinfo=UTC) - timedelta(hours=30)
    while (at + timedelta(minutes=15)).astimezone(zone).replace(tzinfo=None) <= local:
        at += timedelta(minutes=15)
    return at.astimezone(zone).utcoffset()
