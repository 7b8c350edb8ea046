"""An operator at the terminal of the deployment that the tests run on."""

import itertools

from click.testing import CliRunner, Result

from graphql_api.cli.main import cli
from graphql_api.config import Config
from graphql_api.infra.dynamodb import connect

SETTINGS = {name.upper(): None for name in Config.__dataclass_fields__}

_numbers = itertools.count()


class Operator:
    """Runs commands on the store of a configuration."""

    def __init__(self, config: Config) -> None:
        self.config = config
        self.store = connect(config)
        self._settings = {
            **SETTINGS,
            "DYNAMODB": config.endpoint or "aws",
            "TABLE_PREFIX": config.table_prefix,
        }

    def run(self, *arguments: str, **settings: str | None) -> Result:
        env = {**self._settings, **settings}
        return CliRunner().invoke(cli, [str(argument) for argument in arguments], env=env)

    def items(self, table: str) -> list[dict]:
        """All items of a table, in the order of their keys."""
        pages = self.store.get_paginator("scan").paginate(TableName=table, ConsistentRead=True)
        return sorted((item for page in pages for item in page["Items"]), key=str)

    def everything(self) -> list[list[dict]]:
        """All that the service keeps."""
        return [self.items(self.config.table_prefix + name) for name in ("Users", "Tasks")]

    def table(self, key: str, items: list[dict[str, str]]) -> str:
        """Create a table with a single key, as the legacy ones have; return its name."""
        name = f"legacy-{key}-{next(_numbers)}"
        self.store.create_table(
            TableName=name,
            BillingMode="PAY_PER_REQUEST",
            AttributeDefinitions=[{"AttributeName": key, "AttributeType": "S"}],
            KeySchema=[{"AttributeName": key, "KeyType": "HASH"}],
        )
        self.store.get_waiter("table_exists").wait(TableName=name, WaiterConfig={"Delay": 1})
        for item in items:
            wire = {name: {"S": text} for name, text in item.items()}
            self.store.put_item(TableName=name, Item=wire)
        return name
