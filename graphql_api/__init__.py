"""Smart Task Scheduler: a GraphQL API for personal task scheduling."""

__version__ = "0.1.0"

from graphql_api.app import create_app

__all__ = ["__version__", "create_app"]
