"""The five checks together: their order, and that no stranger's bytes upset them."""

import json
import re

from hypothesis import given
from hypothesis import strategies as st

from broker_config import base64url
from registry.health_state import Check
from tasks.envelope import sign
from tasks.health.checks import judge
from tasks.health.finding import Verdict
from tasks.health.settings import CheckSettings
from tasks.health.workload import Seen
from tasks.probe import _PURPOSE, write_report
from tests.health.answered import KEY, asked, heard, report
from tests.health.hand_device import MODEL, readings

SETTINGS, NOTHING = CheckSettings(), Seen()
ORDER = [Check.IDENTITY, Check.NETWORK, Check.CPU, Check.GPU, Check.WORKLOAD]


def judged(told=None, seen=NOTHING, small=0.05, **answer):
    return judge(asked(), heard(told, **answer), seen, small, SETTINGS)


def test_a_device_that_is_well_passes_all_five_in_their_order():
    judgement = judged()

    assert [finding.check for finding in judgement.findings] == ORDER
    assert {finding.verdict for finding in judgement.findings} == {Verdict.PASSED}
    assert judgement.failed is None
    assert judgement.report == report()


def test_after_an_identity_that_failed_nothing_else_is_looked_at():
    judgement = judged(user="device-2")

    assert [finding.check for finding in judgement.findings] == [Check.IDENTITY]
    assert judgement.report is None
    assert judgement.failed is judgement.findings[0]


def test_the_first_that_fails_decides_and_the_later_ones_give_their_figures():
    judgement = judged(report(readings=readings(disk_left=0, broken={MODEL: "no memory"})), after=99.0)

    failed = [finding.check for finding in judgement.findings if finding.verdict is Verdict.FAILED]
    assert failed == [Check.NETWORK, Check.CPU, Check.WORKLOAD]
    assert judgement.failed.check is Check.NETWORK
    assert judgement.findings[2].figures["disk_left"] == 0


def test_what_was_timed_is_in_the_judgement():
    padding = bytes(1000)
    answer = heard(report(padding), after=1.0, echo=padding, echo_after=0.5)

    judgement = judge(asked(padding=padding), answer, None, None, CheckSettings(bandwidth=1.0))

    assert (judgement.down, judgement.up) == (None, 2000.0)


def test_every_bound_has_a_variable(monkeypatch):
    monkeypatch.setenv("STARAI_CHECK_DISK_LEFT", "1")

    assert CheckSettings().disk_left == 1


@given(st.binary(max_size=300))
def test_no_bytes_of_a_stranger_raise(body):
    assert judged(body=body).failed.check is Check.IDENTITY


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
fields = st.sampled_from([*report().model_dump()["readings"], "device", "cycle", "nonce", "digest", "at", "version"])


@given(fields, anything)
def test_whatever_stands_in_a_signed_answer_is_judged_and_every_reason_can_be_shown(field, value):
    content = json.loads(report().model_dump_json())
    (content["readings"] if field in content["readings"] else content)[field] = value

    judgement = judged(body=_signed(json.dumps(content).encode()))

    for finding in judgement.findings:
        json.dumps(dict(finding.figures), allow_nan=False)
        assert not re.search(r"[\x00-\x1f\x7f-\x9f]", finding.reason)
        assert (finding.verdict is Verdict.PASSED) is (finding.reason == "")


def _signed(content):
    """Sign content that is no report as if it were one."""
    signature = base64url.encode(sign(KEY, _PURPOSE, content))
    return json.dumps({"content": base64url.encode(content), "signature": signature}).encode()


def test_content_that_is_signed_by_hand_is_taken_as_a_report():
    assert json.loads(_signed(report().model_dump_json(exclude_none=True).encode())) == json.loads(
        write_report(report(), KEY)
    )
