"""Logs as events."""

import logging

from broker_config.logs import EventFormatter


def line(event: str, error: BaseException | None = None, **extra: object) -> str:
    info = (type(error), error, None) if error else None
    record = logging.getLogger("test").makeRecord("test", logging.INFO, __file__, 1, event, (), info, extra=extra)
    return EventFormatter().format(record)


def test_an_event_is_followed_by_its_context():
    assert line("model.loaded", model="phi3", ms=12).endswith("INFO    model.loaded model=phi3 ms=12")


def test_an_event_without_context_ends_with_its_name():
    assert line("link.lost").endswith("INFO    link.lost")


def test_what_a_stranger_named_cannot_begin_a_line_of_its_own():
    assert line("unplaced.dropped", target="a\n2026-01-01 INFO all.well").count("\n") == 0


def test_a_traceback_comes_after_the_event_and_its_context():
    first, *rest = line("task.failed", ValueError("no"), task="t1").splitlines()

    assert first.endswith("task.failed task=t1")
    assert rest == ["ValueError: no"]
