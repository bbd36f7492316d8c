"""Joining, over a real broker, with the platform that answers."""

import secrets
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pika
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pika.exceptions import ChannelClosedByBroker

from broker_config import names
from broker_config.address import parameters, vhost_of
from broker_config.join_token import JoinToken
from broker_config.regions import Region
from broker_config.roles import bootstrap_role
from broker_config.tiers import Tier
from models.calibration import Calibration
from models.claim import Claim
from models.share import Share
from registry.database import migrate, open_engine, session
from registry.deployments import hosted_models
from registry.owners import add_owner
from registry.tokens import issue_token
from starai.errors import BrokerRefused, BrokerUntrusted, DeviceFailed, ModelError, ModelUnavailable
from tasks.joining import JoinRefused, Refusal
from tasks.platform import Platform
from tests.models.machines import RTX_3060, machine
from worker import join as joining
from worker import trials
from worker.call import call
from worker.join import join
from worker.keys import keys_file, load_keys, load_or_make_keys, new_keys
from worker.rotate import rotate

MODEL, LANGUAGE_MODEL = "all-minilm-l6-v2", "qwen2.5-0.5b"
CLAIM = Claim(measured=machine(generates_on=()), share=Share(memory=0.5, threads=7))


@pytest.fixture
def platform(empty_broker, monkeypatch) -> Iterator[Platform]:
    """The platform of a broker that others' tests use as well."""
    yield from answering(empty_broker, monkeypatch)


def answering(empty_broker, monkeypatch):
    monkeypatch.setenv("STARAI_BROKER_URL", empty_broker.url())
    monkeypatch.setenv("STARAI_MANAGEMENT_URL", empty_broker.node.api.url)
    empty_broker.apply([])
    platform = Platform()
    platform.open()
    yield platform
    platform.close()


@pytest.fixture
def token(empty_broker, platform) -> JoinToken:
    """A token of ann's for one device in Europe."""
    return issue(empty_broker)


def issue(broker, **place):
    engine = open_engine()
    migrate(engine)
    with session(engine) as registry:
        add_owner(registry, "ann")
        token, secret = issue_token(registry, "ann", Region.EUROPE, datetime.now(UTC) + timedelta(days=1))
    engine.dispose()
    plain = {"host": "127.0.0.1", "port": broker.node.file.amqp, "tls": False}
    return JoinToken(
        **plain | place,
        vhost=vhost_of(broker.url()),
        user=f"join-{token}",
        password=password_of(broker, f"join-{token}"),
        id=token,
        secret=secret,
    )


def password_of(broker, user):
    url = broker.user(user, bootstrap_role())
    return pika.URLParameters(url).credentials.password


@pytest.fixture
def asked():
    """Which models were tried, each with how many threads."""
    return []


@pytest.fixture(autouse=True)
def tried(monkeypatch, asked):
    """What becomes of the models that are given to a device when it tries them; nothing is loaded."""
    found = {
        MODEL: Calibration(slots=2, tasks_per_second=50.0),
        LANGUAGE_MODEL: Calibration(slots=1, tasks_per_second=1.5),
    }

    def measured(deployment, store, on_step):
        asked.append((deployment.model, deployment.threads))
        if isinstance(outcome := found[deployment.model], ModelError):
            raise outcome
        return outcome

    monkeypatch.setattr(trials, "_measured", measured)
    return found


def ask(token, keys=None, claim=CLAIM, on_left_out=lambda _: None):
    return join(token, keys or new_keys(), "the old laptop", claim, lambda _: None, on_left_out=on_left_out)


def speaking(**more):
    """The claim of a machine with the engine for language models."""
    return Claim(measured=machine(**more), share=CLAIM.share)


def test_a_device_with_the_engine_for_language_models_hosts_one(token):
    """40 GB/s x 0.6 / 0.82 = 29 tokens/s would do for two slots; what it measured is enough for one."""
    enrolment = ask(token, claim=speaking())

    assert [(d.model, d.slots, d.gpu) for d in enrolment.deployments] == [(LANGUAGE_MODEL, 1, None), (MODEL, 2, None)]


