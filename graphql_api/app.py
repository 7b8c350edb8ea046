"""The composition root: the only place where the parts of the service meet."""

from collections.abc import Callable
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from wsgiref.types import WSGIApplication

from flask import Flask
from werkzeug.middleware.proxy_fix import ProxyFix

from graphql_api import __version__, clock
from graphql_api.api.graphql.context import Services, TaskServices
from graphql_api.api.graphql.cursors import Cursors
from graphql_api.api.graphql.schema import COSTS, PERMISSIONS, SCHEMA
from graphql_api.api.graphql.webhooks.payload import Payloads
from graphql_api.api.http.application import ROUTE, Access, Application, open_to
from graphql_api.api.http.event_streams import EventStreams
from graphql_api.api.http.graphql_view import DRAFTS, GraphQLView
from graphql_api.api.http.middleware import CORSMiddleware, RequestMiddleware
from graphql_api.api.http.responses import json_response
from graphql_api.api.http.routes import calendar_routes, graphql_routes, health_routes, plan_routes
from graphql_api.api.mcp.routes import mcp_routes
from graphql_api.api.mcp.view import MCPView
from graphql_api.api.pages.graphiql import GraphiQL
from graphql_api.api.pages.plan import PlanPage
from graphql_api.api.rest import openapi
from graphql_api.api.rest import views as rest
from graphql_api.api.rest.export import ExportView
from graphql_api.bulkheads import Bulkheads, list_shares
from graphql_api.config import Config
from graphql_api.domain.access.confined import ConfinedProjectStore, ConfinedTaskStore
from graphql_api.domain.access.model import Confinement
from graphql_api.domain.access.service import AccessTokens
from graphql_api.domain.access.store import AccessTokenStore
from graphql_api.domain.accounts.deletions import Deletions
from graphql_api.domain.accounts.passwords import Passwords
from graphql_api.domain.accounts.rate_limits import RateLimiter
from graphql_api.domain.accounts.service import Accounts
from graphql_api.domain.accounts.store import UserStore
from graphql_api.domain.accounts.tokens import Tokens
from graphql_api.domain.archive.lines import Archives
from graphql_api.domain.blocks.service import PlannedBlocks
from graphql_api.domain.blocks.work import TimerPointer, Work
from graphql_api.domain.busy_calendars.service import BusyCalendars
from graphql_api.domain.busy_calendars.store import BusyCalendarStore
from graphql_api.domain.calendars.service import CalendarFeeds
from graphql_api.domain.calendars.store import FeedStore
from graphql_api.domain.changes.feed import Feed
from graphql_api.domain.changes.live import LiveFeed, LiveOptions
from graphql_api.domain.changes.store import ChangeStore
from graphql_api.domain.dependencies.store import DependencyStore
from graphql_api.domain.due_days.relocation import Relocations
from graphql_api.domain.health import HealthCheck
from graphql_api.domain.jobs import Jobs
from graphql_api.domain.plans.service import Plans
from graphql_api.domain.plans.store import PlanStore
from graphql_api.domain.projects.deletion import ProjectDeletions
from graphql_api.domain.projects.service import Projects
from graphql_api.domain.projects.store import ProjectStore
from graphql_api.domain.quick_add.service import QuickAdds
from graphql_api.domain.series.store import SeriesStore
from graphql_api.domain.settings.service import UserSettings
from graphql_api.domain.settings.store import SettingsStore
from graphql_api.domain.tasks.list_reader import TaskListReader
from graphql_api.domain.tasks.service import Tasks
from graphql_api.domain.tasks.store import TaskStore
from graphql_api.domain.views.service import Views
from graphql_api.domain.views.store import ViewStore
from graphql_api.domain.views.viewpoints import Viewpoints
from graphql_api.domain.webhooks.hints import Hints
from graphql_api.domain.webhooks.service import Webhooks
from graphql_api.domain.webhooks.store import WebhookStore
from graphql_api.infra.dynamodb import Database, connect
from graphql_api.infra.executor.executor import Executor
from graphql_api.infra.executor.persisted_documents import PersistedDocuments
from graphql_api.infra.outgoing.client import OutgoingClient
from graphql_api.infra.page_ends import PageEnds

if TYPE_CHECKING:
    from graphql_api.infra.telemetry.metrics import Metrics


