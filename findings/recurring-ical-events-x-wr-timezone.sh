#!/usr/bin/env bash
# PyPI recurring-ical-events 3.8.2: X-WR-TIMEZONE moves what recurs in UTC.
#
# An event at 08:00 UTC, each day from 28 March 2026, in a calendar with X-WR-TIMEZONE:Europe/Berlin: it comes at 08:00,
# and from the change of the clock on at 07:00 UTC. X-WR-TIMEZONE is no part of RFC 5545, by which it is 08:00 each day, as in
# ical.js, node-ical and PyPI ical.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check recurring-ical-events==3.8.2
"$work/venv/bin/python" - <<'PY'
from datetime import UTC, datetime

import recurring_ical_events
from icalendar import Calendar

TEXT = """BEGIN:VCALENDAR
VERSION:2.0
PRODID:x
X-WR-TIMEZONE:Europe/Berlin
BEGIN:VEVENT
UID:1
DTSTART:20260328T080000Z
DTEND:20260328T090000Z
RRULE:FREQ=DAILY;COUNT=3
END:VEVENT
END:VCALENDAR
"""
events = recurring_ical_events.of(Calendar.from_ical(TEXT)).between((2026, 3, 27), (2026, 4, 2))
seen = sorted(event["DTSTART"].dt.astimezone(UTC) for event in events)
print([f"{at:%d %B %H:%M}" for at in seen])
assert [at.hour for at in seen] == [8, 7, 7]
PY
