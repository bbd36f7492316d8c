"""What the phone's page writes, Python reads, and the other way round."""

import json
import time
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from broker_config.join_token import JoinToken
from broker_config.proof import is_proof, proof_key
from broker_config.regions import Region
from broker_config.tiers import Tier
from starai.tensor import unpack
from starai.wire import MAX_BODY, Report, State, Tensor
from tasks.cancellation_message import Cancellation, write_cancelled
from tasks.clearance_message import ClearanceAnswer, ClearanceRequest
from tasks.deployment import Deployment
from tasks.envelope import InvalidMessage, read, write
from tasks.greeting import Goodbye, Greeted, Hello, Standing, StandingEvent
from tasks.joining import (
    REQUEST,
    Accepted,
    Credentials,
    JoinRefused,
    ReceivedRequest,
    Refusal,
    read_join_request,
    write_acceptance,
    write_refusal,
)
from tasks.order import Duty, Order
from tasks.probe import Probe, digest, read_report
from tests.phone.typescript import Thrown, TypeScript

pytestmark = pytest.mark.process

KEY = proof_key("t1", "s" * 43)
TOKEN: dict[str, Any] = {
    "host": "broker.example",
    "port": 5671,
    "vhost": "starai",
    "tls": True,
    "ca": "a" * 64,
    "user": "join-1",
    "password": "secret-password",
    "id": "t1",
    "secret": "s" * 43,
    "web": 15673,
}
ACCEPTED = Accepted(
    device="dev-1",
    region=Region.ASIA,
    credentials=Credentials(user="dev-1", password="pass-é"),
    deployments=(Deployment(model="all-minilm-l6-v2", tier=Tier.TINY, slots=2, speed=0.25, threads=4),),
)
READINGS = """{ load: 0.25, processor: 0, temperature: null, memory_left: 1e9, disk_left: 2e9, gpus: [],
  provider: "WasmExecutionProvider", provider_fault: null, models: ["all-minilm-l6-v2"], broken: { a: "why" },
  running: 1, held: 0, unsettled: 0, consumers: 2, paused: null }"""


@pytest.fixture(scope="module")
def page() -> Iterator[TypeScript]:
    """The page's wire modules, with a device's keys and the key of a token."""
    names = "bytes keys proof joining token greeting order probe cancellation clearance report tensor task envelope"
    with TypeScript(*(f"wire/{name}.ts" for name in names.split())) as page:
        page.run("kept.keys = await makeKeys(); kept.tokenKey = await proofKey('t1', 's'.repeat(43));")
        yield page


def asked(page: TypeScript, at: float | None = None) -> bytes:
    """Let the page ask to join, and return the request as it travels."""
    return page.bytes(
        """const request = { token: "t1", name: "Ann's phone 📱", hardwareId: null, measurement: { a: [1, null] }, at };
        kept.request = await writeJoinRequest(request, kept.keys, kept.tokenKey);
        return b64(kept.request);""",
        at=time.time() if at is None else at,
    )


def received(page: TypeScript) -> tuple[bytes, ReceivedRequest]:
    """Return a request, and what Python reads in it."""
    body = asked(page)
    return body, read_join_request(body, time.time())


def answered(page: TypeScript, answer: bytes) -> Any:
    """Let the page read the answer to its last request."""
    return page.run("return readJoinAnswer(bytes(answer), kept.keys, kept.request, kept.tokenKey);", answer=answer)


def test_a_request_to_join_is_the_devices_own_and_proves_its_token(page: TypeScript) -> None:
    _, request = received(page)
    assert is_proof(request.proof, KEY, REQUEST, request.content)
    assert (request.request.token, request.request.name) == ("t1", "Ann's phone 📱")
    assert request.request.signing == page.bytes("return b64(kept.keys.publicSigning);")
    assert request.request.measurement == {"a": [1, None]}


def test_no_two_requests_are_the_same(page: TypeScript) -> None:
    assert received(page)[1].request.nonce != received(page)[1].request.nonce


def test_a_request_that_was_changed_is_refused(page: TypeScript) -> None:
    signed = json.loads(asked(page))
    other = json.loads(asked(page))
    with pytest.raises(InvalidMessage, match="signature is wrong"):
        read_join_request(json.dumps(signed | {"content": other["content"]}).encode(), time.time())


def test_a_phone_whose_clock_is_wrong_is_refused(page: TypeScript) -> None:
    with pytest.raises(JoinRefused, match="clock"):
        read_join_request(asked(page, at=time.time() - 400), time.time())


