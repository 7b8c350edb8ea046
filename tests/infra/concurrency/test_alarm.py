import threading

from graphql_api.infra.concurrency.alarm import Alarm

SOON, NEVER = 30, 3600  # seconds


class Bell:
    """Counts how often it is rung, and lets a test wait for that."""

    def __init__(self) -> None:
        self._rings = threading.Semaphore(0)

    def __call__(self) -> None:
        self._rings.release()

    def rings(self, seconds: float = SOON) -> bool:
        return self._rings.acquire(timeout=seconds)


def test_an_alarm_rings_once_each_time_it_is_set():
    bell = Bell()
    alarm = Alarm(bell)

    alarm.set(0)
    assert bell.rings()
    alarm.set(0.01)
    assert bell.rings()

    assert not bell.rings(0.1)


def test_an_earlier_time_takes_the_place_of_a_later_one():
    bell = Bell()
    alarm = Alarm(bell)

    alarm.set(NEVER)
    alarm.set(0)

    assert bell.rings()
    assert not bell.rings(0.1)


def test_a_later_time_does_not_delay_an_earlier_one():
    bell = Bell()
    alarm = Alarm(bell)

    alarm.set(0.2)
    alarm.set(NEVER)
    alarm.set(NEVER)

    assert bell.rings()
    assert alarm._timer is None


def test_an_alarm_can_be_set_by_what_it_calls():
    bell, times = Bell(), iter([0, 0])

    def call() -> None:
        bell()
        for seconds in times:
            alarm.set(seconds)
            break

    alarm = Alarm(call)
    alarm.set(0)

    assert [bell.rings() for _ in range(3)] == [True] * 3
    assert not bell.rings(0.1)


def test_an_alarm_that_is_set_does_not_keep_the_process():
    alarm = Alarm(Bell())

    alarm.set(NEVER)

    assert alarm._timer.daemon
    alarm._timer.cancel()
