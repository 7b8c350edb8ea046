#!/usr/bin/env bash
# python-dateutil 2.9.0.post0: BYDAY with numbered days beside plain ones.
#
# "Every Monday, and the first Wednesday of the month" is FREQ=MONTHLY;BYDAY=MO,1WE (RFC 5545, 3.3.10: BYDAY is a list of
# days, each of which may have a number). dateutil takes plain days and numbered ones for two conditions that
# a date has to meet both: there is no such date, the rule is empty, and nothing says so.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check python-dateutil==2.9.0.post0
"$work/venv/bin/python" - <<'PY'
from datetime import datetime

from dateutil.rrule import rrulestr

start = datetime(2026, 1, 1)
until = datetime(2026, 1, 31)


def days(byday):
    rule = rrulestr(f"FREQ=MONTHLY;BYDAY={byday};UNTIL=20260131T000000", dtstart=start)
    return [f"{day:%a %d}" for day in rule.between(start, until, inc=True)]


seen = {byday: days(byday) for byday in ("MO", "1WE", "MO,1WE")}
print(seen)
assert seen["MO"] == ["Mon 05", "Mon 12", "Mon 19", "Mon 26"]
assert seen["1WE"] == ["Wed 07"]
assert seen["MO,1WE"] == []
PY
