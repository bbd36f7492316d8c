"""What the recorder writes down of what is said at a real broker."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pika
import pytest

from broker_config import names
from broker_config.publication import Publication
from registry.task_state import Outcome
from registry.task_tables import Attempt, DeadLetter, LedgerMark, Task, TaskInput, TaskResult, Usage
from starai.report import read_report, report_publication
from starai.submission import task_properties
from starai.wire import MAX_BODY, Report, State
from tasks.mark import mark_publication
from tasks.recorder import Recorder
from tests.tasks.recorded_network import QUEUE, REPLY, RecordedNetwork, fill, network, rows, states


@pytest.fixture
def changes() -> list:
    return []


@pytest.fixture
def recorder(broker, engine, changes) -> Iterator[Recorder]:
    fill(engine)
    recorder = Recorder(broker.url(), engine, on_recorded=changes.append)
    recorder.open()
    yield recorder
    recorder.check()
    recorder.close()


@pytest.fixture
def net(broker, recorder) -> Iterator[RecordedNetwork]:
    with network(broker) as net:
        yield net


@pytest.fixture
def settled(net, engine, until):
    """Return a function that waits until all that was sent has been recorded."""

    def settled(mark: str = "mark") -> None:
        net.send(names.PLATFORM, [mark_publication(mark, names.PLATFORM)])
        until(lambda: mark in [found.id for found in rows(engine, LedgerMark)])

    return settled


def test_a_whole_life_is_recorded(net, engine, settled, changes):
    (task,) = net.live(1)
    settled()
    (found,), (attempt,), (result,), (used,) = (rows(engine, table) for table in (Task, Attempt, TaskResult, Usage))
    assert (found.submitter, found.id, found.state, found.device) == ("ada", task, "succeeded", "device-1")
    assert (found.region, found.target, found.model, found.items) == ("asia", *["all-minilm-l6-v2"] * 2, 1)
    assert (attempt.device, attempt.outcome) == ("device-1", Outcome.SUCCEEDED)
    assert (used.tasks, used.items, used.model) == (1, 1, "all-minilm-l6-v2")
    report = read_report("device-1", f"{REPLY}.succeeded", result.body)
    assert report
    assert report.task == task
    assert rows(engine, TaskInput) == []
    assert changes[0].tasks[0].id == task


def test_the_queue_is_empty_when_everything_is_recorded(net, broker, settled, until):
    net.live(20)
    settled()
    until(lambda: broker.node.api.queue(broker.vhost, names.LEDGER).get("messages") == 0)


def test_a_task_that_waits_keeps_its_input(net, engine, settled):
    net.submit(3)
    settled()
    assert states(engine) == {"queued": 3}
    assert len(rows(engine, TaskInput)) == 3


def test_the_platforms_word_ends_a_task(net, engine, settled):
    net.report(net.submit(2), State.EXPIRED, None)
    settled()
    assert states(engine) == {"expired": 2}


def test_a_device_that_does_not_host_the_model_ends_nothing(net, engine, settled, caplog):
    net.report(net.submit(), State.SUCCEEDED, "device-9")
    settled()
    assert states(engine) == {"queued": 1}
    assert rows(engine, Attempt) == rows(engine, TaskResult) == rows(engine, Usage) == []
    assert "ledger.refused" in caplog.messages


def test_a_report_of_a_task_that_was_never_submitted_is_recorded_nowhere(net, engine, broker, settled, until):
    net.report(["never"], State.SUCCEEDED)
    settled()
    until(lambda: broker.node.api.queue(broker.vhost, names.LEDGER).get("messages") == 0)
    assert rows(engine, Task) == rows(engine, Attempt) == rows(engine, TaskResult) == []


def test_a_report_that_overtook_its_submission_by_a_batch_is_put_back_for_it(broker, engine, until, monkeypatch):
    fill(engine)
    monkeypatch.setattr("tasks.recorder.PREFETCH", 10)
    with network(broker) as net:
        net.submit(9)
        net.report(["t"], State.SUCCEEDED)
        properties = task_properties("t", REPLY, "ada", datetime.now(UTC) + timedelta(60), None)
        net.send("ada", [Publication(names.SUBMISSIONS, "asia.tiny", b"junk", properties)])
    recorder = Recorder(broker.url(), engine)
    recorder.open()
    until(lambda: states(engine) == {"queued": 9, "succeeded": 1})
    recorder.close()


def test_a_second_late_answer_changes_nothing(net, engine, settled):
    tasks = net.live(1)
    settled()
    before = rows(engine, Task), rows(engine, TaskResult), rows(engine, Usage)
    net.report(tasks, State.SUCCEEDED, run="another")
    net.report(tasks, State.FAILED)
    settled("later")
    assert (rows(engine, Task), rows(engine, TaskResult), rows(engine, Usage)) == before
    assert len(rows(engine, Attempt)) == 1


@pytest.mark.parametrize("body", [b"junk", b"[]", b"\0" * (MAX_BODY + 1), b""], ids=["junk", "list", "large", "empty"])
def test_a_result_of_the_wrong_type_or_size_is_recorded_nowhere(net, engine, settled, body):
    (task,) = net.submit()
    report = report_publication(Report(task=task, state=State.SUCCEEDED, at=0, device="device-1"), REPLY, "device-1")
    net.send("device-1", [Publication(report.exchange, report.key, body, report.properties)])
    settled()
    assert states(engine) == {"queued": 1}
    assert rows(engine, TaskResult) == []


def test_a_submission_without_a_sender_is_recorded_nowhere(net, engine, settled):
    net.send("ada", [Publication(names.SUBMISSIONS, "asia.tiny", b"x", pika.BasicProperties(reply_to=REPLY))])
    settled()
    assert rows(engine, Task) == []


def test_properties_that_nobody_can_read_harm_nothing(net, engine, settled):
    net.send("ada", [Publication(names.SUBMISSIONS, "asia.tiny", b"x", pika.BasicProperties(timestamp=2**62))])
    net.live(1)
    settled()
    assert states(engine) == {"succeeded": 1}


def test_each_dead_letter_is_kept_once(net, engine, broker, until):
    (task,) = net.submit()
    with broker.channel() as channel:
        method, _, _ = channel.basic_get(QUEUE)
        channel.basic_reject(method.delivery_tag, requeue=False)
    until(lambda: rows(engine, DeadLetter))
    (letter,) = rows(engine, DeadLetter)
    assert (letter.submitter, letter.task, letter.reply_to) == ("ada", task, REPLY)
    assert (letter.queue, letter.reason, letter.deaths) == (QUEUE, "rejected", 1)
    until(lambda: broker.node.api.queue(broker.vhost, names.FAILED).get("messages") == 0)


def test_a_thousand_dead_letters_are_kept(net, engine, broker, until):
    junk = [Publication(names.FAILED, "k", b"%d" % n, pika.BasicProperties()) for n in range(1000)]
    net.send(names.PLATFORM, junk)
    until(lambda: len(rows(engine, DeadLetter)) == 1000)


def test_a_hook_that_fails_stops_nothing(broker, engine, until, caplog):
    def broken(_):
        raise RuntimeError("no")

    fill(engine)
    recorder = Recorder(broker.url(), engine, on_recorded=broken)
    recorder.open()
    with network(broker) as net:
        net.live(1)
        until(lambda: states(engine) == {"succeeded": 1})
        net.live(1)
        until(lambda: states(engine) == {"succeeded": 2})
    recorder.close()
    assert "recorder.hook_failed" in caplog.messages
