#!/usr/bin/env bash
# npm rrule-temporal 2.2.8: a time of day that the clock leaves out.
#
# 02:30 does not exist in Berlin on 29 March 2026. A daily rule with COUNT=4 drops that day without counting it, so the
# series ends a day later than its fourth day. npm rrule-rust 3.1.1 takes 03:30 and counts it.
# RFC 5545, 3.3.5: such a local time is read with the offset before the gap.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
npm install --silent --no-audit --no-fund rrule-temporal@2.2.8 rrule-rust@3.1.1 > "$work/npm.log"
cat > look.mjs <<'JS'
import assert from 'node:assert'
import { RRuleSet } from 'rrule-rust'
import { RRuleTemporal } from 'rrule-temporal'

const text = 'DTSTART;TZID=Europe/Berlin:20260327T023000\nRRULE:FREQ=DAILY;COUNT=4'
const temporal = new RRuleTemporal({ rruleString: text }).all().map((at) => at.toString().slice(0, 16))
const rust = RRuleSet.fromString(text).all().map(String)
console.log('rrule-temporal:', temporal)
console.log('rrule-rust:', rust)
assert.deepEqual(temporal, ['2026-03-27T02:30', '2026-03-28T02:30', '2026-03-30T02:30', '2026-03-31T02:30'])
assert.deepEqual(rust, ['20260327T023000', '20260328T023000', '20260329T033000', '20260330T023000'])
JS
node look.mjs
