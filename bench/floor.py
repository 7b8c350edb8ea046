"""The floor: the least work that a server of this stack can do for the same answers.

One WSGI callable, no framework and no GraphQL: verify the token, make the same DynamoDB calls
by hand-signed HTTP on a kept connection, dump JSON. A yardstick only: it has no retries, no
validation, no limits and no sessions, and nothing of it belongs in a product.

    GET  /tasks?n=25&owners=1   Query, and GetItem of the owner
    GET  /tasks/<id>            GetItem
    POST /tasks                 PutItem
    PUT  /tasks/<id>            UpdateItem
"""

import hashlib
import hmac
import http.client
import os
import secrets
import threading
import time
import uuid
from base64 import urlsafe_b64encode
from datetime import UTC, datetime
from urllib.parse import parse_qs, urlsplit

import jwt
import orjson

ENDPOINT = urlsplit(os.environ.get("DYNAMODB", "http://127.0.0.1:8000"))
SECRET = os.environ.get("JWT_SECRET", "")
IDENTITY = "smart-task-scheduler"
REGION = os.environ.get("AWS_REGION", "us-east-1")
NAMES = "content-type;host;x-amz-date;x-amz-target"
JSON = [("Content-Type", "application/json; charset=utf-8")]
local = threading.local()


def signed(body: bytes, target: str) -> dict[str, str]:
    """The headers of a call, by AWS Signature Version 4."""
    stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ")
    key = b"AWS4" + os.environ["AWS_SECRET_ACCESS_KEY"].encode()
    for part in (stamp[:8], REGION, "dynamodb", "aws4_request"):
        key = hmac.digest(key, part.encode(), "sha256")
    canonical = (
        f"POST\n/\n\ncontent-type:application/x-amz-json-1.0\nhost:{ENDPOINT.netloc}\n"
        f"x-amz-date:{stamp}\nx-amz-target:{target}\n\n{NAMES}\n{hashlib.sha256(body).hexdigest()}"
    )
    scope = f"{stamp[:8]}/{REGION}/dynamodb/aws4_request"
    digest = hashlib.sha256(canonical.encode()).hexdigest()
    text = f"AWS4-HMAC-SHA256\n{stamp}\n{scope}\n{digest}"
    signature = hmac.digest(key, text.encode(), "sha256").hex()
    credential = f"{os.environ['AWS_ACCESS_KEY_ID']}/{scope}"
    return {
        "Content-Type": "application/x-amz-json-1.0",
        "X-Amz-Date": stamp,
        "X-Amz-Target": target,
        "Authorization": f"AWS4-HMAC-SHA256 Credential={credential},"
        f" SignedHeaders={NAMES}, Signature={signature}",
    }


def call(operation: str, arguments: dict) -> dict:
    """One DynamoDB operation."""
    if not hasattr(local, "connection"):
        local.connection = http.client.HTTPConnection(ENDPOINT.hostname, ENDPOINT.port)
    body = orjson.dumps(arguments)
    local.connection.request("POST", "/", body, signed(body, f"DynamoDB_20120810.{operation}"))
    response = local.connection.getresponse()
    data = response.read()
    assert response.status == 200, data
    return orjson.loads(data)


def shown(item: dict) -> dict:
    """A task as GraphQL shows it, with the fields that the measured documents ask for."""
    return {
        "id": item["task_id"]["S"],
        "title": item["title"]["S"],
        "description": item["description"]["S"],
        "status": item["status"]["S"].upper(),
        "createdAt": item["created_at"]["S"],
        "updatedAt": item["updated_at"]["S"],
    }


def written(item: dict) -> dict:
    """A task that was just written."""
    return {
        **shown(item),
        "priority": item["priority"]["S"].upper(),
        "dueAt": item["due_at"]["S"] if "due_at" in item else None,
        "tags": [tag["S"] for tag in item["tags"]["L"]],
        "version": int(item["version"]["N"]),
    }


