"""The composition root of the dispatcher: all duties, in the order in which they are called."""

import random
from datetime import timedelta
from functools import partial

from graphql_api import __version__, clock
from graphql_api.api.graphql.cursors import Cursors
from graphql_api.api.graphql.webhooks.payload import Payloads
from graphql_api.config import Config
from graphql_api.domain.busy_calendars.duty import BusyCalendarDuty
from graphql_api.domain.busy_calendars.store import BusyCalendarStore
from graphql_api.domain.changes.feed import Feed
from graphql_api.domain.changes.store import ChangeStore
from graphql_api.domain.dependencies.store import DependencyStore
from graphql_api.domain.dispatch import Dispatcher, Duty
from graphql_api.domain.due_days.relocation import Relocations
from graphql_api.domain.jobs import Jobs
from graphql_api.domain.projects.deletion import ProjectDeletions
from graphql_api.domain.projects.store import ProjectStore
from graphql_api.domain.reminders.duty import TimerDuty
from graphql_api.domain.reminders.store import TimerStore
from graphql_api.domain.settings.store import SettingsStore
from graphql_api.domain.subtasks.renewal import Renewals
from graphql_api.domain.tasks.service import Tasks
from graphql_api.domain.tasks.store import TaskStore
from graphql_api.domain.webhooks.delivery import Deliverer
from graphql_api.domain.webhooks.duty import WebhookDuty
from graphql_api.domain.webhooks.hints import Hints
from graphql_api.domain.webhooks.outbox import Outbox
from graphql_api.domain.webhooks.store import WebhookStore
from graphql_api.infra.concurrency.crew import Crew
from graphql_api.infra.dynamodb import Database, connect
from graphql_api.infra.outgoing.client import OutgoingClient

AGENT = f"smart-task-scheduler/{__version__}"
DELIVERIES, DELIVERIES_BY_USER = 32, 8  # at a time
CALENDARS, CALENDARS_BY_USER = 4, 1


def create_dispatcher(config: Config) -> Dispatcher:
    """The dispatcher of a process, on tables that are there already."""
    database = Database(connect(config), config.table_prefix)
    changes = ChangeStore(database, timedelta(days=config.changes_days))
    tasks = TaskStore(database, changes)
    interval = 1.0 if config.embedded else 5.0
    webhooks = _webhook_duty(config, database, changes, tasks)
    duties: list[Duty] = [
        TimerDuty(TimerStore(database), tasks, interval, clock.now),
        webhooks,
        _project_duty(database, changes, tasks, interval),
        Relocations(database, tasks, clock.now, interval),
        Renewals.of(database, tasks, interval),
        _calendar_duty(config, database, interval),
    ]
    dispatcher = Dispatcher(duties, clock.now)
    webhooks.on_ready = partial(dispatcher.wake, webhooks)
    return dispatcher


def _calendar_duty(config: Config, database: Database, interval: float) -> BusyCalendarDuty:
    """The duty that reads busy calendars again."""
    return BusyCalendarDuty(
        BusyCalendarStore(database),
        SettingsStore(database),
        OutgoingClient(allow_private=config.webhook_allow_private),
        Crew(CALENDARS, CALENDARS_BY_USER),
        AGENT,
        clock.now,
        interval,
    )


def _project_duty(
    database: Database, changes: ChangeStore, tasks: TaskStore, interval: float
) -> ProjectDeletions:
    """The duty that goes on with the deletion of projects."""
    service, jobs = Tasks.of(database, tasks, Feed(changes)), Jobs(database, "project")
    return ProjectDeletions(ProjectStore(database), jobs, service, tasks, clock.now, interval)


def _webhook_duty(
    config: Config, database: Database, changes: ChangeStore, tasks: TaskStore
) -> WebhookDuty:
    """The duty that delivers to webhooks, also what other duties write."""
    store = WebhookStore(database)
    hints = Hints(store, clock.now)
    hints.start()
    changes.on_change = hints.note
    payloads = Payloads(Cursors(config.secrets))
    outbox = Outbox(store, Feed(changes), tasks, DependencyStore(database), payloads.of_change)
    client = OutgoingClient(allow_private=config.webhook_allow_private)
    deliverer = Deliverer(store, client, clock.now, random.random, AGENT)
    crew = Crew(DELIVERIES, DELIVERIES_BY_USER)
    interval = 0.5 if config.embedded else 1.0
    return WebhookDuty(store, outbox, deliverer, crew, clock.now, interval)
