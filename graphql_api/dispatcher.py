"""The composition root of the dispatcher: all duties, in the order in which they are called."""

from graphql_api import clock
from graphql_api.config import Config
from graphql_api.domain.dispatch import Dispatcher, Duty


def create_dispatcher(config: Config) -> Dispatcher:
    """The dispatcher of a process, on tables that are there already."""
    del config  # which every duty will need
    duties: list[Duty] = []
    return Dispatcher(duties, clock.now)
