"""Connecting: which store, which region and whose credentials a client has."""

import io
import os
from dataclasses import dataclass
from urllib.parse import urlsplit

import pytest
from botocore.awsrequest import AWSResponse
from botocore.utils import InstanceMetadataFetcher

from graphql_api.config import Config
from graphql_api.errors import ServiceUnavailable, StartError
from graphql_api.infra.dynamodb import Database, connect

URL = "http://127.0.0.1:1/"
EMBEDDED = Config(engine_url="http://127.0.0.1:1")


class Body(io.BytesIO):
    def stream(self):
        yield self.read()


@dataclass
class Sent:
    url: str
    identity: str  # key id / region
    proxy: str | None


@pytest.fixture
def environment(monkeypatch, tmp_path):
    """Nobody's AWS settings; the test makes some."""
    for name in list(os.environ):
        if name.startswith("AWS_") or name.lower().endswith("_proxy"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    return monkeypatch


def sent(config: Config) -> Sent:
    """Where and by whom a first call is sent."""
    client, requests = connect(config), []

    def respond(request, **_):
        requests.append(request)
        return AWSResponse(request.url, 200, {}, Body(b"{}"))

    client.meta.events.register("before-send.dynamodb.*", respond)
    database = Database(client)
    database.table("Tasks").get(user_id="u")
    [request] = requests
    credential = request.headers["authorization"].partition("Credential=")[2]
    key_id, _, region, *_ = credential.split("/")
    opened = database._transport._endpoint._unopened(1)
    proxy = f"http://{opened.host}:{opened.port}"
    return Sent(
        request.url,
        f"{key_id}/{region}",
        None if opened.host == urlsplit(request.url).hostname else proxy,
    )


THEIRS = {
    "AWS_PROFILE": "not-there",
    "AWS_REGION": "eu-central-1",
    "AWS_DEFAULT_REGION": "eu-west-1",
    "AWS_ACCESS_KEY_ID": "theirs",
    "AWS_SECRET_ACCESS_KEY": "theirs",
    "AWS_ENDPOINT_URL": "http://127.0.0.1:2",
    "AWS_ENDPOINT_URL_DYNAMODB": "http://127.0.0.1:3",
    "AWS_CA_BUNDLE": "/not/there",
    "AWS_USE_FIPS_ENDPOINT": "true",
    "AWS_USE_DUALSTACK_ENDPOINT": "true",
    "AWS_RETRY_MODE": "adaptive",
    "AWS_MAX_ATTEMPTS": "50",
    "HTTP_PROXY": "http://127.0.0.1:4",
    "http_proxy": "http://127.0.0.1:4",
    "HTTPS_PROXY": "http://127.0.0.1:4",
    "ALL_PROXY": "http://127.0.0.1:4",
}
KEYS = {"AWS_ACCESS_KEY_ID": "theirs", "AWS_SECRET_ACCESS_KEY": "theirs"}


@pytest.mark.parametrize("names", ["PROFILE", "REGION", "ENDPOINT", "PROXY", ""])
def test_the_embedded_mode_ignores_the_users_aws_settings(environment, names):
    theirs = {name: value for name, value in THEIRS.items() if names in name.upper()}
    for name, value in theirs.items():
        environment.setenv(name, value)

    assert theirs
    assert sent(EMBEDDED) == Sent(URL, "local/us-east-1", proxy=None)


@pytest.mark.usefixtures("environment")
def test_the_embedded_mode_does_not_read_the_users_files(tmp_path):
    (tmp_path / "config").write_text("[default]\nregion = eu-north-1\nnonsense\n")
    (tmp_path / "credentials").write_text("[default]\naws_access_key_id = theirs\n")

    assert sent(EMBEDDED) == Sent(URL, "local/us-east-1", proxy=None)


@pytest.mark.parametrize(
    ("region", "expected"),
    [
        ({"AWS_REGION": "eu-central-1"}, "eu-central-1"),
        ({"AWS_DEFAULT_REGION": "eu-west-1"}, "eu-west-1"),
        ({"AWS_REGION": "eu-central-1", "AWS_DEFAULT_REGION": "eu-west-1"}, "eu-central-1"),
        ({}, "eu-north-1"),
    ],
    ids=str,
)
def test_the_region_comes_from_the_variables_or_the_profile(
    environment, tmp_path, region, expected
):
    (tmp_path / "config").write_text("[default]\nregion = eu-north-1\n")
    for name, value in (KEYS | region).items():
        environment.setenv(name, value)

    url = f"https://dynamodb.{expected}.amazonaws.com/"
    assert sent(Config(dynamodb="aws")) == Sent(url, f"theirs/{expected}", proxy=None)


def test_no_variable_changes_the_endpoint_of_aws(environment):
    for name in (*KEYS, "AWS_REGION", "AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_DYNAMODB"):
        environment.setenv(name, THEIRS[name])
    environment.setenv("HTTPS_PROXY", THEIRS["HTTPS_PROXY"])

    assert sent(Config(dynamodb="aws")) == Sent(
        "https://dynamodb.eu-central-1.amazonaws.com/",
        "theirs/eu-central-1",
        proxy="http://127.0.0.1:4",  # a network's own way out is not for us to leave
    )


@pytest.mark.parametrize(
    ("variables", "identity"),
    [
        ({}, "local/us-east-1"),
        (KEYS, "theirs/us-east-1"),
        ({"AWS_REGION": "eu-central-1"}, "local/eu-central-1"),
        (KEYS | {"AWS_REGION": "eu-central-1"}, "theirs/eu-central-1"),
    ],
    ids=str,
)
def test_an_emulator_over_plain_http_needs_no_identity(environment, variables, identity):
    for name, value in variables.items():
        environment.setenv(name, value)

    assert sent(Config(dynamodb="http://127.0.0.1:8000")) == Sent(
        "http://127.0.0.1:8000/", identity, proxy=None
    )


def test_an_emulator_over_plain_http_never_asks_the_metadata_service(environment):
    asked = []
    environment.delenv("AWS_EC2_METADATA_DISABLED")
    environment.setenv("AWS_REGION", "eu-central-1")
    environment.setattr(
        InstanceMetadataFetcher,
        "retrieve_iam_role_credentials",
        lambda _: asked.append("who am I?") or {},
    )

    sent(Config(dynamodb="http://127.0.0.1:8000"))
    assert asked == []

    with pytest.raises(ServiceUnavailable):
        sent(Config(dynamodb="aws"))
    assert asked != []


@pytest.mark.parametrize(
    ("variables", "told"),
    [
        ({}, "No AWS region is set: set AWS_REGION, or a region in a profile"),
        ({"AWS_REGION": ""}, "DYNAMODB=aws cannot be used: "),
        ({"AWS_REGION": "in europe"}, "The AWS settings cannot be used: "),
        ({"AWS_PROFILE": "not-there"}, "The AWS settings cannot be used: "),
    ],
    ids=str,
)
def test_unusable_aws_settings_stop_the_start_with_one_line(environment, variables, told):
    for name, value in (KEYS | variables).items():
        environment.setenv(name, value)

    with pytest.raises(StartError) as caught:
        connect(Config(dynamodb="aws"))

    assert str(caught.value).startswith(told)
    assert "\n" not in str(caught.value)


@pytest.mark.usefixtures("environment")
@pytest.mark.parametrize("url", ["http://a b", "http://-a.example"])
def test_an_invalid_endpoint_stops_the_start(url):
    with pytest.raises(StartError) as caught:
        connect(Config(dynamodb=url))

    assert str(caught.value).startswith(f"DYNAMODB={url} cannot be used: ")
    assert "\n" not in str(caught.value)