def test_an_acceptance_is_opened_by_who_asked(page: TypeScript) -> None:
    body, request = received(page)
    accepted = answered(page, write_acceptance(ACCEPTED, request.request.sealing, body, KEY))
    assert accepted == {
        "device": "dev-1",
        "region": "asia",
        "credentials": {"user": "dev-1", "password": "pass-é"},
        "deployments": [{"model": "all-minilm-l6-v2", "tier": "tiny", "slots": 2, "speed": 0.25, "threads": 4}],
    }


@pytest.mark.parametrize("wrong", ["request", "token", "device", "changed"])
def test_an_acceptance_of_another_request_token_or_device_is_not_opened(page: TypeScript, wrong: str) -> None:
    body, request = received(page)
    sealing = (
        X25519PrivateKey.generate().public_key().public_bytes_raw() if wrong == "device" else request.request.sealing
    )
    key = proof_key("t2", "s" * 43) if wrong == "token" else KEY
    answer = json.loads(write_acceptance(ACCEPTED, sealing, body + b" " * (wrong == "request"), key))
    if wrong == "changed":
        answer["sealed"] = answer["sealed"][:60] + ("A" if answer["sealed"][60] != "A" else "B") + answer["sealed"][61:]
    with pytest.raises(Thrown, match="InvalidMessage: The sealed message cannot be opened"):
        answered(page, json.dumps(answer).encode())


@pytest.mark.parametrize("refusal", list(Refusal))
def test_every_refusal_is_understood(page: TypeScript, refusal: Refusal) -> None:
    asked(page)
    with pytest.raises(Thrown, match="JoinRefused: because") as thrown:
        answered(page, write_refusal(JoinRefused(refusal, "because")))
    assert thrown.value.reason == refusal


@pytest.mark.parametrize("answer", [b"{}", b"", b'{"sealed":"AA","refusal":"revoked"}', b'{"sealed":"AA"}', b"[]"])
def test_what_is_no_answer_is_refused(page: TypeScript, answer: bytes) -> None:
    with pytest.raises(Thrown, match="InvalidMessage"):
        answered(page, answer)


def test_a_token_is_read_as_it_was_made(page: TypeScript) -> None:
    token = page.run("return parseToken(token);", token=JoinToken(**TOKEN).encode())
    assert token == {"version": 1, **TOKEN}


def test_a_token_of_a_network_without_web_stomp_is_refused_with_what_to_do(page: TypeScript) -> None:
    plain = {name: value for name, value in TOKEN.items() if name != "web"}
    with pytest.raises(Thrown, match=r"InvalidToken: .* takes no phones"):
        page.run("return parseToken(token);", token=JoinToken(**plain).encode())


def test_a_mistyped_token_is_refused(page: TypeScript) -> None:
    word = JoinToken(**TOKEN).encode()
    mistyped = word[:50] + ("A" if word[50] != "A" else "B") + word[51:]
    with pytest.raises(Thrown, match="InvalidToken: The token was mistyped"):
        page.run("return parseToken(token);", token=mistyped)


@pytest.mark.parametrize("padding", [b"", bytes(range(256)) * 1024])
def test_a_health_report_is_signed_and_tells_what_arrived(page: TypeScript, padding: bytes) -> None:
    probe = Probe(cycle=7, padding=padding)
    order = Order(probe=probe, sound=True).model_dump_json(exclude_none=True).encode()
    body = page.bytes(
        f"""const {{ probe: {{ cycle, nonce, padding }}, sound }} = readOrder("platform", bytes(order));
        const told = {{ device: "dev-1", cycle, nonce, at: 1.5, digest: await digest(padding), readings: {READINGS} }};
        return b64(await writeHealthReport(told, kept.keys.signing));""",
        order=order,
    )
    report = read_report(body, page.bytes("return b64(kept.keys.publicSigning);"))
    assert (report.cycle, report.nonce, report.digest) == (7, probe.nonce, digest(padding))
    assert (report.readings.broken, report.readings.consumers) == ({"a": "why"}, 2)


def test_a_health_report_of_another_device_is_refused(page: TypeScript) -> None:
    said = f'{{ device: "dev-1", cycle: 1, nonce: "0".repeat(32), at: 1, digest: null, readings: {READINGS} }}'
    body = page.bytes(f"return b64(await writeHealthReport({said}, (await makeKeys()).signing));")
    with pytest.raises(InvalidMessage, match="signature is wrong"):
        read_report(body, page.bytes("return b64(kept.keys.publicSigning);"))


