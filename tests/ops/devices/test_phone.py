"""`starai devices` shows of a phone what its browser tells, and says where that is nothing."""

from datetime import UTC, datetime

import pytest

from broker_config.tiers import Tier
from models.browser import BROWSER
from ops.access import open_registry
from registry.database import session
from registry.deployments import Planned, deploy
from registry.health_state import Condition
from registry.health_tables import DeviceHealth
from registry.measurements import record_measurement
from registry.tables import Measurement
from tasks.probe import Readings
from tests.ops.devices.shown import JOINED, printed, row

SAID = Readings(
    load=0.1, disk_left=3 * 2**30, provider=BROWSER, models=("all-minilm-l6-v2",), running=0, held=0, unsettled=0,
    consumers=2,
)  # fmt: skip


@pytest.fixture(autouse=True)
def phone():
    """The second device is a phone, as it is once a check has asked it."""
    now = datetime.now(UTC)
    with open_registry() as engine, session(engine) as registry:
        measured = Measurement(
            device_id="device-2", at=JOINED, cpu_model="a phone with 6 cores", physical_cores=6, threads=6,
            memory_bytes=2 * 2**30, provider=BROWSER, gflops_one_thread=5.2, gb_per_s_one_thread=7.9,
        )  # fmt: skip
        record_measurement(registry, measured)
        deploy(registry, "device-2", [Planned("all-minilm-l6-v2", Tier.TINY)])
        figures = SAID.model_dump_json(exclude_none=True)
        health = {"condition": Condition.WELL, "checked_at": now, "answered_at": now, "figures": figures}
        registry.add(DeviceHealth(device_id="device-2", **health))


def test_a_phone_is_a_browser_and_other_devices_are_programs(run):
    first, second = (row(run("devices").output, device) for device in ("device-1", "device-2"))

    assert " program " in first
    assert " browser " in second
    assert [device["kind"] for device in printed(run)["devices"]] == ["program", "browser"]


def test_show_says_what_its_browser_does_not_tell(run):
    output = run("devices", "show", "device-2").output

    for label, part in (
        ("Kind", "browser"),
        ("Hardware", "not told"),
        ("Processor", "a phone with 6 cores  "),
        ("Memory", "2.0 GiB, as its page says"),
        ("GPU", "none found"),
        ("Engine", "WasmExecutionProvider"),
        ("One thread", "5 GFLOP/s, 7.9 GB/s of memory"),
        ("Under load", "10 % besides its own tasks, all processors unknown to its browser"),
        ("Left", "memory unknown to its browser, 3.0 GiB of disk"),
        ("Tasks now", "0 running, 0 waiting, 0 not acknowledged, by 2 subscriptions"),
    ):
        assert part in row(output, label), label


def test_a_program_gets_nothing_for_what_a_browser_does_not_tell(run):
    shown = printed(run, "show", "device-2")

    assert (shown["kind"], shown["hardware_id"]) == ("browser", None)
    assert [shown["readings"][name] for name in ("processor", "memory_left", "temperature")] == [None] * 3
    assert shown["measurement"]["provider"] == BROWSER
