#!/usr/bin/env bash
# standardwebhooks 1.1.0 (PyPI): Webhook.sign(msg_id, timestamp, data).
#
# Of a datetime with a time zone, the library replaces the zone by UTC in place of converting the instant: it signs
# the digits of the clock. A sender that passes its local time, aware of its zone, and puts that instant's seconds
# into the header `webhook-timestamp` makes signatures that no receiver accepts, unless its zone is UTC. So pass
# `datetime.now(timezone.utc)`. The library's own verify cannot find this: it signs in UTC.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check standardwebhooks==1.1.0
cat > "$work/sign.py" <<'PY'
from datetime import datetime, timedelta, timezone

from standardwebhooks import Webhook, WebhookVerificationError

webhook = Webhook("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
instant = datetime.now(timezone.utc).replace(microsecond=0)
there = instant.astimezone(timezone(timedelta(hours=2)))
assert there == instant and there.timestamp() == instant.timestamp()


def is_accepted(timestamp):
    headers = {
        "webhook-id": "1",
        "webhook-timestamp": str(int(timestamp.timestamp())),
        "webhook-signature": webhook.sign("1", timestamp, "{}"),
    }
    try:
        webhook.verify("{}", headers)
    except WebhookVerificationError as error:
        return str(error)
    return "accepted"


found = {"UTC": is_accepted(instant), "the same instant at +02:00": is_accepted(there)}
for zone, outcome in found.items():
    print(f"{zone}: {outcome}")
assert found == {"UTC": "accepted", "the same instant at +02:00": "No matching signature found"}
later = instant + timedelta(hours=2)
assert webhook.sign("1", there, "{}") == webhook.sign("1", later, "{}")
print("What is signed at +02:00 is the instant two hours later.")
PY
"$work/venv/bin/python" "$work/sign.py"
