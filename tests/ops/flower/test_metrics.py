"""The network's metrics beside Flower's: what they say, and that they name nobody."""

from collections.abc import Iterator
from datetime import timedelta

import httpx
import pika
import pytest
from prometheus_client import generate_latest
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.registry import CollectorRegistry
from sqlmodel import select

from broker_config import names
from broker_config.management import Management
from ops.flower.collector import NetworkCollector
from ops.flower.sight import Sight
from registry.database import session
from registry.health_tables import HealthCycle
from tests.conftest import idle

QUEUE = {"region": "asia", "tier": "tiny", "model": "all-minilm-l6-v2"}


def samples(text: str) -> dict[tuple[str, frozenset], float]:
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def value(text: str, name: str, **labels: str) -> float:
    return samples(text)[name, frozenset(labels.items())]


@pytest.fixture
def lag(operated) -> Iterator[int]:
    """How many messages wait for the recorder, who is away."""
    with pika.BlockingConnection(idle(operated.url())) as connection:
        channel = connection.channel()
        # Other tests of this node may have left some.
        channel.queue_purge(names.LEDGER)
        for _ in range(3):
            channel.basic_publish("", names.LEDGER, b"{}")
        yield 3
        channel.queue_purge(names.LEDGER)


@pytest.fixture
def scraped(registry, operated, connected, lag, until) -> str:
    """A page of metrics, of a broker that has made its figures."""
    waiting = {names.LEDGER: lag, "inference.asia.tiny.all-minilm-l6-v2": 0}

    def has_figures() -> bool:
        queues = {queue["name"]: queue for queue in operated.api.queues(names.VHOST)}
        return all(queues.get(name, {}).get("messages_ready") == count for name, count in waiting.items())

    until(has_figures)
    return scrape(Sight(registry, operated.api, names.VHOST))


def scrape(sight: Sight) -> str:
    registry = CollectorRegistry()
    registry.register(NetworkCollector(sight, settled=timedelta(0)))
    return generate_latest(registry).decode()


def test_queues_devices_and_the_recorders_lag_are_counted(scraped, lag) -> None:
    assert value(scraped, "starai_up") == 1
    assert value(scraped, "starai_queue_messages", state="ready", **QUEUE) == 0
    assert value(scraped, "starai_devices", state="active") == 1
    assert value(scraped, "starai_devices", state="offline") == 1
    assert value(scraped, "starai_ledger_queue_messages") == lag


def test_health_is_in_the_metrics(scraped) -> None:
    assert value(scraped, "starai_devices_checked", condition="failed") == 1
    assert value(scraped, "starai_devices_checked", condition="unknown") == 1
    assert value(scraped, "starai_devices_trusted_below", threshold="demoted_below") == 1
    assert value(scraped, "starai_devices_trusted_below", threshold="quarantined_below") == 0
    assert 0 < value(scraped, "starai_health_cycle_age_seconds") < 600
    assert value(scraped, "starai_health_outage") == 1


def test_before_the_first_health_cycle_there_is_no_age(registry, operated) -> None:
    with session(registry) as opened:
        opened.delete(opened.exec(select(HealthCycle)).one())

    found = samples(scrape(Sight(registry, operated.api, names.VHOST)))

    assert ("starai_health_cycle_age_seconds", frozenset()) not in found
    assert found["starai_health_outage", frozenset()] == 0


def test_tasks_of_the_last_hour_are_counted_with_the_time_to_their_result(scraped) -> None:
    assert value(scraped, "starai_tasks_total", state="succeeded") == 1
    assert value(scraped, "starai_tasks_failed_total", reason="bad-input") == 0
    assert value(scraped, "starai_time_to_result_seconds_bucket", le="30.0") == 0
    assert value(scraped, "starai_time_to_result_seconds_bucket", le="300.0") == 1
    assert value(scraped, "starai_time_to_result_seconds_sum") == pytest.approx(60, abs=0.1)
    assert value(scraped, "starai_reallocations_total", kind="lost") == 0


def test_a_task_is_counted_once_however_often_one_looks(registry, operated) -> None:
    collector = NetworkCollector(Sight(registry, operated.api, names.VHOST), settled=timedelta(0))
    looks = [collector._read(), collector._read()]

    assert [sum(look.ended.tasks.values()) for look in looks] == [1, 1]


def test_a_broker_that_does_not_answer_is_a_figure_and_no_broken_page(registry) -> None:
    gone = Management("http://127.0.0.1:9", "platform", "nothing", timeout=1)

    assert set(samples(scrape(Sight(registry, gone, names.VHOST)))) == {("starai_up", frozenset())}


def test_metrics_need_no_login_and_name_no_submitter(flower) -> None:
    page = httpx.get(f"{flower}/metrics", trust_env=False, timeout=20)

    assert page.status_code == 200
    assert value(page.text, "starai_up") == 1
    assert "ann" not in {label for _, labels in samples(page.text) for _, label in labels}
    assert "flower_events_total" in page.text
