"""Operator commands (`python -m graphql_api --help`); the only module that imports click."""

import logging
import os
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import IO, Any, NamedTuple, TypeVar

import click

from graphql_api import clock
from graphql_api.cli.migration import Migration, Outcome, Result
from graphql_api.config import Config
from graphql_api.dispatcher import create_dispatcher
from graphql_api.domain.access.model import DEFAULT_LIFETIME, Scope
from graphql_api.domain.access.service import AccessTokens
from graphql_api.domain.access.store import AccessTokenStore
from graphql_api.domain.accounts.model import User
from graphql_api.domain.accounts.store import UserStore
from graphql_api.domain.archive import export_format, series_format, settings_format, views_format
from graphql_api.domain.changes.feed import Feed
from graphql_api.domain.changes.model import SYSTEM
from graphql_api.domain.changes.store import ChangeStore
from graphql_api.domain.dependencies.model import Children, Dependencies, distinct_blockers
from graphql_api.domain.dependencies.store import DependencyStore
from graphql_api.domain.due_days.relocation import Relocations
from graphql_api.domain.open_tasks.store import COMMAND as UPGRADE_COMMAND
from graphql_api.domain.open_tasks.upgrade import OpenTaskUpgrade
from graphql_api.domain.projects.store import ProjectStore
from graphql_api.domain.series.store import SeriesStore
from graphql_api.domain.settings.service import UserSettings
from graphql_api.domain.settings.store import SettingsStore
from graphql_api.domain.subtasks.model import check_forest
from graphql_api.domain.subtasks.placement import Placement
from graphql_api.domain.tables import TABLES
from graphql_api.domain.tasks.model import Task
from graphql_api.domain.tasks.service import Tasks
from graphql_api.domain.tasks.store import TaskStore
from graphql_api.domain.views.store import ViewStore
from graphql_api.errors import AppError, BadUserInput, Conflict, StartError
from graphql_api.infra import process_wide, request_log
from graphql_api.infra.dynamodb import Database, connect, database, embedded
from graphql_api.infra.dynamodb.tables import CREATE_COMMAND, Tables

T = TypeVar("T")

# Longer than for requests: only the operator waits.
ATTEMPTS = 12  # at each call
ATTEMPT_TIMEOUT = 10  # seconds
CALL_TIMEOUT = 60  # seconds, for all attempts at a call

ONCE = (5.0, 600.0)  # seconds that `dispatch --once` takes at least and at most

STDOUT = "-"


