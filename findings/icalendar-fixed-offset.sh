#!/usr/bin/env bash
# PyPI icalendar 7.3.2: a datetime with a fixed offset loses it.
#
# 09:00+02:00 is written as DTSTART;TZID="UTC+02:00", without a VTIMEZONE, and read again as 09:00 without any zone. Convert to UTC first.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check icalendar==7.3.2
"$work/venv/bin/python" - <<'PY'
from datetime import datetime

from icalendar import Calendar, Event

calendar, event = Calendar(), Event()
event.add("dtstart", datetime.fromisoformat("2026-06-01T09:00:00+02:00"))
calendar.add_component(event)
calendar.add_missing_timezones()
written = calendar.to_ical()
read = Calendar.from_ical(written).walk("VEVENT")[0]["DTSTART"].dt
print([line for line in written.decode().splitlines() if line.startswith("DTSTART")], "→", repr(read))
assert read == datetime(2026, 6, 1, 9)
assert read.tzinfo is None
PY
