"""What the submitter of a task hears whose model nobody hosts."""

from hypothesis import given
from hypothesis import strategies as st

from starai.wire import Reason, Report, State
from tasks.unplaced import unplaced


def test_the_answer_names_the_model_and_those_there_are():
    report = unplaced("t1", "llama3-70b", ["phi3-3.8b", "all-minilm-l6-v2"])

    assert (report.task, report.state, report.device) == ("t1", State.FAILED, None)
    assert report.failure.reason is Reason.UNKNOWN_MODEL
    assert "hosts 'llama3-70b'. Hosted now: all-minilm-l6-v2, phi3-3.8b." in report.failure.message


def test_a_network_without_models_says_so():
    assert "Hosted now: none yet." in unplaced("t1", "tiny", []).failure.message


@given(st.text(), st.lists(st.from_regex(r"[a-z0-9-]{1,63}", fullmatch=True), max_size=200))
def test_whatever_was_asked_for_the_answer_can_be_sent(target, hosted):
    report = unplaced("t1", target, hosted)

    assert Report.model_validate_json(report.model_dump_json()) == report
    assert len(report.failure.message) <= 2000
