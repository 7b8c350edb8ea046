#!/usr/bin/env bash
# PyPI icalendar 7.3.2: add_missing_timezones(), as npm ical.js 2.2.1 reads it.
#
# The VTIMEZONE that icalendar adds has its changes as one comma list of RDATEs. ical.js takes only the first of them,
# so 09:00 in Berlin in July is 08:00 UTC to it, and not 07:00. A feed in UTC needs no VTIMEZONE.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check icalendar==7.3.2
npm install --silent --no-audit --no-fund --prefix "$work" ical.js@2.2.1 >/dev/null
"$work/venv/bin/python" - > "$work/feed.ics" <<'PY'
import sys
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from icalendar import Calendar, Event

calendar, event = Calendar(), Event()
calendar.add("version", "2.0")
calendar.add("prodid", "x")
event.add("uid", "1")
event.add("dtstart", datetime(2026, 7, 1, 9, tzinfo=ZoneInfo("Europe/Berlin")))
event.add("duration", timedelta(hours=1))
calendar.add_component(event)
calendar.add_missing_timezones()
sys.stdout.buffer.write(calendar.to_ical())
PY
cd "$work"
node --input-type=module - <<'JS'
import assert from 'node:assert'
import { readFileSync } from 'node:fs'
import ICAL from 'ical.js'

const calendar = new ICAL.Component(ICAL.parse(readFileSync('feed.ics', 'utf8')))
for (const zone of calendar.getAllSubcomponents('vtimezone')) ICAL.TimezoneService.register(zone)
const event = new ICAL.Event(calendar.getFirstSubcomponent('vevent'))
const seen = event.startDate.toJSDate().toISOString()
console.log('09:00 in Berlin on 1 July 2026, by ical.js:', seen)
assert.equal(seen, '2026-07-01T08:00:00.000Z')
JS