def start_app(config: Config, **options: Any) -> Flask:
    """Create the application of a serving process, and complete what a crash has interrupted."""
    app = create_app(config, **options)
    app.extensions["deletions"].resume()
    app.extensions["hints"].start()
    return app


def create_app(
    config: Config,
    *,
    is_draining: Callable[[], bool] = lambda: False,
    metrics: "Metrics | None" = None,
) -> Flask:
    """The service on tables that are there already; the only place where its parts meet.

    `is_draining` tells whether the process is about to end; `metrics` count what happens.
    """
    connection = connect(config)
    database = Database(connection, config.table_prefix)
    changes = ChangeStore(database, timedelta(days=config.changes_days))
    bulkheads = Bulkheads.of(config)
    services, deletions = build_services(config, database, changes, bulkheads)
    live = LiveFeed(
        services.of_tasks.feed,
        LiveOptions(
            config.max_streams, config.max_streams_per_user, 0.5 if config.embedded else 1.0
        ),
        clock.now,
        lambda authorization: services.accounts.is_authenticated(authorization, clock.now()),
        is_ending=is_draining,
    )
    hints = Hints(WebhookStore(database), clock.now)

    def announce(user_id: str) -> None:
        live.notify(user_id)
        hints.note(user_id)

    changes.on_change = announce
    executor = Executor(
        SCHEMA,
        costs=COSTS,
        introspection=config.introspection,
        permissions=PERMISSIONS,
        limits=config.limits,
        compiled=config.compiled_operations,
        long_documents=bulkheads.long_documents,
        introspections=bulkheads.introspections,
        long_operations=bulkheads.long_operations,
    )
    # Its document is our own: it needs no limits, and never has to make room for clients'.
    rest_executor = Executor(
        SCHEMA,
        costs=COSTS,
        introspection=False,
        permissions=PERMISSIONS,
        limits=config.limits.for_own_documents(),
        compiled=config.compiled_operations,
    )

    app = Application(__name__)
    app.extensions |= {"database": database, "executor": executor}  # for tests
    app.extensions |= {"deletions": deletions, "hints": hints}
    documents = PersistedDocuments(config.trusted_documents)
    streams = EventStreams(executor, services, live)
    view = GraphQLView(executor, documents, services, DRAFTS[config.graphql_http], streams)
    app.register_blueprint(graphql_routes(view, GraphiQL() if config.graphiql else None))
    if config.plan_page:
        app.register_blueprint(plan_routes(PlanPage()))
    app.register_blueprint(calendar_routes(services.calendar_feeds, services.now))
    # Readiness is whether the store can be read within a second.
    impatient = UserStore(Database(connection, config.table_prefix, attempts=1, timeout=1))
    app.register_blueprint(health_routes(HealthCheck(database, impatient), is_draining))
    app.register_blueprint(
        rest.blueprint(
            rest_executor,
            services,
            streams,
            lists=bulkheads.lists,
            long_lists=bulkheads.long_lists,
            export=ExportView(
                services,
                Archives.of(database, TaskStore(database, changes)),
                bulkheads.long_lists,
            ),
        )
    )
    if config.mcp:
        agents = MCPView(rest_executor, services, config.cors_origins, __version__)
        app.register_blueprint(mcp_routes(agents))
    if config.introspection:
        described = openapi.of_service(executor.schema, __version__)
        document = open_to(Access.ANYONE, lambda _: json_response(described))
        app.add_url_rule("/openapi.json", "openapi", document)
    app.require_access()

    def traced(wsgi: WSGIApplication) -> WSGIApplication:
        # Nobody else should wait for its libraries to be imported, or need them.
        from graphql_api.infra.telemetry import tracing  # noqa: PLC0415

        return tracing.traced(wsgi, ROUTE, database, executor, rest_executor)

    if metrics:
        metrics.observe(database, bulkheads.passwords)
    wsgi: WSGIApplication = _wrapped(app.wsgi_app, config, traced, is_draining, metrics)
    app.wsgi_app = wsgi  # type: ignore[method-assign, assignment]  # as Flask's docs do it
    return app


