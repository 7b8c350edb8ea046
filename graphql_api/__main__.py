"""Run the operator commands: `python -m graphql_api`."""

from graphql_api.cli.main import cli

if __name__ == "__main__":
    cli(prog_name="python -m graphql_api")