def test_a_device_is_told_on_which_gpu_a_model_runs_and_how_much_of_it(token, tried):
    tried["phi3-3.8b"] = Calibration(slots=4, tasks_per_second=2.0)

    first = ask(token, claim=speaking(gpus=(RTX_3060,), provider="CUDAExecutionProvider")).deployments[0]

    assert (first.model, first.gpu, first.slots, first.memory_bytes) == ("phi3-3.8b", 0, 1, 5_330_612_736)


def test_a_model_that_does_not_run_here_is_left_out_and_another_comes_in_its_place(token, tried):
    # The owner lends one thread, and so one model: the larger one, as long as it runs.
    tried[LANGUAGE_MODEL] = ModelUnavailable("The hub could not be reached.")
    left_out = []
    claim = speaking().model_copy(update={"share": Share(memory=0.5, threads=1)})
    enrolment = ask(token, claim=claim, on_left_out=left_out.append)

    assert [deployment.model for deployment in enrolment.deployments] == [MODEL]
    assert left_out == ["qwen2.5-0.5b is left out: The hub could not be reached."]


def test_the_queues_of_a_model_that_its_only_device_left_out_are_gone(empty_broker, token, tried):
    tried[LANGUAGE_MODEL] = ModelUnavailable("The hub could not be reached.")

    ask(token, claim=speaking())

    queues = {queue["name"] for queue in empty_broker.node.api.queues(empty_broker.vhost)}
    assert set(names.task_queues(Tier.TINY, MODEL)) <= queues
    assert not set(names.task_queues(Tier.SMALL, LANGUAGE_MODEL)) & queues


def test_a_device_that_can_run_nothing_hosts_nothing(token, tried):
    tried[MODEL] = ModelUnavailable("There is no room for it.")
    with pytest.raises(ModelUnavailable):
        ask(token)

    engine = open_engine()
    with session(engine) as registry:
        assert hosted_models(registry) == []
    engine.dispose()


def test_a_model_that_gets_the_threads_of_one_that_was_left_out_is_tried_anew(token, tried, asked):
    tried[LANGUAGE_MODEL] = ModelUnavailable("The hub could not be reached.")

    (deployment,) = ask(token, claim=speaking()).deployments

    assert asked == [(LANGUAGE_MODEL, 6), (MODEL, 1), (MODEL, 7)]
    assert deployment.threads == 7


def test_a_device_on_which_no_model_runs_is_told_why_the_first_one_does_not(token, tried):
    tried[MODEL] = ModelUnavailable("There is no room for it.")

    with pytest.raises(ModelUnavailable, match="no room"):
        ask(token)


def test_a_model_of_arrays_is_not_measured_and_hosted_all_the_same(token, tried):
    tried[MODEL] = None

    (deployment,) = ask(token).deployments

    assert (deployment.model, deployment.slots, deployment.speed) == (MODEL, 8, 0.5)


def test_a_device_that_joins_is_given_its_region_its_models_and_a_place_at_the_broker(empty_broker, token):
    enrolment = ask(token)

    assert enrolment.region is Region.EUROPE
    assert [(d.model, d.slots, d.threads) for d in enrolment.deployments] == [(MODEL, 2, 7)]
    with empty_broker.channel(enrolment.url.get_secret_value()) as channel:
        channel.basic_get(names.task_queue(Region.ASIA, enrolment.deployments[0].tier, MODEL))
        with pytest.raises(ChannelClosedByBroker, match="ACCESS_REFUSED"):
            channel.basic_get(names.ENROLMENT)


def test_joining_twice_with_one_key_is_the_same_device_with_a_new_password(empty_broker, token):
    keys = new_keys()
    first, second = ask(token, keys), ask(token, keys)

    assert first.device == second.device
    with pytest.raises(pika.exceptions.AMQPConnectionError), empty_broker.channel(first.url.get_secret_value()):
        pass


