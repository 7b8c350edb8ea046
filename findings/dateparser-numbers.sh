#!/usr/bin/env bash
# PyPI dateparser 1.5.0: numbers and hours in front of and behind a day.
#
# In "plan sprint 42 monday 9am", search_dates takes "42 monday 9am" for a day of 2042; "tomorrow at 9" is tomorrow at the present time
# of day, the 9 is lost without a word; and "next friday", on a Wednesday, is the Friday of the same week.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check dateparser==1.5.0
"$work/venv/bin/python" - <<'PY'
from datetime import datetime

import dateparser
from dateparser.search import search_dates

NOW = {"RELATIVE_BASE": datetime(2026, 11, 25, 10), "PREFER_DATES_FROM": "future"}
found = search_dates("plan sprint 42 monday 9am", languages=["en"], settings=NOW)
hour = dateparser.parse("tomorrow at 9", languages=["en"], settings=NOW)
friday = search_dates("call bob next friday", languages=["en"], settings=NOW)
print(found, hour, friday)
assert [text for text, _ in found] == ["42 monday 9am"]
assert found[0][1].year == 2042
assert (hour.day, hour.hour) == (26, 10)
assert friday[0][1].day == 27
PY
