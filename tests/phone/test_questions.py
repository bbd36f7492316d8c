"""Questions of the page to the platform, over a real broker."""

import time
from collections.abc import Callable, Iterator

import pika
import pytest
from pika.adapters.blocking_connection import BlockingChannel

from broker_config import names
from broker_config.roles import bootstrap_role
from broker_config.users import grant_everything
from tests.conftest import Broker
from tests.phone.linked import DEVICE, MODULES, connect, login, next_of
from tests.phone.typescript import Thrown, TypeScript

pytestmark = pytest.mark.process


@pytest.fixture
def page() -> Iterator[TypeScript]:
    """The page's broker modules."""
    with TypeScript(*MODULES) as page:
        yield page


ASK = """
kept.clock = new NetworkClock();
kept.questions = new Questions(login.user, kept.clock);
await kept.questions.listen(kept.link);
kept.asked = kept.questions.ask(kept.link, "hello", bytes("e30="), 20000);
kept.asked.catch(() => {});
"""


def answer(channel: BlockingChannel, asked: pika.BasicProperties, body: bytes, user: str, at: int = 0) -> None:
    """Answer a question as that user."""
    told = pika.BasicProperties(user_id=user, correlation_id=asked.correlation_id, timestamp=at or None)
    assert asked.reply_to
    channel.basic_publish("", asked.reply_to, body, told)


def test_the_platform_is_asked_and_its_time_is_taken(
    page: TypeScript, broker: Broker, until: Callable[..., None]
) -> None:
    connect(page, broker)
    page.run(ASK, login=login(broker))
    with broker.channel() as channel:
        asked, body = next_of(channel, names.REPORTS, until)
        answer(channel, asked, b"yes", names.PLATFORM, at=int(time.time()) + 7200)
    assert (body, asked.user_id, asked.expiration) == (b"{}", DEVICE, "20000")
    assert page.bytes("return b64(await kept.asked);") == b"yes"
    assert page.run("return kept.clock.now();") == pytest.approx(time.time() + 7200, abs=30)


def test_an_answer_of_anybody_else_is_none(page: TypeScript, broker: Broker, until: Callable[..., None]) -> None:
    connect(page, broker)
    broker.submitter("mal")
    grant_everything(broker.node.api, "mal", broker.vhost)
    page.run(ASK, login=login(broker))
    with broker.channel() as channel, broker.channel(broker.url("mal", "secret-of-mal")) as other:
        asked, _ = next_of(channel, names.REPORTS, until)
        answer(other, asked, b"no", "mal")
        answer(channel, asked, b"yes", names.PLATFORM)
    assert page.bytes("return b64(await kept.asked);") == b"yes"


def test_who_is_not_answered_waits_no_longer_than_it_said(page: TypeScript, broker: Broker) -> None:
    connect(page, broker)
    page.run(ASK, login=login(broker))
    with pytest.raises(Thrown, match="BrokerUnreachable: The platform did not answer 'standing'"):
        page.run("await kept.questions.ask(kept.link, 'standing', bytes(''), 200);")


def test_a_question_is_given_up_with_the_connection_that_asked(page: TypeScript, broker: Broker) -> None:
    connect(page, broker)
    page.run(ASK, login=login(broker))
    page.run("kept.link.reconnect('a test'); await kept.link.connected(20000);")
    page.run("await kept.questions.listen(kept.link);")
    with pytest.raises(Thrown, match=r"BrokerUnreachable: The connection .* was lost"):
        page.run("await kept.asked;")


def test_a_newcomer_asks_once_over_a_connection_of_its_own(
    page: TypeScript, broker: Broker, until: Callable[..., None]
) -> None:
    broker.user("join-1", bootstrap_role())
    page.run(
        "kept.called = call(login, 'enrolment', 'join', bytes('e30='), 20000);"
        "kept.called.finally(() => {}).catch(() => {});",
        login=login(broker, "join-1"),
    )
    with broker.channel() as channel:
        asked, body = next_of(channel, names.ENROLMENT, until)
        answer(channel, asked, b"welcome", names.PLATFORM)
    assert (body, asked.user_id) == (b"{}", "join-1")
    assert page.bytes("return b64(await kept.called);") == b"welcome"


def test_a_newcomer_hears_when_nobody_answers(page: TypeScript, broker: Broker) -> None:
    broker.user("join-1", bootstrap_role())
    with pytest.raises(Thrown, match=r"BrokerUnreachable: Nobody answered the join request within 0\.3 s"):
        page.run("await call(login, 'enrolment', 'join', bytes(''), 300);", login=login(broker, "join-1"))