def test_an_order_is_read_as_it_was_sent(page: TypeScript) -> None:
    order = Order(duty=Duty.REST, cancel=(Cancellation("ann", "t1", 12.5),), sound=False)
    body = order.model_dump_json(exclude_none=True).encode()
    assert page.run("return readOrder('platform', bytes(body));", body=body) == {
        "duty": "rest",
        "cancel": [{"submitter": "ann", "task": "t1", "expires": 12.5}],
        "probe": None,
        "sound": False,
    }


def test_vectors_arrive_at_the_submitter_to_the_last_bit(page: TypeScript) -> None:
    body = page.bytes(
        """const data = Float32Array.from({ length: 6 }, (_, at) => Math.fround((at - 2) / 3));
        const output = pack({ data, rows: 2, width: 3 });
        return b64(writeReport({ task: "t1", state: "succeeded", at: 2, run: "aa", started: 1.5, device: "dev-1",
          region: "asia", output }));"""
    )
    report = Report.model_validate_json(body)
    assert isinstance(report.output, Tensor)
    assert np.array_equal(unpack(report.output), ((np.arange(6) - 2) / 3).astype(np.float32).reshape(2, 3))
    assert (report.state, report.started, report.device, report.region) == (State.SUCCEEDED, 1.5, "dev-1", "asia")


@pytest.mark.parametrize("state", ["started", "progress", "requeued", "succeeded", "failed", "expired", "cancelled"])
def test_a_report_is_written_as_python_would_write_it(page: TypeScript, state: str) -> None:
    said = {"task": "t1", "state": state, "at": 2.25, "run": "aa", "device": "dev-1", "note": "why"}
    said["failure"] = {"reason": "bad-input", "message": "é" * 2000}
    body = page.bytes("return b64(writeReport(said));", said=said)
    assert json.loads(body) == json.loads(Report.model_validate_json(body).model_dump_json(exclude_none=True))
    assert State(state) in State


def test_a_result_beyond_what_is_taken_is_not_written(page: TypeScript) -> None:
    tensor = f"{{ dtype: '<f4', shape: [], data: 'x'.repeat({MAX_BODY}) }}"
    with pytest.raises(Thrown, match="InvalidMessage: The message would have"):
        page.run(f"writeReport({{ task: 't', state: 'succeeded', at: 1, output: {tensor} }});")


def test_greetings_are_understood_both_ways(page: TypeScript) -> None:
    assert read(Hello, page.bytes("return b64(writeHello('1.2.3'));")) == Hello(software="1.2.3")
    assert read(Goodbye, page.bytes("return b64(writeGoodbye(3));")) == Goodbye(left=3)
    body = write(Greeted(state="active", sound=True))
    assert page.run("return readGreeted(bytes(body));", body=body) == {"state": "active", "sound": True}


def test_a_standing_is_shown_as_it_is(page: TypeScript) -> None:
    event = StandingEvent(at="2026-01-02T03:04:05Z", kind="check", reason="slow", cost=0.1)
    bands = {"demoted_below": 0.5, "sound_from": 0.6, "quarantined_below": 0.3, "blacklisted_below": 0.1}
    moments = {"since": "2026-01-01T00:00:00.123456+02:00", "quarantined_until": "2026-02-01T00:00:00Z"}
    who = {"device": "d", "owner": "ann", "region": "asia", "state": "quarantined", "condition": "ok", "trust": 0.25}
    body = write(Standing(**who, **bands, **moments, sound=False, events=[event]))
    standing = page.run("return readStanding(bytes(body));", body=body)
    assert standing["quarantinedUntil"] == "2026-02-01T00:00:00Z"
    assert (standing["owner"], standing["trust"], standing["reason"]) == ("ann", 0.25, None)


def test_clearance_is_asked_and_answered(page: TypeScript) -> None:
    task = """{ id: "t1", replyTo: "reply.ann-0a", returns: 2, republished: true }"""
    request = read(
        ClearanceRequest, page.bytes(f"return b64(writeClearanceRequest({task}, 'ab', 'all-minilm-l6-v2'));")
    )
    assert (request.task, request.reply_to, request.run, request.returns) == ("t1", "reply.ann-0a", "ab", 2)
    assert request.republished
    body = write(ClearanceAnswer(start=False, reason="done"))
    answer = page.run("return readClearanceAnswer(bytes(body));", body=body)
    assert answer == {"start": False, "attempt": None, "reason": "done"}


def test_all_that_was_cancelled_is_told(page: TypeScript) -> None:
    body = write_cancelled([Cancellation("a" * 63, f"{number:064}", 1e9 + number) for number in range(10_000)])
    assert page.run("return readCancelled(bytes(body)).length;", body=body) == 10_000
