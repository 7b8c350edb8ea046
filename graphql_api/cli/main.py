"""What an operator does: `python -m graphql_api --help`; the only door to click."""

import logging
import os
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import IO, Any, NamedTuple, TypeVar

import click

from graphql_api import clock
from graphql_api.cli import export_format
from graphql_api.cli.migration import Fate, Migration, Outcome
from graphql_api.config import Config
from graphql_api.domain.accounts.model import User
from graphql_api.domain.accounts.store import UserStore
from graphql_api.domain.tasks.dependencies import Dependencies, distinct_blockers
from graphql_api.domain.tasks.dependency_store import DependencyStore
from graphql_api.domain.tasks.service import Tasks
from graphql_api.domain.tasks.store import TaskStore
from graphql_api.errors import AppError, BadUserInput, Conflict, StartError
from graphql_api.infra.dynamodb import Database, embedded, tables
from graphql_api.infra.dynamodb import database as client

T = TypeVar("T")

ATTEMPTS = 12  # at each call of a store that is busy: only the operator waits
TIMEOUT = 10  # seconds an attempt
PATIENCE = 60  # seconds a call

STANDARD = "-"  # the standard output


class _Commands(click.Group):
    """Commands whose failures are one clear line."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except StartError as error:
            raise click.ClickException(f"{error}.") from None
        except AppError as error:  # the operator may see what the store's clients may not
            raise click.ClickException(str(error.__cause__ or error.message)) from None


@click.group(cls=_Commands)
def cli() -> None:
    """Look after the data of Smart Task Scheduler.

    The store is the service's own: the same environment variables name it.
    """
    # What the store's failures are is told once, at the end.
    logging.getLogger(client.__name__).addHandler(logging.NullHandler())


@cli.group("tables")
def table_commands() -> None:
    """Create and check the two tables."""


@table_commands.command("create")
@click.pass_context
def create_tables(ctx: click.Context) -> None:
    """Create the tables that are missing, on AWS too; change no other."""
    config = _configured(ctx, new=True)
    created = tables.create_missing(client.connect(config), config)
    for name in created:
        click.echo(f"Table {name} was created.")
    if not created:
        click.echo("The tables are there and as needed.")


@table_commands.command("check")
@click.pass_context
def check_tables(ctx: click.Context) -> None:
    """Tell what is wrong with the tables; exit code 1 if anything is."""
    config = _configured(ctx)
    findings = tables.check(client.connect(config), config)
    for finding in findings:
        click.echo(f"{finding.text}.")
    if any(finding.wrong for finding in findings):
        ctx.exit(1)


@cli.command()
@click.argument("username")
@click.option(
    "-o",
    "--output",
    type=click.Path(dir_okay=False, allow_dash=True),
    default=STANDARD,
    help="The file to write instead of the standard output.",
)
@click.pass_context
def export(ctx: click.Context, username: str, output: str) -> None:
    """Write a user's data as JSON."""
    stores = _stores(_open(_configured(ctx)))
    user = _user(stores.users, username)
    dependencies = stores.dependencies.get(user.user_id)
    with _written_whole(output) as file:
        for chunk in export_format.chunks(user, stores.tasks.all(user.user_id), dependencies):
            file.write(chunk)


@cli.command("import")
@click.argument("file", type=click.File("rb"))
@click.option("--username", help="Whose the tasks become; else whose they were in the file.")
@click.pass_context
def import_(ctx: click.Context, file: IO[bytes], username: str | None) -> None:
    """Add the tasks of an exported FILE to an account.

    A task of an id that the account has already stays as it is, but that it waits for others is
    added. If anything in the file is wrong, nothing is written.
    """
    document = export_format.read(file)
    stores = _stores(_open(_configured(ctx)))
    user = _user(stores.users, username or document.username)
    tasks = _each(document.tasks, partial(export_format.task, user.user_id))
    waits = _waits(user, document.tasks)
    with click.progressbar(tasks, label="Tasks", file=sys.stderr) as bar:
        added = sum(stores.tasks.restore(task) for task in bar)
    click.echo(f"Tasks: {added} added, {len(tasks) - added} there already.")
    service = Tasks(stores.tasks, stores.dependencies)
    with click.progressbar(waits.items(), label="Dependencies", file=sys.stderr) as links:
        for task_id, blockers in links:
            service.add_blockers(user.user_id, task_id, blockers)