def page(viewer: str, first: int, *, owners: bool) -> dict:
    """The newest tasks."""
    found = call(
        "Query",
        {
            "TableName": "Tasks",
            "KeyConditionExpression": "user_id = :user",
            "ExpressionAttributeValues": {":user": {"S": viewer}},
            "Limit": first,
            "ScanIndexForward": False,
            "ConsistentRead": True,
        },
    )
    nodes = [shown(item) for item in found["Items"]]
    if owners:
        key = {"user_id": {"S": viewer}, "item": {"S": "profile"}}
        user = call("GetItem", {"TableName": "Users", "Key": key})["Item"]
        owner = {"id": viewer, "username": user["username"]["S"]}
        nodes = [{**node, "owner": owner} for node in nodes]
    cursor = urlsafe_b64encode(nodes[-1]["id"].encode()).decode()
    return {
        "nodes": nodes,
        "pageInfo": {"hasNextPage": "LastEvaluatedKey" in found, "endCursor": cursor},
    }


def task(viewer: str, task_id: str) -> dict:
    """One task."""
    key = {"user_id": {"S": viewer}, "task_id": {"S": task_id}}
    arguments = {"TableName": "Tasks", "Key": key, "ConsistentRead": True}
    return shown(call("GetItem", arguments)["Item"])


def instant() -> str:
    return datetime.now(UTC).replace(tzinfo=None).isoformat(timespec="milliseconds") + "Z"


def create(viewer: str, given: dict) -> dict:
    """A new task."""
    milliseconds = int(time.time() * 1000)
    value = milliseconds << 80 | 0x7 << 76 | 0b10 << 62 | secrets.randbits(62)
    task_id, now = str(uuid.UUID(int=value)), {"S": instant()}
    item = {
        "user_id": {"S": viewer},
        "task_id": {"S": task_id},
        "title": {"S": given["title"]},
        "description": {"S": given["description"]},
        "status": {"S": "pending"},
        "priority": {"S": given["priority"].lower()},
        "due_at": {"S": given["dueAt"]},
        "due_order": {"S": f"{given['dueAt']}#{task_id}"},
        "tags": {"L": [{"S": tag} for tag in given["tags"]]},
        "created_at": now,
        "updated_at": now,
        "version": {"N": "1"},
    }
    condition = "attribute_not_exists(task_id)"
    call("PutItem", {"TableName": "Tasks", "Item": item, "ConditionExpression": condition})
    return {"task": written(item)}


def update(viewer: str, task_id: str, given: dict) -> dict:
    """A task with another title."""
    found = call(
        "UpdateItem",
        {
            "TableName": "Tasks",
            "Key": {"user_id": {"S": viewer}, "task_id": {"S": task_id}},
            "UpdateExpression": "SET title = :title, updated_at = :now, #v = #v + :one",
            "ConditionExpression": "attribute_exists(task_id)",
            "ExpressionAttributeNames": {"#v": "version"},
            "ExpressionAttributeValues": {
                ":title": {"S": given["title"]},
                ":now": {"S": instant()},
                ":one": {"N": "1"},
            },
            "ReturnValues": "ALL_NEW",
        },
    )
    return {"task": written(found["Attributes"])}


def app(environ, start_response):
    """Answer a request (PEP 3333)."""
    token = environ["HTTP_AUTHORIZATION"].removeprefix("Bearer ")
    claims = jwt.decode(token, SECRET, ["HS256"], audience=IDENTITY, issuer=IDENTITY)
    viewer, method = claims["sub"], environ["REQUEST_METHOD"]
    task_id = environ["PATH_INFO"].removeprefix("/tasks").removeprefix("/")
    if method == "GET" and task_id:
        answer = {"task": task(viewer, task_id)}
    elif method == "GET":
        asked = parse_qs(environ["QUERY_STRING"])
        answer = {"tasks": page(viewer, int(asked["n"][0]), owners="owners" in asked)}
    else:
        given = orjson.loads(environ["wsgi.input"].read())
        if method == "POST":
            answer = {"createTask": create(viewer, given)}
        else:
            answer = {"updateTask": update(viewer, task_id, given)}
    start_response("200 OK", JSON)
    return [orjson.dumps({"data": answer})]