class _Commands(click.Group):
    """A group whose commands report an expected error in one line."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except StartError as error:
            raise click.ClickException(f"{error}.") from None
        except AppError as error:  # operators may see the store's own message
            raise click.ClickException(str(error.__cause__ or error.message)) from None


@click.group(cls=_Commands)
def cli() -> None:
    """Manage the data of Smart Task Scheduler.

    The store is configured by the same environment variables as the service.
    """
    # A failure of the store is reported once, at the end.
    logging.getLogger(database.__name__).addHandler(logging.NullHandler())


@cli.group("tables")
def table_commands() -> None:
    """Create, check and upgrade the two tables."""


@table_commands.command("create")
@click.pass_context
def create_tables(ctx: click.Context) -> None:
    """Create missing tables, on AWS too; existing tables are not changed."""
    store = _open(_configured(ctx, create=True))
    created = Tables(store.client, store.config, TABLES).create_missing()
    for name in created:
        click.echo(f"Created table {name}.")
    if not created:
        click.echo("All tables exist and are correct.")
        return
    OpenTaskUpgrade.of(store.database(store.config.table_prefix)).complete()


@table_commands.command("check")
@click.pass_context
def check_tables(ctx: click.Context) -> None:
    """Report problems of the tables; the exit code is 1 if there are any."""
    config = _configured(ctx)
    client = connect(config)
    findings = Tables(client, config, TABLES).check()
    for finding in findings:
        click.echo(f"{finding.text}.")
    if any(finding.wrong for finding in findings):
        ctx.exit(1)
    if OpenTaskUpgrade.of(Database(client, config.table_prefix)).is_needed:
        click.echo(f"Lists of open tasks read finished ones, too, until `{UPGRADE_COMMAND}`.")


@table_commands.command("upgrade")
@click.pass_context
def upgrade_tables(ctx: click.Context) -> None:
    """Bring data of earlier releases up to date, once none of their processes runs any more.

    The service may run meanwhile. The command can be interrupted and run again.
    """
    store = _open(_configured(ctx))
    stores = _stores(store)
    length = Tables(store.client, store.config, TABLES).count_all()
    with click.progressbar(length=length, label="Open tasks", file=sys.stderr) as bar:
        for scanned in OpenTaskUpgrade(stores.database, stores.tasks).run():
            bar.update(scanned)
    click.echo("All data is up to date.")


@cli.command()
@click.pass_context
def relocate(ctx: click.Context) -> None:
    """Move due days to where newer data of time zones has them, once all processes have it.

    The service may run meanwhile. The command can be interrupted and run again.
    """
    stores = _stores(_open(_configured(ctx)))
    count = Relocations(stores.database, stores.tasks, clock.now).renew()
    click.echo(f"Due days that lay elsewhere: {count}.")


@cli.command()
@click.argument("username")
@click.option(
    "-o",
    "--output",
    type=click.Path(dir_okay=False, allow_dash=True),
    default=STDOUT,
    help="Write to this file instead of the standard output.",
)
@click.pass_context
def export(ctx: click.Context, username: str, output: str) -> None:
    """Export a user's settings, tasks, projects, views and series as JSON.

    The service may run meanwhile.
    """
    stores = _stores(_open(_configured(ctx, beside=True)))
    user = _user(stores.users, username)
    dependencies = stores.dependencies.get(user.user_id)
    projects = stores.projects.all(user.user_id)
    settings = SettingsStore(stores.database).get(user.user_id)
    changed = settings_format.entry(settings) if settings.version else None
    with _atomic_output(output) as file:
        tasks = stores.tasks.all(user.user_id)
        series = (
            series_format.entry(each, stores.series.all_records(each))
            for each in stores.series.all(user.user_id)
        )
        views = map(views_format.entry, ViewStore(stores.database).all(user.user_id))
        for chunk in export_format.chunks(
            user, tasks, dependencies, projects, series, views, changed
        ):
            file.write(chunk)


@cli.command("import")
@click.argument("file", type=click.File("rb"))
@click.option("--username", help="The account to import into; by default the user in the file.")
@click.pass_context
def import_(ctx: click.Context, file: IO[bytes], username: str | None) -> None:
    """Import the settings, tasks, projects, views and series of an exported FILE into an account.

    A task whose id exists in the account stays as it is; only its blockers are added. So does a
    project, a view, and a series, and so do settings that somebody has changed there. If anything
    in the file is invalid, nothing is written.
    """
    document = export_format.read(file)
    stores = _stores(_open(_configured(ctx)))
    user = _user(stores.users, username or document.username)
    before = SettingsStore(stores.database).get(user.user_id)
    given = {} if document.settings is None else settings_format.changes(document.settings)
    zone = (before if before.version else before.edit(given)).timezone
    tasks = _each(document.tasks, partial(export_format.task, user.user_id, timezone=zone))
    projects = _each(document.projects, partial(export_format.project, user.user_id), "projects")
    views = _each(document.views, partial(views_format.view, user.user_id), "views")
    series = _each(document.series, partial(series_format.series, user.user_id), "series")
    children = _children(tasks)
    blockers = _blockers(user, document.tasks, children)
    if projects:
        new = sum(map(stores.projects.add_imported, projects))
        click.echo(f"Projects: {new} added, {len(projects) - new} existing.")
    if views:
        new = sum(map(ViewStore(stores.database).add_imported, views))
        click.echo(f"Views: {new} added, {len(views) - new} existing.")
    if series:
        new = sum(stores.series.add_imported(each, past) for each, past in series)
        click.echo(f"Series: {new} added, {len(series) - new} existing.")
    # A project that was created or deleted during the export is not in the file.
    kept = {project.project_id for project in stores.projects.all(user.user_id)}
    known = {None, *kept}
    if given:
        click.echo(f"Settings: {'existing' if before.version else 'restored'}.")
    if given and not before.version:
        relocations = Relocations(stores.database, stores.tasks, clock.now)
        settings = UserSettings(SettingsStore(stores.database), relocations, stores.projects)
        given = settings_format.without_projects(given, kept)
        settings.update(user.user_id, given, clock.now())
    tasks = [each if each.project_id in known else replace(each, project_id=None) for each in tasks]
    parents = {None, *children}
    tasks = [each if each.parent_id in parents else replace(each, parent_id=None) for each in tasks]
    with click.progressbar(tasks, label="Tasks", file=sys.stderr) as bar:
        added = sum(stores.tasks.add_imported(task, SYSTEM, clock.now()) for task in bar)
    click.echo(f"Tasks: {added} added, {len(tasks) - added} existing.")
    for parent_id, child_ids in children.items():
        Placement(stores.tasks).adopt(user.user_id, parent_id, child_ids)
    service = Tasks.of(stores.database, stores.tasks, Feed(stores.changes))
    with click.progressbar(blockers.items(), label="Dependencies", file=sys.stderr) as links:
        for task_id, blocker_ids in links:
            service.add_blockers(user.user_id, task_id, blocker_ids, SYSTEM, clock.now())


@cli.command()
@click.option("--users-table", default="Users", show_default=True, help="The legacy users table.")
@click.option("--tasks-table", default="Tasks", show_default=True, help="The legacy tasks table.")
@click.option(
    "--endpoint-url", help="The store of the legacy tables if it is another one: a URL, or aws."
)
@click.option("--dry-run", is_flag=True, help="Report what would be done, and write nothing.")
@click.pass_context
def migrate(
    ctx: click.Context,
    users_table: str,
    tasks_table: str,
    endpoint_url: str | None,
    *,
    dry_run: bool,
) -> None:
    """Migrate users and tasks from the legacy Flask service.

    The command can be interrupted and run again: existing items stay as they are. The exit code
    is 1 if an item was refused.
    """
    store = _open(_configured(ctx))
    legacy = _legacy_store(store, endpoint_url, {users_table, tasks_table})
    legacy_tables = Tables(legacy.client, legacy.config, ())
    users = legacy_tables.count_items(users_table, "username")
    tasks = legacy_tables.count_items(tasks_table, "task_id")
    stores = _stores(store)
    migration = Migration(stores.users, stores.tasks, clock.now(), dry_run=dry_run)
    database = legacy.database()
    refused = _report("Users", migration.users(database.table(users_table)), users)
    refused += _report("Tasks", migration.tasks(database.table(tasks_table)), tasks)
    if dry_run:
        click.echo("Nothing was written.")
    if refused:
        ctx.exit(1)


@cli.command()
@click.option("--once", is_flag=True, help="Do what is due now, and end: for cron.")
@click.pass_context
def dispatch(ctx: click.Context, *, once: bool) -> None:
    """Tell what is due, such as reminders, and deliver to webhooks, until a signal ends it.

    Any number of processes may do so at a time. The exit code is 1 if something of it failed.
    """
    config = _configured(ctx, serving=True)
    request_log.configure(config.log_level)
    Tables(connect(config), config, TABLES).require()
    dispatcher = create_dispatcher(config)
    if once:
        ctx.exit(0 if dispatcher.run_briefly(*ONCE) else 1)
    wait_for_end = process_wide.ending_signal()
    dispatcher.start()
    click.echo("Dispatching, until SIGTERM or Ctrl-C.")
    wait_for_end()
    dispatcher.stop()


@cli.group("token")
def token_commands() -> None:
    """Manage users' access tokens."""


