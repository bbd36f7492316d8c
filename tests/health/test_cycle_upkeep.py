"""The health cycle as the platform assembles it from its environment, and when beat lets it run."""

import json
import subprocess
import sys

import pytest

from registry.device_state import DeviceState
from registry.health_state import Condition
from registry.tables import EventKind
from tasks.health.greetings import Greetings
from tasks.upkeep import Upkeep
from tests.health.hand_device import in_the_name_of

_SCHEDULE = """
import json, celery_app
app = celery_app.app
print(json.dumps({
    "every": {entry["task"]: entry["schedule"] for entry in app.conf.beat_schedule.values()},
    "known": sorted(app.tasks),
    "threads": app.conf.worker_concurrency,
}))
"""


@pytest.fixture
def upkeep(network, monkeypatch):
    settings = {
        "STARAI_BROKER_URL": network.broker.url(),
        "STARAI_MANAGEMENT_URL": network.broker.node.api.url,
        "STARAI_DATABASE_URL": network.engine.url.render_as_string(hide_password=False),
        "STARAI_HEALTH_SECONDS": "1.0",  # else a broker that was just started were an outage
        "STARAI_HEALTH_DEADLINE_SECONDS": "1.0",
        "STARAI_HEALTH_GRACE_SECONDS": "0",
    }
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    upkeep = Upkeep()
    upkeep.open()
    yield upkeep
    upkeep.close()


def test_it_checks_the_fleet_and_blames_and_draws_consequences(network, upkeep, until):
    until(lambda: network.broker.node.api.uptime() > 3)
    device, others = network.device(), network.devices(3)
    device.answer = in_the_name_of(others[0])

    upkeep.check_health()

    assert [network.health(other).condition for other in others] == [Condition.WELL] * 3
    assert network.state(device) is DeviceState.INACTIVE
    assert network.events(device, EventKind.CHECK_FAILED)
    assert network.events(device, EventKind.DEMOTED)
    assert not network.health(device).sound


def test_it_lets_one_that_comes_serve(network, upkeep):
    device = network.device(DeviceState.OFFLINE)
    Greetings(network.engine, network.enforcement).hello(device.id, b"{}")

    upkeep.check_greeted()

    assert network.state(device) is DeviceState.ACTIVE


def test_beat_lets_everything_run_and_nothing_waits_for_another(network, upkeep):
    found = json.loads(subprocess.run([sys.executable, "-c", _SCHEDULE], capture_output=True, check=True).stdout)

    assert found["every"]["starai.health"] == 1.0
    assert found["every"]["starai.greetings"] == 5.0
    assert set(found["every"]) <= set(found["known"])
    assert found["threads"] > len(found["every"])
