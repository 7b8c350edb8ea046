"""The bulkheads of a process: how much of each kind of costly work runs at once, and waits."""

from dataclasses import dataclass, fields
from functools import partial

from graphql_api.config import CONNECTIONS, Config
from graphql_api.infra.concurrency.bulkhead import Bulkhead, Shares

QUEUE_SECONDS = 3.0  # for which a request may wait in a queue …
PLAN_QUEUE_SECONDS = 1.0  # … or one for a plan, which takes up to a second itself


@dataclass(frozen=True)
class Bulkheads:
    """One bulkhead for each kind of work that takes long, whatever the store does."""

    passwords: Bulkhead
    rankings: Bulkhead
    lists: Bulkhead
    long_lists: Bulkhead
    plans: Bulkhead
    plan_inputs: Bulkhead
    long_documents: Bulkhead
    introspections: Bulkhead
    long_operations: Bulkhead

    @classmethod
    def of(cls, config: Config) -> "Bulkheads":
        """Build the bulkheads of one process; THREADS sets their sizes."""
        hashes = max(1, min(config.threads - 1, config.max_hashes))  # a thread is left for others
        lists = max(1, config.threads // 2)
        bulkhead = partial(Bulkhead, queue_seconds=QUEUE_SECONDS, waits_in_threads=True)
        long_lists = partial(
            bulkhead,
            message="Too many long lists are being read, try again, or by pages.",
            queue_limit=64,
        )
        plans = partial(
            bulkhead,
            1,
            "Others are planning, try again.",
            queue_limit=8,
            queue_seconds=PLAN_QUEUE_SECONDS,
        )
        return cls(
            # Each takes 64 MiB and a core for a while: two cores make ten hashes a second.
            passwords=bulkhead(
                hashes,
                "Too many passwords are being checked, try again.",
                queue_limit=12,
                waits_in_threads=False,
            ),
            # Each rates all open tasks of its user: 0.1 s for 2,000 of them.
            rankings=bulkhead(
                lists, "Too many lists by urgency are being read, try again.", queue_limit=32
            ),
            # Lists of up to 1,100 tasks do not wait for those of 100,000.
            lists=long_lists(lists),
            # Each may hold as many bytes as an answer may have.
            long_lists=long_lists(1),
            # A large plan takes a second of a core, which all requests share; its input's hash
            # takes 0.1 s.
            plans=plans(),
            plan_inputs=plans(),
            long_documents=bulkhead(
                1, "Too many long documents are being read, try again.", queue_limit=CONNECTIONS
            ),
            introspections=bulkhead(
                1, "Too many are asking for the schema, try again.", queue_limit=CONNECTIONS
            ),
            # Each may have as many fields, or bytes, as take others too long to wait for.
            long_operations=bulkhead(
                1, "Too many are asking for much at once, try again.", queue_limit=64
            ),
        )

    @property
    def size(self) -> int:
        """The slots of all bulkheads; with as many threads, work that has a slot has a thread."""
        return sum(getattr(self, field.name).size for field in fields(self))


def list_shares(config: Config) -> Shares:
    """Build the bulkheads of each user's lists, so that one user's leave the store to others.

    The embedded engine reads all tasks of a user for most pages of a list.
    """
    return Shares(
        partial(
            Bulkhead,
            max(1, config.concurrency // 4),
            "Too many of your lists are being read, try again.",
            queue_limit=CONNECTIONS,
            queue_seconds=QUEUE_SECONDS,
            waits_in_threads=True,
        )
    )