@token_commands.command("create")
@click.argument("username")
@click.option("--name", required=True, help="Changes that it makes have it as their actor's.")
@click.option(
    "--scope",
    "scopes",
    required=True,
    multiple=True,
    type=click.Choice([scope.value for scope in Scope]),
    help="What it may do; can be repeated.",
)
@click.option("--tag", "tags", multiple=True, help="Confine it to tasks with one of these tags.")
@click.option("--project", "projects", multiple=True, help="Confine it to a project, by its id.")
@click.option("--days", type=int, help=f"Its lifetime. [default: {DEFAULT_LIFETIME.days}]")
@click.pass_context
def create_token(
    ctx: click.Context,
    username: str,
    name: str,
    scopes: Sequence[str],
    tags: Sequence[str],
    projects: Sequence[str],
    days: int | None,
) -> None:
    """Create an access token of a user, and print it, this once."""
    tokens, user, now = _tokens(ctx, username)
    values: dict[str, Any] = {"name": name, "scopes": map(Scope, scopes)}
    confined = {"tags": tags or None, "project_ids": projects or None}
    expiry = {} if days is None else {"expires_at": now + timedelta(days=days)}
    created = tokens.create(user.user_id, {**values, **confined, **expiry}, now)
    click.echo(f"Expires at {clock.text(created.token.expires_at)}.", err=True)
    click.echo(created.text)


