"""Phones in a whole network: they join by a link, are measured, serve, and are looked after like any other device."""

import numpy as np
import pytest

from models.embedding import load_embedding
from registry.device_state import DeviceState
from registry.health_state import Condition
from tests.phone.whole.network import LONG, MODEL

# All of these tests use the same network, so the same process has to run them.
pytestmark = [pytest.mark.process, pytest.mark.xdist_group("phones"), pytest.mark.timeout(300)]

SENTENCES = [
    "The harbour smells of tar and rope.",
    "Das alte Boot hieß „Möwe“ und war grün.",
    "港口闻起来有焦油和绳索的味道。",
    "🚢⚓ ahoy! ¿Dónde está el muelle?",
    "",
    "word " * 400,
]


def cosines(a, b):
    return (a * b).sum(1) / np.linalg.norm(a, axis=1) / np.linalg.norm(b, axis=1)


def test_a_phone_joins_by_a_link_and_serves_a_hundred_tasks_as_a_pc_would(network, new_phone, client, minilm, until):
    phone = new_phone().serve(network.link())
    [device] = network.phones()

    jobs = [client.submit(MODEL, SENTENCES, deadline=200) for _ in range(2)]
    jobs += [client.submit(MODEL, f"{number} boats", deadline=200) for number in range(98)]
    vectors = [job.result(200) for job in jobs]

    engine = load_embedding(minilm.entry, minilm.folder, 1)
    assert cosines(vectors[0], engine.run(SENTENCES)).min() > 0.9999
    assert cosines(np.stack(vectors[2:]), engine.run([f"{number} boats" for number in range(98)])).min() > 0.9999
    assert {job.reports[-1].device for job in jobs} == {device}
    until(lambda: phone.done == 100)
    assert network.state(device) is DeviceState.ACTIVE
    assert not network.charges(device)


def test_a_link_is_gone_from_the_address_bar_and_joins_nothing_by_itself(network, new_phone):
    phone = new_phone()

    phone.open(network.link())
    phone.page.get_by_role("button", name="Join").wait_for()

    assert "starai-" not in phone.page.url
    assert not network.phones()


def test_a_phone_is_found_well_in_cycle_after_cycle_busy_or_not(network, new_phone, client, until):
    new_phone().serve(network.link())
    [device] = network.phones()
    jobs = [client.submit(MODEL, LONG[:2], deadline=200) for _ in range(8)]
    ended = network.cycles()

    until(lambda: network.cycles() >= ended + 8, 120)
    for job in jobs:
        job.result(200)

    assert network.health(device).condition is Condition.WELL
    assert network.state(device) is DeviceState.ACTIVE
    assert not network.charges(device)


def test_a_page_that_is_loaded_anew_goes_on_as_the_same_device(network, new_phone, client):
    phone = new_phone().serve(network.link())
    [device] = network.phones()

    phone.reload()
    phone.wait_for("waiting")

    assert client.submit(MODEL, "text").result(60).shape == (384,)
    assert network.phones() == [device]


def test_two_phones_and_a_pc_share_a_queue(network, pc, new_phone, client, until):
    for _ in range(2):
        new_phone().serve(network.link())
    pc.start()
    until(lambda: pc.id in network.listeners(), 120)

    jobs = [client.submit(MODEL, LONG[:1], deadline=240) for _ in range(24)]
    for job in jobs:
        job.result(240)

    assert {job.reports[-1].device for job in jobs} == {*network.phones(), pc.id}


def test_a_phone_serves_other_regions_where_nobody_else_does(network, new_phone, client):
    new_phone().serve(network.link())

    jobs = [client.submit(MODEL, "text", region=region, deadline=60) for region in ("africa", "oceania", "europe")]

    assert [job.result(60).shape for job in jobs] == [(384,)] * 3


def test_a_phone_that_is_switched_off_is_offline_and_blamed_for_nothing(network, new_phone, client, until):
    phone = new_phone().serve(network.link())
    [device] = network.phones()

    phone.switch(on=False)
    phone.wait_for("off")

    until(lambda: network.state(device) is DeviceState.OFFLINE)
    phone.switch(on=True)
    phone.wait_for("waiting")
    client.submit(MODEL, "text").result(60)
    assert not network.charges(device)


def test_a_phone_that_leaves_keeps_nothing(network, new_phone, until):
    phone = new_phone().serve(network.link())
    [device] = network.phones()

    phone.page.get_by_role("button", name="Leave the network").click()
    phone.page.get_by_role("button", name="Leave", exact=True).click()
    phone.page.get_by_role("button", name="Join").wait_for()

    until(lambda: network.state(device) is DeviceState.OFFLINE)
    phone.reload()
    phone.page.get_by_role("button", name="Join").wait_for()
    assert phone.page.evaluate("indexedDB.databases().then(found => found.length)") <= 2


LOW_BATTERY = """
const battery = Object.assign(new EventTarget(), { charging: false, level: 0.4 });
Object.defineProperty(Navigator.prototype, "getBattery", { value: () => Promise.resolve(battery) });
Object.defineProperty(globalThis, "battery", { value: battery });
"""


def test_a_phone_pauses_on_a_low_battery_and_goes_on_when_it_is_charged(network, new_phone, client, until):
    phone = new_phone(LOW_BATTERY)
    phone.join(network.link())
    phone.page.get_by_role("checkbox", name="This connection is not metered").check()
    phone.switch(on=True)
    phone.wait_for("paused")
    job = client.submit(MODEL, "text", deadline=120)
    assert phone.says("40 %")

    phone.page.evaluate("battery.charging = true; battery.dispatchEvent(new Event('chargingchange'))")

    assert job.result(60).shape == (384,)
    assert not network.charges(network.phones()[0])
