"""Entry point: `python app.py` runs the whole service; `app:app` is its app for a WSGI server."""

import os
import signal
import sys
from contextlib import ExitStack

if __name__ == "__main__":
    # No traceback of the imports, which take a second. A shell has SIGINT ignored in what it runs
    # in the background: the service listens to it once it serves, and so does its start.
    signal.signal(signal.SIGINT, signal.SIG_DFL)

from graphql_api.app import start_app
from graphql_api.bulkheads import Bulkheads
from graphql_api.config import Config
from graphql_api.dispatcher import create_dispatcher
from graphql_api.domain.open_tasks.upgrade import OpenTaskUpgrade
from graphql_api.domain.tables import TABLES
from graphql_api.errors import StartError
from graphql_api.infra import request_log
from graphql_api.infra.dynamodb import Database, connect, embedded
from graphql_api.infra.dynamodb.tables import Tables
from graphql_api.infra.executor.persisted_documents import PersistedDocuments
from graphql_api.infra.serving import server

INTERRUPTED = 130  # a shell's exit status of a program that Ctrl-C ended


def prepare(config: Config, *, shared: bool) -> Config:
    """Make the store ready, and return the configuration that reaches it."""
    PersistedDocuments(config.trusted_documents)  # what is wrong with them is said once so
    config = embedded.prepare(config, shared=shared)
    client = connect(config)
    created = Tables(client, config, TABLES).prepare()
    if created or config.embedded:  # no process of an earlier release writes them
        OpenTaskUpgrade.of(Database(client, config.table_prefix)).complete()
    return config


def main() -> int:
    """Serve until a signal ends it; return the process's exit status, 2 for a failed start."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_DFL:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        config = server.resolve_address(Config.from_env(os.environ))
        request_log.configure(config.log_level)
        config = prepare(config, shared=False)
    except StartError as error:
        print(f"Cannot start: {error}.", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return INTERRUPTED
    try:
        with server.serving_metrics(config), ExitStack() as beside:
            server.serve(
                config,
                start_app,
                threads=Bulkheads.of(config).size,
                on_listening=lambda: begin(config, beside),
            )
    except StartError as error:
        print(f"Cannot start: {error}.", file=sys.stderr)
        return 2
    finally:
        stopped = embedded.stop()
    return 0 if stopped else 1


def begin(config: Config, beside: ExitStack) -> None:
    """Say that the service listens, and do beside it what a laptop has no other process for."""
    announce(config)
    if config.embedded:
        dispatcher = create_dispatcher(config)
        dispatcher.start()
        beside.callback(dispatcher.stop)  # before the engine ends under its calls


def announce(config: Config) -> None:
    """Print where the service listens, and where its data is."""
    host = f"[{config.host}]" if ":" in config.host else config.host
    page = " (GraphiQL)" if config.graphiql else ""
    print(f"Smart Task Scheduler: http://{host}:{config.port}/graphql{page}")
    if config.plan_page:
        print(f"Your plan: http://{host}:{config.port}/plan")
    print(f"Data: {config.data_dir}" if config.embedded else f"Store: {config.dynamodb}")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())

if __name__ != "__mp_main__":  # a spawned worker needs the names above only
    config = Config.from_env(os.environ)
    request_log.configure(config.log_level)
    app = start_app(prepare(config, shared=True))