@token_commands.command("list")
@click.argument("username")
@click.pass_context
def list_tokens(ctx: click.Context, username: str) -> None:
    """List a user's access tokens: id, end, last use, scopes, name."""
    tokens, user, now = _tokens(ctx, username)
    for token in tokens.all(user.user_id):
        end = "expired" if token.is_expired(now) else clock.text(token.expires_at)
        used = clock.text(token.last_used_at) if token.last_used_at else "never used"
        scopes = ",".join(scope.value for scope in token.scopes)
        click.echo(f"{token.token_id}  {end}  {used}  {scopes}  {token.name}")


@token_commands.command("revoke")
@click.argument("username")
@click.argument("token_id")
@click.pass_context
def revoke_token(ctx: click.Context, username: str, token_id: str) -> None:
    """Revoke a user's access token: it is refused within 5 seconds everywhere."""
    tokens, user, _ = _tokens(ctx, username)
    click.echo(f"Revoked {tokens.revoke(user.user_id, token_id)}.")


def _tokens(ctx: click.Context, username: str) -> tuple[AccessTokens, User, datetime]:
    """The service of access tokens, their user, and the present instant."""
    stores = _stores(_open(_configured(ctx, beside=True)))
    tokens = AccessTokens(AccessTokenStore(stores.database), stores.projects)
    return tokens, _user(stores.users, username), clock.now()


def _report(label: str, results: Iterable[Result], length: int) -> int:
    """Run a migration by iterating its results, and print them; return the number of refusals."""
    counts: Counter[Outcome] = Counter()
    notes = []
    with click.progressbar(results, length=length, label=label, file=sys.stderr) as bar:
        for result in bar:
            counts[result.outcome] += 1
            if result.note:
                notes.append(f"{result.outcome.value}: {result.note}")
    for note in notes:
        click.echo(note, err=True)
    click.echo(f"{label}: {', '.join(f'{counts[each]} {each.value}' for each in Outcome)}.")
    return counts[Outcome.REFUSED]


def _configured(
    ctx: click.Context, *, create: bool = False, serving: bool = False, beside: bool = False
) -> Config:
    """Read the configuration and start the embedded engine, if it is used.

    A command that works `beside` a service uses the engine of one that runs.
    Raises StartError if its data directory is missing, unless it may be created.
    """
    config = Config.from_env(os.environ, serving=serving)
    if config.embedded:
        if not create and not config.data_dir.is_dir():
            raise StartError(
                f"DATA_DIR {config.data_dir} does not exist: create it with `{CREATE_COMMAND}`"
            )
        ctx.call_on_close(embedded.stop)
    return embedded.prepare(config, beside=beside)


class _Store(NamedTuple):
    """A store and a client for it."""

    config: Config
    client: Any

    def database(self, prefix: str = "") -> Database:
        """Open its tables, with time for a busy store."""
        return Database(
            self.client,
            prefix,
            attempts=ATTEMPTS,
            timeout=ATTEMPT_TIMEOUT,
            call_timeout=CALL_TIMEOUT,
        )


