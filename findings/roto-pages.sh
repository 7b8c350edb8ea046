#!/usr/bin/env bash
# roto-aws 0.10.1, its DynamoDB: Query with a Limit.
#
# A page of one item takes the longer the more items its partition has: the engine looks at the whole partition for
# each page. To read a long list in pages takes time by the square of its length. A range of sort keys (`BETWEEN`) is
# read by itself, and takes no longer.
set -euo pipefail
work=$(mktemp -d)
trap 'kill "${server:-}" 2>/dev/null || true; rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check roto-aws==0.10.1 boto3==1.44.5
"$work/venv/bin/roto-server" --port 18097 --data-dir "$work/data" > "$work/log" 2>&1 &
server=$!
cat > "$work/pages.py" <<'PY'
import time

import boto3
from boto3.dynamodb.conditions import Key

keys = {"aws_access_key_id": "a", "aws_secret_access_key": "a", "region_name": "eu-central-1"}
store = boto3.resource("dynamodb", endpoint_url="http://127.0.0.1:18097", **keys)
names = {"HASH": "user", "RANGE": "id"}
table = store.create_table(
    TableName="Tasks",
    KeySchema=[{"AttributeName": name, "KeyType": kind} for kind, name in names.items()],
    AttributeDefinitions=[
        {"AttributeName": name, "AttributeType": "S"} for name in names.values()
    ],
    BillingMode="PAY_PER_REQUEST",
)
table.wait_until_exists()
sizes = {"few": 100, "many": 10_000}
with table.batch_writer() as writer:
    for user, size in sizes.items():
        for number in range(size):
            writer.put_item(Item={"user": user, "id": f"{number:06}", "text": "x" * 300})


def milliseconds(condition, **options):
    """The shortest of some times that a query takes."""
    times = []
    for _ in range(7):
        begun = time.perf_counter()
        [item] = table.query(KeyConditionExpression=condition, **options)["Items"]
        times.append(time.perf_counter() - begun)
    return min(times) * 1000


page = {user: milliseconds(Key("user").eq(user), Limit=1) for user in sizes}
one = Key("id").between("000000", "000000")
range_ = {user: milliseconds(Key("user").eq(user) & one) for user in sizes}
for user, size in sizes.items():
    print(f"{size:6} items: a page of one {page[user]:.1f} ms, a range of one {range_[user]:.1f} ms")
assert page["many"] > 5 * page["few"]
assert range_["many"] < page["many"] / 5
PY
until curl -sf 127.0.0.1:18097/roto-api/health >/dev/null; do sleep 0.1; done
"$work/venv/bin/python" "$work/pages.py"