@cli.command()
@click.option("--users-table", default="Users", show_default=True, help="The old table of users.")
@click.option("--tasks-table", default="Tasks", show_default=True, help="The old table of tasks.")
@click.option("--endpoint-url", help="Where the old tables are, if not beside ours: a URL, or aws.")
@click.option("--dry-run", is_flag=True, help="Only say what would be done.")
@click.pass_context
def migrate(
    ctx: click.Context,
    users_table: str,
    tasks_table: str,
    endpoint_url: str | None,
    *,
    dry_run: bool,
) -> None:
    """Take over users and tasks of the older Flask program.

    Can be interrupted and run again: what is there already stays as it is. Exit code 1 if
    something could not be taken over.
    """
    store = _open(_configured(ctx))
    old = _older(store, endpoint_url, {users_table, tasks_table})
    users = tables.count(old.client, old.config, users_table, "username")
    tasks = tables.count(old.client, old.config, tasks_table, "task_id")
    stores = _stores(store)
    migration = Migration(stores.users, stores.tasks, clock.now(), dry_run=dry_run)
    database = old.database()
    refused = _take_over("Users", migration.users(database.table(users_table)), users)
    refused += _take_over("Tasks", migration.tasks(database.table(tasks_table)), tasks)
    if dry_run:
        click.echo("Nothing was written.")
    if refused:
        ctx.exit(1)


def _take_over(label: str, outcomes: Iterable[Outcome], length: int) -> int:
    """Go through the outcomes, and tell of them; how many were refused."""
    fates: Counter[Fate] = Counter()
    notes = []
    with click.progressbar(outcomes, length=length, label=label, file=sys.stderr) as bar:
        for outcome in bar:
            fates[outcome.fate] += 1
            if outcome.note:
                notes.append(f"{outcome.fate.value}: {outcome.note}")
    for note in notes:
        click.echo(note, err=True)
    click.echo(f"{label}: {', '.join(f'{fates[fate]} {fate.value}' for fate in Fate)}.")
    return fates[Fate.REFUSED]


def _configured(ctx: click.Context, *, new: bool = False) -> Config:
    """The service's configuration, with a store that runs; only a `new` one is made."""
    config = Config.from_env(os.environ, serving=False)
    if config.embedded:
        if not new and not config.data_dir.is_dir():
            raise StartError(
                f"DATA_DIR {config.data_dir} is not there: create it with `{tables.CREATE}`"
            )
        ctx.call_on_close(embedded.stop)
    return embedded.prepare(config)


class _Store(NamedTuple):
    """A store and the client for it."""

    config: Config
    client: Any

    def database(self, prefix: str = "") -> Database:
        """Its tables, by calls that wait while it is busy."""
        return Database(self.client, prefix, attempts=ATTEMPTS, timeout=TIMEOUT, patience=PATIENCE)


def _open(config: Config) -> _Store:
    return _Store(config, client.connect(config))


class _Stores(NamedTuple):
    """The service's stores."""

    users: UserStore
    tasks: TaskStore
    dependencies: DependencyStore


def _stores(store: _Store) -> _Stores:
    """The service's stores, on tables that are as needed."""
    tables.require(store.client, store.config)
    database = store.database(store.config.table_prefix)
    return _Stores(UserStore(database), TaskStore(database), DependencyStore(database))


def _older(store: _Store, endpoint_url: str | None, names: set[str]) -> _Store:
    """Where the older program's tables are; StartError if they would be our own."""
    if endpoint_url is not None:
        try:
            return _open(Config.from_env({"DYNAMODB": endpoint_url}, serving=False))
        except StartError as error:
            raise StartError(f"--endpoint-url: {error}") from None
    same = sorted(names & {store.config.table_prefix + table.name for table in tables.TABLES})
    if same:
        raise StartError(
            f"The old tables {' and '.join(same)} would be the service's own:"
            " set TABLE_PREFIX, for this command and for the service"
        )
    return store


def _user(users: UserStore, username: str) -> User:
    try:
        user = users.find(username)
    except BadUserInput:
        user = None
    if user is None or user.deleting:
        raise StartError(f"There is no user {username!r}")
    return user


def _waits(user: User, entries: list[Any]) -> Mapping[str, tuple[str, ...]]:
    """What the tasks of the entries wait for, of what is in the file."""
    there = {entry["task_id"] for entry in entries}
    known = Dependencies.none(user.user_id)

    def link(entry: Mapping[str, Any]) -> None:
        nonlocal known
        # One that was deleted while the file was written blocks nothing any more.
        if blockers := [other for other in export_format.blockers(entry) if other in there]:
            task_id = entry["task_id"]
            known = known.add(task_id, distinct_blockers(task_id, blockers), ())

    _each(entries, link)
    return known.blockers


def _each(entries: list[Any], do: Callable[[Any], T]) -> list[T]:
    """What becomes of each entry; StartError if one is wrong, and each that is has been told."""
    done = []
    for number, entry in enumerate(entries):
        try:
            done.append(do(entry))
        except (BadUserInput, Conflict) as error:
            click.echo(f"tasks[{number}]: {error.message}", err=True)
    if len(done) < len(entries):
        wrong = len(entries) - len(done)
        raise StartError(f"{wrong} of {len(entries)} tasks are wrong; nothing was written")
    return done


@contextmanager
def _written_whole(name: str) -> Iterator[IO[str]]:
    """A file for its owner only, which appears whole or not at all; or the standard output."""
    if name == STANDARD:
        yield click.open_file(STANDARD, "w", "utf-8")
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