def test_a_token_for_one_device_is_refused_to_a_second(token):
    ask(token)

    with pytest.raises(JoinRefused, match="used up") as caught:
        ask(token)

    assert caught.value.reason is Refusal.USED_UP


def test_a_device_on_which_nothing_fits_is_told_so(token):
    with pytest.raises(JoinRefused) as caught:
        ask(token, claim=CLAIM.model_copy(update={"measured": machine(gib=0.5, cores=1, generates_on=())}))

    assert caught.value.reason is Refusal.NOTHING_FITS


def test_a_token_whose_login_is_gone_is_refused_by_the_broker(empty_broker, token):
    empty_broker.node.api.delete_user(token.user)

    with pytest.raises(BrokerRefused):
        ask(token)


def test_a_request_that_is_sent_again_is_refused(token, monkeypatch):
    sent = []
    monkeypatch.setattr(joining, "call", lambda *request: sent.append(request) or call(*request))
    ask(token)

    assert b"replayed" in call(*sent[0])


def test_a_request_whose_answer_would_go_to_somebodys_queue_is_dropped(empty_broker, token, until):
    with empty_broker.channel(token.bootstrap_address()) as channel:
        for reply_to in (None, "platform", "reply.victim-1"):
            channel.basic_publish(names.ENROLMENT, "join", b"{}", pika.BasicProperties(reply_to=reply_to))

    until(lambda: empty_broker.depth(names.ENROLMENT) == 0)
    assert empty_broker.depth(names.PLATFORM) == 0
    assert ask(token).device


def test_whatever_a_newcomer_sends_is_answered_and_the_next_one_joins(token):
    @settings(max_examples=30, deadline=None)
    @given(st.binary(max_size=300) | st.from_regex(rb'\{"content":.{0,40}\}') | st.just(secrets.token_bytes(70_000)))
    def send(body):
        assert b'"refusal":"malformed"' in call(token.bootstrap_address(), None, names.ENROLMENT, "join", body)

    send()
    assert ask(token).device


def test_a_device_that_changed_its_keys_is_the_same_by_the_new_ones_and_nobody_by_the_old(token):
    old = load_or_make_keys(keys_file())
    enrolment = ask(token, old)

    rotate(enrolment)

    assert ask(token, load_keys(keys_file())).device == enrolment.device
    with pytest.raises(JoinRefused) as caught:
        ask(token, old)
    assert caught.value.reason is Refusal.RETIRED_KEY


def test_a_device_cannot_change_anothers_keys(token):
    enrolment = ask(token, load_or_make_keys(keys_file()))

    with pytest.raises(DeviceFailed, match="its own keys only"):
        rotate(enrolment.model_copy(update={"device": "device-another"}))


@pytest.fixture
def encrypted(own_broker, monkeypatch) -> Iterator[dict[str, object]]:
    """Where a network of its own is reached with TLS, as a token says it."""
    node = own_broker.node
    yield from (
        {"host": "localhost", "port": node.file.amqps, "tls": True, "ca": node.authority.fingerprint}
        for _ in answering(own_broker, monkeypatch)
    )


def test_a_device_joins_by_tls_and_keeps_the_authority_that_its_token_named(tls, own_broker, encrypted):
    enrolment = ask(issue(own_broker, **encrypted))

    assert enrolment.ca == own_broker.node.authority.pem
    url = enrolment.url.get_secret_value()
    assert url.startswith("amqps://")
    with pika.BlockingConnection(parameters(url, enrolment.ca)) as connection:
        assert connection.is_open


def test_a_broker_with_another_authority_than_the_token_names_is_told_nothing(tls, own_broker, encrypted):
    with pytest.raises(BrokerUntrusted, match="someone stands between"):
        ask(issue(own_broker, **encrypted | {"ca": "ab" * 32}))
