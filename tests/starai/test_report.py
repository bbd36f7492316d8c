"""A report on its way back."""

import pika
import pytest
from pydantic import ValidationError

from broker_config import names
from starai.report import read_report, report_publication
from starai.wire import FINAL, Report, State


@pytest.mark.parametrize("state", State)
def test_a_report_goes_to_who_asked_with_its_senders_name(state):
    report = Report(task="t1", state=state, at=1.5, device="d1")
    sent = report_publication(report, "reply.ann-1a", "d1")

    assert (sent.exchange, sent.key) == (names.RESULTS, f"reply.ann-1a.{state}")
    assert (sent.properties.user_id, sent.properties.correlation_id) == ("d1", "t1")
    assert sent.properties.delivery_mode == pika.DeliveryMode.Transient.value
    assert Report.model_validate_json(sent.body) == report


def test_only_an_attempt_that_goes_on_or_is_given_back_is_followed_by_more():
    assert set(State) - FINAL == {State.STARTED, State.PIECE, State.PROGRESS, State.REQUEUED}


@pytest.mark.parametrize(
    "wrong",
    [{"task": "t" * 65}, {"state": "done"}, {"at": "soon"}, {"device": "d" * 64}, {"more": 1}, {"failure": "no"}],
)
def test_a_report_with_anything_else_in_it_is_none(wrong):
    with pytest.raises(ValidationError):
        Report(**{"task": "t1", "state": "started", "at": 0.0} | wrong)


OUTPUT = {"dtype": "<f4", "shape": [0], "data": ""}


@pytest.mark.parametrize(
    ("user", "key", "more"),
    [
        ("d2", "reply.ann-1a.started", {}),
        ("d1", "reply.ann-1a.piece", {}),
        ("d1", "reply.ann-1a.started", {"output": OUTPUT}),
    ],
    ids=["of another", "under another key", "a result of what has not ended"],
)
def test_a_report_that_is_not_what_the_broker_saw_is_junk(user, key, more):
    report = Report(task="t1", state="started", at=0.0, device="d1")
    wrong = report.model_copy(update=more) if not more else Report(**report.model_dump(exclude_none=True) | more)

    assert read_report("d1", "reply.ann-1a.started", report.model_dump_json().encode()) == report
    assert read_report(user, key, wrong.model_dump_json().encode()) is None
