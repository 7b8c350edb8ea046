"""AWS Signature Version 4 of requests to DynamoDB.

(AWS General Reference, "Create a signed AWS API request". botocore's own signer takes several
times as long, since it signs any request to any service.)
"""

import hashlib
import hmac
import time
from functools import lru_cache
from typing import Any
from urllib.parse import SplitResult

CONTENT_TYPE = "application/x-amz-json-1.0"


def sign(
    url: SplitResult, target: str, content: bytes, credentials: Any, region: str
) -> dict[str, str]:
    """Return the headers of a POST, `authorization` among them.

    `target` is the x-amz-target, such as `DynamoDB_20120810.GetItem`; `credentials` are frozen
    ones of botocore.
    """
    stamp, scope, key = _signing(int(time.time()), credentials.secret_key, region)
    headers = {"content-type": CONTENT_TYPE, "host": url.netloc, "x-amz-date": stamp}
    if credentials.token:
        headers["x-amz-security-token"] = credentials.token
    headers["x-amz-target"] = target
    names = ";".join(headers)  # in the order of the alphabet, as they have to be
    lines = "".join([f"{name}:{value}\n" for name, value in headers.items()])
    payload = hashlib.sha256(content).hexdigest()
    canonical = f"POST\n{url.path}\n\n{lines}\n{names}\n{payload}"
    digest = hashlib.sha256(canonical.encode()).hexdigest()
    text = f"AWS4-HMAC-SHA256\n{stamp}\n{scope}\n{digest}"
    signature = hmac.digest(key, text.encode(), "sha256").hex()
    headers["authorization"] = (
        f"AWS4-HMAC-SHA256 Credential={credentials.access_key}/{scope},"
        f" SignedHeaders={names}, Signature={signature}"
    )
    return headers


@lru_cache(4)
def _signing(second: int, secret: str, region: str) -> tuple[str, str, bytes]:
    """Return the time stamp, credential scope and key of all signatures in one second."""
    stamp = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(second))
    scope = f"{stamp[:8]}/{region}/dynamodb/aws4_request"
    return stamp, scope, _key(secret, scope)


@lru_cache(4)
def _key(secret: str, scope: str) -> bytes:
    key = f"AWS4{secret}".encode()
    for part in scope.split("/"):
        key = hmac.digest(key, part.encode(), "sha256")
    return key
