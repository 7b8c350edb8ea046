"""Signatures are those that AWS expects."""

from urllib.parse import urlsplit

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from hypothesis import given
from hypothesis import strategies as st

from graphql_api.infra.dynamodb.sigv4 import sign


def signed_by_botocore(headers: dict[str, str], url: str, body: bytes, credentials) -> str:
    """The signature that botocore gives the same request at the same time."""
    unsigned = {name: value for name, value in headers.items() if name != "authorization"}
    request = AWSRequest("POST", url, unsigned, body)
    request.context["timestamp"] = headers["x-amz-date"]
    auth = SigV4Auth(credentials, "dynamodb", headers["authorization"].split("/")[2])
    text = auth.string_to_sign(request, auth.canonical_request(request))
    return auth.signature(text, request)


printable = st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1)


@given(
    key=st.from_regex("[A-Z0-9]+", fullmatch=True),
    secret=printable,
    token=st.none() | printable,
    body=st.binary(),
)
def test_a_signature_is_the_one_that_botocore_gives(key, secret, token, body):
    url = urlsplit("https://dynamodb.eu-central-1.amazonaws.com/")
    credentials = Credentials(key, secret, token)

    headers = sign(url, "DynamoDB_20120810.GetItem", body, credentials, "eu-central-1")

    expected = signed_by_botocore(headers, url.geturl(), body, credentials)
    assert headers["authorization"].endswith(f"Signature={expected}")
    assert headers.get("x-amz-security-token") == token
    signed = headers["authorization"].partition("SignedHeaders=")[2].partition(",")[0]
    assert set(signed.split(";")) == headers.keys() - {"authorization"}
