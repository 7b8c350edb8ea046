"""Writes of tasks and their dependencies."""

from graphql_api.domain.tasks.service.blockers import DependencyChange
from graphql_api.domain.tasks.service.bulk import (
    MAX_ITEMS,
    run_each,
    run_each_related,
    run_each_released,
)
from graphql_api.domain.tasks.service.deletion import Deletion
from graphql_api.domain.tasks.service.edits import Update
from graphql_api.domain.tasks.service.tasks import Tasks

__all__ = [
    "MAX_ITEMS",
    "Deletion",
    "DependencyChange",
    "Tasks",
    "Update",
    "run_each",
    "run_each_related",
    "run_each_released",
]
