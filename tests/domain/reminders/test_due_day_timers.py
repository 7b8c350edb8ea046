"""A due day is told when it begins and when it has ended, once, wherever its user moves."""

import itertools
from datetime import date, datetime, timedelta

import pytest
from test_timer_duty import DUE, NOW, OVERDUE, REMINDER, Crash, World, config  # noqa: F401

from graphql_api.domain.due_days.relocation import Relocations
from graphql_api.domain.projects.store import ProjectStore
from graphql_api.domain.reminders.model import Reminder
from graphql_api.domain.settings.service import UserSettings
from graphql_api.domain.settings.store import SettingsStore

DAY = date(2036, 3, 3)  # NOW is noon of 1 March 2036, in UTC
HOUR = timedelta(hours=1)


def at(text):
    return datetime.fromisoformat(f"2036-03-{text}:00+00:00")


@pytest.fixture
def world(config):  # noqa: F811
    world = World(config)
    relocations = Relocations(world.database, world.store, lambda: world.clock)
    world.settings = UserSettings(
        SettingsStore(world.database), relocations, ProjectStore(world.database)
    )
    return world


def move_to(world, zone, now):
    world.clock = now
    world.settings.update(world.user, {"timezone": zone}, now)


def kinds(world):
    return [kind for kind, _ in world.told()]


def test_a_day_is_due_when_it_begins_and_overdue_when_it_has_ended(world):
    move_to(world, "Europe/Berlin", NOW)
    world.create(due_on=DAY, reminders=[Reminder(minutes_before=60)])

    assert world.kept() == [at("02T22:00"), at("02T23:00"), at("03T23:00")]
    world.dispatch(at("02T22:00"))
    world.dispatch(at("02T23:00"))
    before = kinds(world)
    world.dispatch(at("03T23:00"))
    assert before == [REMINDER, DUE]
    assert kinds(world) == [REMINDER, DUE, OVERDUE]
    assert world.kept() == []


def test_whoever_moves_east_is_told_at_once_what_has_come_by_that(world):
    move_to(world, "America/New_York", NOW)  # 3 March begins there at 05:00 UTC
    task = world.create(due_on=DAY)
    move_to(world, "Europe/Berlin", at("03T01:00"))

    assert world.told() == [(DUE, 2 * 60 * 60)]
    assert world.kept() == [at("03T23:00")]
    assert world.store.get(world.user, task.task_id).version == 1


@pytest.mark.parametrize("looked", [True, False])
def test_whoever_moves_west_is_not_told_again(world, looked):
    move_to(world, "Europe/Berlin", NOW)  # 3 March begins there at 23:00 UTC
    world.create(due_on=DAY)
    if looked:
        world.dispatch(at("03T01:00"))
    move_to(world, "America/New_York", at("03T01:00"))

    told, kept = kinds(world), world.kept()
    world.dispatch(at("04T05:00"))
    assert told == ([DUE] if looked else [])
    assert kept == ([at("04T05:00")] if looked else [at("03T05:00"), at("04T05:00")])
    assert kinds(world) == [DUE, OVERDUE]


def test_a_closed_task_moves_without_timers(world):
    task = world.create(due_on=DAY)
    world.update(task, status=type(task.status).COMPLETED)
    move_to(world, "Europe/Berlin", NOW)

    moved = world.store.get(world.user, task.task_id)
    assert (moved.due_day.end, world.kept()) == (at("03T23:00"), [])


def test_whatever_call_a_move_crashes_before_the_next_one_loses_nothing(config):  # noqa: F811
    for crashing_at in itertools.count():
        world = World(config)
        relocations = Relocations(world.database, world.store, lambda: world.clock)  # noqa: B023
        settings = UserSettings(
            SettingsStore(world.database), relocations, ProjectStore(world.database)
        )
        world.create(due_on=DAY)
        calls = itertools.count()
        events = world.database.client.meta.events

        def crash(**_):
            if next(calls) == crashing_at:  # noqa: B023
                raise Crash

        events.register_first("before-send.dynamodb", crash)
        try:
            settings.update(world.user, {"timezone": "Europe/Berlin"}, NOW)
            crashed = False
        except Crash:
            crashed = True
        finally:
            events.unregister("before-send.dynamodb", crash)
        zone = settings._store.get(world.user).timezone
        for minutes in (1, 3):  # a claim lasts a minute
            relocations.run(NOW + timedelta(minutes=minutes))

        zones = {task.due_day.timezone for task in world.store.due_on_days(world.user)}
        assert zones == {zone}
        here = [at("03T00:00"), at("04T00:00")]
        assert world.kept() == (here if zone == "UTC" else [each - HOUR for each in here])
        if not crashed:
            break
    assert crashing_at > 5
