"""How the schema has changed since the last release; `make schema-diff` prints it.

A release copies schema.graphql to docs/schema/<version>.graphql.
"""

from pathlib import Path

from graphql import build_schema
from graphql.utilities import SchemaChange, find_schema_changes
from service import ROOT


def released() -> Path:
    """The schema of the last release."""
    versions = (ROOT / "docs" / "schema").glob("*.graphql")
    return max(versions, key=lambda path: [int(part) for part in path.stem.split(".")])


def changes() -> list[SchemaChange]:
    """What is different now: safe, dangerous and breaking changes."""
    old, new = released().read_text(), (ROOT / "schema.graphql").read_text()
    return find_schema_changes(build_schema(old), build_schema(new))


if __name__ == "__main__":
    print(f"Since {released().stem}:")
    for change in changes():
        print(f"  {change.type.name}: {change.description}")