def build_services(
    config: Config, database: Database, changes: ChangeStore, bulkheads: Bulkheads
) -> tuple[Services, Deletions]:
    """Build what requests call on, and the deletions that a start has to complete."""
    users, settings = UserStore(database), SettingsStore(database)
    tasks = TaskStore(database, changes)
    webhooks = WebhookStore(database)

    busy_calendars = BusyCalendarStore(database)

    def remove_data(user_id: str) -> None:
        tasks.remove_all(user_id)
        changes.remove_all(user_id, clock.now())
        webhooks.remove_all(user_id, clock.now())
        busy_calendars.remove_all(user_id)

    page_ends = PageEnds("user_id", "task_id") if config.embedded else None
    lists = TaskListReader(database, list_shares(config), page_ends=page_ends)
    projects = ProjectStore(database)
    dependencies = DependencyStore(database)
    tokens = Tokens(config.secrets, config.jwt_ttl)
    deletions = Deletions(Jobs(database, "deletion"), users, remove_data, clock.now)
    cursors = Cursors(config.secrets)
    client = OutgoingClient(allow_private=config.webhook_allow_private)

    def task_services(
        tasks: TaskStore, lists: TaskListReader, projects: ProjectStore
    ) -> TaskServices:
        feed = Feed(changes, tasks.told)
        writes = Tasks.of(database, tasks, feed, projects)
        return TaskServices(
            tasks=writes,
            history=writes.history,
            succession=writes.succession,
            plans=Plans(
                tasks,
                lists,
                PlanStore(database, rehearses=tasks.rehearses),
                lambda user_id: dependencies.get(user_id).blockers,
                SeriesStore(database),
                busy_calendars.times,
                planning=bulkheads.plans,
                hashing=bulkheads.plan_inputs,
            ),
            blocks=PlannedBlocks(tasks, lists),
            work=Work(tasks, TimerPointer(database)),
            projects=Projects(
                projects,
                ProjectDeletions(projects, Jobs(database, "project"), writes, tasks, clock.now),
            ),
            views=Views(
                ViewStore(database), projects, tasks, Viewpoints(settings, dependencies, tasks)
            ),
            quick_adds=QuickAdds(settings, projects, writes),
            task_store=tasks,
            task_lists=lists,
            feed=feed,
            project_store=projects,
        )

    def confined(confinement: Confinement, *, rehearses: bool) -> TaskServices:
        if not confinement:
            return task_services(TaskStore(database, changes, rehearses=rehearses), lists, projects)
        return task_services(
            ConfinedTaskStore(database, changes, confinement, rehearses=rehearses),
            lists.within(confinement.criterion),
            ConfinedProjectStore(database, confinement),
        )

    of_tasks = task_services(tasks, lists, projects)
    services = Services(
        accounts=Accounts(
            users,
            Passwords(config.argon2_profile, bulkheads.passwords),
            tokens,
            RateLimiter(database, config.secrets[0]),
            deletions,
            AccessTokens(AccessTokenStore(database), projects),
        ),
        of_tasks=of_tasks,
        confined=confined,
        series_store=SeriesStore(database),
        user_settings=UserSettings(settings, Relocations(database, tasks, clock.now), projects),
        webhooks=Webhooks(
            webhooks,
            client,
            Payloads(cursors).of_test,
        ),
        busy_calendars=BusyCalendars(busy_calendars, settings, client, bulkheads.plan_inputs),
        calendar_feeds=CalendarFeeds(FeedStore(database), lists, of_tasks.views, config.base_url),
        user_store=users,
        dependency_store=dependencies,
        settings_store=settings,
        cursors=cursors,
        rankings=bulkheads.rankings,
        now=clock.now,
    )
    return services, deletions


def _wrapped(
    wsgi: WSGIApplication,
    config: Config,
    traced: Callable[[WSGIApplication], WSGIApplication],
    is_draining: Callable[[], bool],
    metrics: "Metrics | None",
) -> WSGIApplication:
    """The middleware: each wraps those above it, and all of them see every request."""
    if config.cors_origins:
        wsgi = CORSMiddleware(wsgi, config.cors_origins)
    if config.traces:
        wsgi = traced(wsgi)
    wsgi = RequestMiddleware(wsgi, is_draining, metrics)
    if config.trusted_proxies:  # else a client could say that it is another one
        wsgi = ProxyFix(wsgi, x_for=config.trusted_proxies, x_proto=config.trusted_proxies)
    return wsgi
