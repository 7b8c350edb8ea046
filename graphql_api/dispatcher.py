"""The composition root of the dispatcher: all duties, in the order in which they are called."""

from datetime import timedelta

from graphql_api import clock
from graphql_api.config import Config
from graphql_api.domain.changes.store import ChangeStore
from graphql_api.domain.dispatch import Dispatcher, Duty
from graphql_api.domain.reminders.duty import TimerDuty
from graphql_api.domain.reminders.store import TimerStore
from graphql_api.domain.tasks.store import TaskStore
from graphql_api.infra.dynamodb import Database, connect


def create_dispatcher(config: Config) -> Dispatcher:
    """The dispatcher of a process, on tables that are there already."""
    database = Database(connect(config), config.table_prefix)
    changes = ChangeStore(database, timedelta(days=config.changes_days))
    tasks = TaskStore(database, changes)
    interval = 1.0 if config.embedded else 5.0
    duties: list[Duty] = [TimerDuty(TimerStore(database), tasks, interval)]
    return Dispatcher(duties, clock.now)
