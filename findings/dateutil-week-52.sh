#!/usr/bin/env bash
# python-dateutil 2.9.0.post0: BYWEEKNO and the first days of January, with the default WKST=MO.
#
# 1 and 2 January 2022 are Saturday and Sunday of ISO week 52 of 2021, as datetime.isocalendar says. A yearly rule
# of all days of week 52 leaves them out, and one of week 53 has them, though 2021 has no week 53.
# RFC 5545, 3.3.10: weeks are numbered as in ISO 8601, if WKST is MO.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check python-dateutil==2.9.0.post0
"$work/venv/bin/python" - <<'PY'
from datetime import datetime

from dateutil.rrule import rrulestr

DAYS = "BYDAY=MO,TU,WE,TH,FR,SA,SU"
new_year = datetime(2022, 1, 1)
assert tuple(new_year.isocalendar()) == (2021, 52, 6)


def january_of(week):
    rule = rrulestr(f"FREQ=YEARLY;BYWEEKNO={week};{DAYS}", dtstart=datetime(2015, 1, 1))
    found = rule.between(new_year, datetime(2022, 1, 3), inc=True)
    return [f"{day:%Y-%m-%d}" for day in found if day < datetime(2022, 1, 3)]


seen = {week: january_of(week) for week in (52, 53)}
print("1 and 2 January 2022 by BYWEEKNO:", seen)
assert seen == {52: [], 53: ["2022-01-01", "2022-01-02"]}
PY
