#!/usr/bin/env bash
# npm ical.js 2.2.1: BYSETPOS of a weekly rule is ignored.
#
# FREQ=WEEKLY;BYDAY=TU,TH;BYSETPOS=1 is each Tuesday; Thursdays come, too. In a monthly rule BYSETPOS is heeded.
# RFC 5545, 3.3.10: BYSETPOS limits the days of an interval of any rule.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
npm install --silent --no-audit --no-fund ical.js@2.2.1 > "$work/npm.log"
cat > look.mjs <<'JS'
import assert from 'node:assert'
import ICAL from 'ical.js'

const first = (start, rule) => {
  const iterator = ICAL.Recur.fromString(rule).iterator(ICAL.Time.fromString(start))
  return [0, 1, 2].map(() => iterator.next().toString().slice(0, 10))
}
const weekly = first('2026-01-06T09:00:00', 'FREQ=WEEKLY;BYDAY=TU,TH;BYSETPOS=1')
const monthly = first('2026-01-06T09:00:00', 'FREQ=MONTHLY;BYDAY=TU,TH;BYSETPOS=2')
console.log('weekly:', weekly, 'monthly:', monthly)
assert.deepEqual(weekly, ['2026-01-06', '2026-01-08', '2026-01-13'])
assert.deepEqual(monthly, ['2026-01-06', '2026-02-05', '2026-03-05'])
JS
node look.mjs
