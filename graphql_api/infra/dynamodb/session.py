"""The AWS session: a boto3 client with its region, credentials, endpoint, proxy and trust.

All that is taken from boto3 and botocore beside their public names is here.
tests/test_private_names.py lists it, and fails with the name of what a release has removed.
"""

import ssl
from typing import Any
from urllib.parse import urlsplit

import boto3
import botocore.session
from botocore.config import Config as ClientConfig
from botocore.exceptions import BotoCoreError, NoRegionError
from botocore.httpsession import ProxyConfiguration, create_urllib3_context, get_cert_path
from botocore.utils import get_environ_proxies

from graphql_api.config import Config
from graphql_api.errors import StartError


def connect(config: Config) -> Any:
    """Make a boto3 client for the configured store; nothing is sent yet. Raises StartError."""
    session = _session(config)
    identity: dict[str, Any] = {}
    if config.embedded:
        identity = _local_identity()
    elif config.endpoint and urlsplit(config.endpoint).scheme == "http":
        identity = _identity_of_plain_endpoint(session)
    try:
        return session.client(
            "dynamodb",
            endpoint_url=config.endpoint,
            config=ClientConfig(
                connect_timeout=1,
                read_timeout=2,
                retries={"mode": "standard", "total_max_attempts": 3},
                # Never follow AWS_ENDPOINT_URL: DYNAMODB alone says where the data is.
                ignore_configured_endpoint_urls=True,
                proxies={} if config.embedded else None,
            ),
            **identity,
        )
    except NoRegionError:
        raise StartError("No AWS region is set: set AWS_REGION, or a region in a profile") from None
    except BotoCoreError as error:
        raise StartError(f"The AWS settings cannot be used: {error}") from None
    except ValueError as error:  # botocore is stricter about a URL than urlsplit
        raise StartError(f"DYNAMODB={config.dynamodb} cannot be used: {error}") from None


def _session(config: Config) -> Any:
    """Make a boto3 session; that of the embedded mode reads none of the user's AWS settings."""
    # AWS_REGION is what every other SDK, and Lambda, reads; botocore alone knows only the second.
    variables: dict[str, Any] = {
        "region": ("region", ["AWS_REGION", "AWS_DEFAULT_REGION"], None, None)
    }
    if config.embedded:
        hidden = ("profile", "config_file", "credentials_file", "ca_bundle", "region")
        variables = dict.fromkeys(hidden, (None, None, None, None))
    try:
        session = botocore.session.Session(session_vars=variables)
        return boto3.session.Session(botocore_session=session)
    except BotoCoreError as error:
        raise StartError(f"The AWS settings cannot be used: {error}") from None


def _local_identity() -> dict[str, str]:
    return {
        "region_name": "us-east-1",
        "aws_access_key_id": "local",
        "aws_secret_access_key": "local",
    }


def _identity_of_plain_endpoint(session: Any) -> dict[str, str]:
    """Return what the settings lack for an emulator over plain HTTP, which takes any identity."""
    # Asking the instance metadata service would stall a laptop for seconds.
    session._session.get_component("credential_provider").remove("iam-role")  # noqa: SLF001 - boto3 has no public way
    identity = _local_identity()
    if session.get_credentials() is not None:
        identity = {"region_name": identity["region_name"]}
    if session.region_name is not None:
        del identity["region_name"]
    return identity


def credentials_of(client: Any) -> Any:
    """Return the credentials of a client, which renew themselves; None without any."""
    return client._request_signer._credentials  # noqa: SLF001 - boto3 has no public way


def endpoint_of(client: Any) -> str:
    """Return the URL of a client's store, with a path of `/` at the least."""
    url: str = client.meta.endpoint_url
    return url.rstrip("/") + "/"


def proxies_of(client: Any) -> Any:
    """Return botocore's choice of a proxy: the client's own settings, or the environment's."""
    proxies = client.meta.config.proxies
    if proxies is None:
        proxies = get_environ_proxies(endpoint_of(client))
    return ProxyConfiguration(proxies)


def trust_of(client: Any) -> ssl.SSLContext:
    """Return a TLS context that trusts botocore's authorities, or those of AWS_CA_BUNDLE."""
    context: ssl.SSLContext = create_urllib3_context()
    http_session = client._endpoint.http_session  # noqa: SLF001 - boto3 has no public way
    context.load_verify_locations(get_cert_path(http_session._verify))  # noqa: SLF001 - as above
    return context
