#!/usr/bin/env bash
# npm chrono-node 2.10.3: "day after tomorrow" without "the", and the zone of a reference.
#
# "Call Bob day after tomorrow at 3pm" is tomorrow at 15:00. A reference with an IANA zone is read as if it had none: with Europe/Berlin,
# "july 1 at 10am" is 10:00 of the process's own zone, here UTC. And "next friday", on a Wednesday, is in nine days.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
npm install --silent --no-audit --no-fund --prefix "$work" chrono-node@2.10.3 >/dev/null
cd "$work"
TZ=UTC node --input-type=module - <<'JS'
import assert from 'node:assert'
import * as chrono from 'chrono-node'

const now = new Date('2026-11-25T10:00:00Z')
const seen = (text, reference = now) => chrono.parseDate(text, reference).toISOString()
const after = seen('Call Bob day after tomorrow at 3pm')
const friday = seen('Call Bob next friday').slice(0, 10)
const berlin = { instant: new Date('2026-06-15T09:00:00Z'), timezone: 'Europe/Berlin' }
const july = seen('july 1 at 10am', berlin)
console.log({ after, friday, july })
assert.equal(after, '2026-11-26T15:00:00.000Z')
assert.equal(friday, '2026-12-04')
assert.equal(july, '2026-07-01T10:00:00.000Z')
JS
