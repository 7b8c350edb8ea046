"""Durable jobs: stored in a transaction, claimed by one process, run again after a crash."""

import itertools
from datetime import UTC, datetime, timedelta

import pytest

from graphql_api.domain.jobs import LEASE, LIFETIME, PAGE_SIZE, Job, Jobs

NOW = datetime(2036, 1, 1, 12, tzinfo=UTC)  # to come: DynamoDB Local deletes what has expired
SECOND = timedelta(seconds=1)

_numbers = itertools.count()


@pytest.fixture
def jobs(app) -> Jobs:
    """Jobs of a kind that no other test has."""
    return Jobs(app.extensions["database"], f"test-{next(_numbers)}")


@pytest.fixture
def add(app, jobs):
    def add(*ids: str, due: datetime = NOW) -> None:
        app.extensions["database"].transact(*(jobs.addition(job_id, due) for job_id in ids))

    return add


def test_a_job_is_pending_from_its_transaction_until_it_is_completed(jobs, add, calls):
    add("one", "two")
    assert jobs.pending() == [Job("one", epoch(NOW)), Job("two", epoch(NOW))]

    jobs.complete("one")
    jobs.complete("one")  # as a process does that was slower

    assert jobs.pending() == [Job("two", epoch(NOW))]
    assert calls == ["TransactWriteItems", "Query", "BatchWriteItem", "BatchWriteItem", "Query"]


def test_of_two_processes_that_have_read_a_job_one_claims_it(jobs, add, calls):
    add("one")
    [here], [there] = jobs.pending(), jobs.pending()
    calls.clear()

    assert [jobs.claim(here, NOW), jobs.claim(there, NOW + SECOND)] == [True, False]
    assert calls == ["UpdateItem", "UpdateItem"]


def test_a_job_that_was_claimed_and_not_completed_is_due_again_after_its_lease(jobs, add):
    add("one")
    [job] = jobs.pending()
    jobs.claim(job, NOW)

    [leased] = jobs.pending()

    assert leased == Job("one", epoch(NOW + LEASE))
    assert leased.seconds_left(NOW) == LEASE.total_seconds()
    assert leased.seconds_left(NOW + LEASE) == 0
    assert leased.seconds_left(NOW + 2 * LEASE) == 0
    assert jobs.claim(leased, NOW + LEASE)


def test_a_completed_job_cannot_be_claimed(jobs, add):
    add("one")
    [job] = jobs.pending()
    jobs.complete("one")

    assert not jobs.claim(job, NOW)
    assert jobs.pending() == []


def test_a_job_is_deleted_by_the_table_when_nobody_has_completed_it_for_long(app, jobs, add):
    add("one")

    item = app.extensions["database"].table("Users").get(**jobs._key("one"))

    assert item["expires_at"] == {"N": str(epoch(NOW + LIFETIME))}


def test_many_jobs_are_read_a_page_at_a_time(jobs, add, calls):
    ids = [f"{number:03}" for number in range(PAGE_SIZE + 1)]
    add(*ids[:50])
    add(*ids[50:])
    calls.clear()

    assert [job.item for job in jobs.pending()] == ids[:PAGE_SIZE]
    assert calls == ["Query"]


def epoch(instant: datetime) -> int:
    return int(instant.timestamp())