def _open(config: Config) -> _Store:
    return _Store(config, connect(config))


class _Stores(NamedTuple):
    """The domain's stores, and the database that they are on."""

    database: Database
    users: UserStore
    tasks: TaskStore
    dependencies: DependencyStore
    changes: ChangeStore
    projects: ProjectStore
    series: SeriesStore


def _stores(store: _Store) -> _Stores:
    """Open the domain's stores. Raises StartError unless the tables are correct."""
    Tables(store.client, store.config, TABLES).require()
    database = store.database(store.config.table_prefix)
    changes = ChangeStore(database, timedelta(days=store.config.changes_days))
    return _Stores(
        database,
        UserStore(database),
        TaskStore(database, changes),
        DependencyStore(database),
        changes,
        ProjectStore(database),
        SeriesStore(database),
    )


def _legacy_store(store: _Store, endpoint_url: str | None, names: set[str]) -> _Store:
    """Open the store of the legacy tables. Raises StartError if they are the service's own."""
    if endpoint_url is not None:
        try:
            return _open(Config.from_env({"DYNAMODB": endpoint_url}, serving=False))
        except StartError as error:
            raise StartError(f"--endpoint-url: {error}") from None
    conflicts = sorted(names & {store.config.table_prefix + table.name for table in TABLES})
    if conflicts:
        raise StartError(
            f"The legacy tables {' and '.join(conflicts)} are the service's own:"
            " set TABLE_PREFIX for this command and for the service"
        )
    return store


def _user(users: UserStore, username: str) -> User:
    try:
        user = users.find(username)
    except BadUserInput:
        user = None
    if user is None or user.deleting:
        raise StartError(f"User {username!r} does not exist")
    return user


def _children(tasks: list[Task]) -> Children:
    """Return the subtasks of each parent, by id; a parent that is not in the file has none.

    Raises StartError.
    """
    there = {task.task_id for task in tasks}
    children: dict[str, list[str]] = {}
    for task in tasks:
        if task.parent_id in there:
            children.setdefault(task.parent_id, []).append(task.task_id)
    try:
        check_forest(children)
    except BadUserInput as error:
        raise StartError(f"{error.message} Nothing was written") from None
    return children


def _blockers(user: User, entries: list[Any], children: Children) -> Mapping[str, tuple[str, ...]]:
    """Return the blockers of each task, by task id; only tasks of the file count."""
    task_ids = {entry["task_id"] for entry in entries}
    known = Dependencies.none(user.user_id)

    def link(entry: Mapping[str, Any]) -> None:
        nonlocal known
        # A blocker that was deleted during the export no longer blocks.
        if ids := [each for each in export_format.blockers(entry) if each in task_ids]:
            task_id = entry["task_id"]
            blockers = distinct_blockers(task_id, ids)
            known = known.add(task_id, blockers, (), children=children)

    _each(entries, link)
    return known.blockers


def _each(entries: list[Any], convert: Callable[[Any], T], label: str = "tasks") -> list[T]:
    """Convert all entries; print every problem, then raise StartError if there were any."""
    converted = []
    for index, entry in enumerate(entries):
        try:
            converted.append(convert(entry))
        except (BadUserInput, Conflict) as error:
            click.echo(f"{label}[{index}]: {error.message}", err=True)
    if invalid := len(entries) - len(converted):
        raise StartError(f"{invalid} of {len(entries)} {label} are invalid; nothing was written")
    return converted


@contextmanager
def _atomic_output(name: str) -> Iterator[IO[str]]:
    """Open a file, private to its owner, that appears complete or not at all; or stdout."""
    if name == STDOUT:
        yield click.open_file(STDOUT, "w", "utf-8")
        return
    path = Path(name)
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            yield file
        draft.replace(path)
    except OSError as error:
        raise StartError(f"{path} cannot be written: {error.strerror}") from None
    finally:
        draft.unlink(missing_ok=True)
