"""A program that knows Celery, and nothing of this library but its result backend."""

import json

import pytest
from celery import Celery
from kombu import Connection, Exchange, Queue

from starai.errors import BadInput, FailedOnDevice
from starai.wire import Failure, Reason, State, Tensor

MODEL = "all-minilm-l6-v2"


@pytest.fixture
def program(broker):
    """Return a function that makes a stock Celery app of the submitter ann; they are closed after the test."""
    apps = []
    url = broker.submitter("ann")

    def make(**options):
        apps.append(Celery("program", broker=url, set_as_current=False, **options))
        return apps[-1]

    yield make
    for app in apps:
        app.pool.force_close_all()
        app.close()


def send(app, inputs, reply_to, **options):
    return app.send_task(
        "starai.inference",
        kwargs={"inputs": inputs},
        exchange="submissions",
        routing_key=f"asia.{MODEL}",
        user_id="ann",
        reply_to=reply_to,
        declare=[],
        **options,
    )


@pytest.fixture
def app(program):
    app = program(backend="starai.celery_backend:ReportBackend")
    yield app
    app.backend.result_consumer.stop()


def test_what_stock_celery_submits_is_done_and_reported_to_the_queue_that_it_declared(device, program):
    app = program()
    results = Exchange("results", type="topic", no_declare=True)
    with Connection(app.conf.broker_url) as connection:
        queue = Queue("reply.ann-1a", results, "reply.ann-1a.*", durable=True)(connection.default_channel)
        queue.declare()
        task = send(app, ["abc"], queue.name)
        reports = []
        with connection.Consumer(queue, callbacks=[lambda report, message: reports.append(report)], no_ack=True):
            while len(reports) < 2:
                connection.drain_events(timeout=20)

    assert [(report["task"], report["state"]) for report in reports] == [(task.id, "started"), (task.id, "succeeded")]
    assert reports[1]["output"]["shape"] == [1, 2]


def test_a_lease_that_is_asked_for_in_celerys_words_and_in_ours_comes_with_the_task(broker, program):
    send(program(), "a", "reply.ann-1a", time_limit=90, headers={"lease": "90"})

    with broker.channel() as channel:
        _, properties, _ = channel.basic_get(f"inference.asia.tiny.{MODEL}")
    assert (properties.headers["timelimit"], properties.headers["lease"]) == ([90, None], "90")


def test_the_result_backend_waits_for_results_in_any_order(device, app):
    tasks = [send(app, "a" * length, app.backend.oid) for length in range(1, 21)]

    assert [task.get(timeout=20).tolist() for task in reversed(tasks)] == [[n, ord("a")] for n in range(20, 0, -1)]
    assert {task.state for task in tasks} == {"SUCCESS"}


def test_the_result_backend_raises_the_errors_of_this_library(broker, app, start_device):
    def answer(asked):
        if "refuse" in asked.inputs:
            return [asked.say(State.FAILED, failure=Failure(reason=Reason.BAD_INPUT, message="not that"))]
        return [asked.say(State.SUCCEEDED, output=Tensor(dtype="<f4", shape=[2], data="AAAA"))]

    start_device(broker, answer)

    with pytest.raises(BadInput, match="not that"):
        send(app, "refuse", app.backend.oid).get(timeout=20)
    with pytest.raises(FailedOnDevice, match="broken result"):
        send(app, "a", app.backend.oid).get(timeout=20)


def test_the_result_backend_believes_no_stranger(broker, app, start_device):
    def answer(asked):
        stranger = {"task": asked.id, "state": "failed", "at": 0.0, "device": "another"}
        return [asked.raw(json.dumps(stranger).encode(), content_type="application/json"), asked.succeeded()]

    start_device(broker, answer)

    assert send(app, "a", app.backend.oid).get(timeout=20).tolist() == [1, ord("a")]
