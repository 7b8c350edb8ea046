#!/usr/bin/env bash
# npm ical.js 2.2.1: days of a month in rules that are not monthly.
#
# FREQ=DAILY;BYMONTHDAY=-1, each last day of a month, never returns from next(), whatever COUNT or UNTIL says. And a
# yearly rule of 29 February comes on 1 March where the year lacks it.
# RFC 5545, 3.3.10: BYMONTHDAY limits a daily rule, and invalid dates are left out.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
npm install --silent --no-audit --no-fund ical.js@2.2.1 > "$work/npm.log"
cat > look.mjs <<'JS'
import ICAL from 'ical.js'

const [start, rule] = process.argv.slice(2)
const lines = ['BEGIN:VCALENDAR', 'BEGIN:VEVENT', 'UID:1', `DTSTART:${start}`, `RRULE:${rule}`, 'END:VEVENT', 'END:VCALENDAR']
const event = new ICAL.Component(ICAL.parse(lines.join('\r\n'))).getFirstSubcomponent('vevent')
const iterator = new ICAL.Event(event).iterator()
const found = []
for (let at = iterator.next(); at && found.length < 3; at = iterator.next()) found.push(at.toString().slice(0, 10))
console.log(found.join(' '))
JS
look() { echo "$2: $(timeout 10 node look.mjs "$1" "$2" || echo 'no answer in 10 seconds')"; }
seen=$(
  look 20260131T090000 'FREQ=MONTHLY;BYMONTHDAY=-1;COUNT=3'
  look 20260131T090000 'FREQ=DAILY;BYMONTHDAY=-1;COUNT=3'
  look 20240229T090000 'FREQ=YEARLY;COUNT=3'
)
echo "$seen"
test "$seen" = 'FREQ=MONTHLY;BYMONTHDAY=-1;COUNT=3: 2026-01-31 2026-02-28 2026-03-31
FREQ=DAILY;BYMONTHDAY=-1;COUNT=3: no answer in 10 seconds
FREQ=YEARLY;COUNT=3: 2024-02-29 2025-03-01 2026-03-01'
