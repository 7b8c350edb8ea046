#!/usr/bin/env bash
# npm rrule-rust 3.1.1: weekdays with a number beside those without one.
#
# FREQ=MONTHLY;BYDAY=MO,1WE is every Monday and the first Wednesday. It has no day at all, and that without an error;
# npm rrule-temporal 2.2.8 has them. RFC 5545, 3.3.10: each value of the list adds its days.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
npm install --silent --no-audit --no-fund rrule-temporal@2.2.8 rrule-rust@3.1.1 > "$work/npm.log"
cat > look.mjs <<'JS'
import assert from 'node:assert'
import { RRuleSet } from 'rrule-rust'
import { RRuleTemporal } from 'rrule-temporal'

const start = 'DTSTART;TZID=Europe/Berlin:20260601T090000\nRRULE:FREQ=MONTHLY;'
const rust = (rule) => RRuleSet.fromString(start + rule).all(4).map((at) => String(at).slice(0, 8))
const mixed = 'BYDAY=MO,1WE;COUNT=4'
const temporal = new RRuleTemporal({ rruleString: start + mixed }).all().map((at) => at.toString().slice(0, 10))
console.log('rrule-rust, MO,1WE:', rust(mixed))
console.log('rrule-temporal, MO,1WE:', temporal)
assert.deepEqual(rust(mixed), [])
assert.deepEqual(rust('BYDAY=1MO,1WE;COUNT=2'), ['20260601', '20260603'])
assert.deepEqual(temporal, ['2026-06-01', '2026-06-03', '2026-06-08', '2026-06-15'])
JS
node look.mjs
