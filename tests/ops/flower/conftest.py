"""Flower as a process, over a network with devices, and a browser to look at it."""

import shutil
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pika
import pytest
from playwright.sync_api import Browser, Page, sync_playwright
from sqlalchemy import Engine

from broker_config.apply import apply
from broker_config.node import Node
from broker_config.regions import Region
from broker_config.roles import device_role
from broker_config.tiers import Tier
from broker_config.topology import HostedModel, device_topology, model_topology
from broker_config.users import put_user
from ops.flower.login import announced_address, kept_login
from ops.process import Process
from registry.database import migrate, open_engine, session
from registry.deployments import Planned, deploy
from registry.device_state import DeviceState
from registry.devices import enrol_device
from registry.health_state import Check, Condition
from registry.health_tables import DeviceHealth, HealthCycle
from registry.owners import add_owner, find_owner
from registry.states import set_state
from registry.tables import DeviceEvent, EventKind
from registry.task_state import Outcome, TaskState
from registry.task_tables import Attempt, Task, Usage
from tests.conftest import idle

HOSTILE = "<script>document.title = 'taken'</script><img src=x onerror=\"document.title = 'taken'\">"
NOW = datetime.now(UTC)


@pytest.fixture
def registry(operated: Node) -> Iterator[Engine]:
    """The registry of the test's home: one device that serves, has worked and has a hostile name; one that does not."""
    engine = open_engine()
    migrate(engine)
    with session(engine) as opened:
        add_owner(opened, "ada")
        for device, state in (("device-1", DeviceState.ACTIVE), ("device-2", DeviceState.OFFLINE)):
            enrol_device(opened, device, "ada", Region.ASIA).name = HOSTILE
            deploy(opened, device, [Planned("all-minilm-l6-v2", Tier.TINY, slots=4)])
            set_state(opened, device, state, f"because {HOSTILE}")
        health = {"condition": Condition.FAILED, "failed_check": Check.GPU, "cycle": 7, "reason": f"gone: {HOSTILE}"}
        health |= {"checked_at": NOW, "answered_at": NOW, "trusted_at": NOW, "trust": 0.6, "sound": False}
        opened.add(DeviceHealth(device_id="device-1", **health, paused=HOSTILE[:200]))
        failure = {"kind": EventKind.CHECK_FAILED, "failed_check": Check.GPU, "cost": 0.1, "trust": 0.6}
        opened.add(DeviceEvent(device_id="device-1", reason="it was gone", **failure))
        at = datetime.now(UTC)
        cycle = HealthCycle(began_at=at, ended_at=at, probed=1, failed=1, outage=f"1 of 1 failed {HOSTILE}")
        opened.add(cycle)
        owner = find_owner(opened, "ada").id
        work = Usage(day=date(2026, 6, 1), owner_id=owner, device="device-1", model="all-minilm-l6-v2", tasks=1234)
        began, ended = NOW - timedelta(minutes=2), NOW - timedelta(minutes=1)
        task = Task(submitter="ann", id="task-1", model="all-minilm-l6-v2", submitted_at=began, ended_at=ended)
        task.state = TaskState.SUCCEEDED
        run = Attempt(submitter="ann", task="task-1", run="r", device="device-1", started_at=began, ended_at=ended)
        run.outcome = Outcome.SUCCEEDED
        opened.add_all([work, task, run])
    yield engine
    engine.dispose()


@pytest.fixture
def connected(operated: Node, registry: Engine) -> Iterator[str]:
    """The device that serves, connected to the broker."""
    model = HostedModel("all-minilm-l6-v2", Tier.TINY, is_default=True)
    apply(operated.url(), model_topology(model) + device_topology("device-1"))
    put_user(operated.api, "device-1", "hunter2", device_role("device-1", ()))
    with pika.BlockingConnection(idle(operated.url("device-1", "hunter2"))) as connection:
        connection.channel()
        yield "device-1"
    operated.api.delete_user("device-1")


@pytest.fixture
def flower(registry: Engine, tmp_path: Path, until: Callable[..., None]) -> Iterator[str]:
    """Flower's address. It ends with its lifeline, cleanly."""
    command = [sys.executable, "-P", "-m", "ops.cli", "flower", "--port", "0", "--lifeline"]
    process = Process("flower", command, tmp_path)

    def is_ready() -> bool:
        assert process.exit_code is None, process.last_words()
        return announced_address() is not None

    until(is_ready, 60)
    yield announced_address() or ""
    process.release()
    process.wait(15)
    assert process.exit_code == 0, process.last_words()
    assert announced_address() is None


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """A headless Chromium; `make chromium` installs it."""
    found = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))))
    with sync_playwright() as playwright:
        # As root Chromium runs without its sandbox only. The pages are our own.
        browser = playwright.chromium.launch(executable_path=found, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def page(browser: Browser, flower: str) -> Iterator[Page]:
    """A page of somebody who has logged in."""
    login = kept_login()
    credentials = {"username": login.user, "password": login.password.get_secret_value()}
    context = browser.new_context(base_url=flower, http_credentials=credentials)
    yield context.new_page()
    context.close()
