"""Flower's pages with ours among them: who may look, and what they show, in a headless Chromium."""

import os
import re
import stat

import httpx
import pika
import psutil
from playwright.sync_api import expect

from broker_config import names
from broker_config.address import parameters
from broker_config.node import Node
from ops.flower.login import address_file, kept_login, login_file

PAGES = ("/", "/workers", "/tasks", "/broker", "/fleet", "/fleet?json=1", "/worker/device-1", "/api/workers")


def get(url: str, password: str | None = None) -> httpx.Response:
    login = httpx.BasicAuth("starai", password) if password else None
    return httpx.get(url, auth=login, trust_env=False, timeout=20)


def test_every_page_asks_for_the_login_that_is_kept_in_the_home(flower) -> None:
    password = kept_login().password.get_secret_value()

    assert {get(flower + page).status_code for page in PAGES} == {401}
    assert {get(flower + page, password + "x").status_code for page in PAGES} == {401}
    assert {get(flower + page, password).status_code for page in PAGES} == {200}
    assert stat.S_IMODE(login_file().stat().st_mode) == 0o600


def test_it_listens_on_this_machine_only_and_its_password_is_in_no_argument(flower) -> None:
    port = int(flower.rpartition(":")[2])
    (process,) = (p for p in psutil.process_iter() if p.ppid() == os.getpid() and "flower" in p.cmdline())

    listening = {c.laddr.ip for c in process.net_connections() if c.status == psutil.CONN_LISTEN}
    assert listening == {"127.0.0.1"}
    assert port in {c.laddr.port for c in process.net_connections()}
    assert kept_login().password.get_secret_value() not in " ".join(process.cmdline())
    assert address_file().read_text("utf-8") == f'{{"url":"{flower}"}}'


def test_nothing_can_be_done_from_it(flower) -> None:
    password = kept_login().password.get_secret_value()

    for action in ("worker/shutdown/device-1", "task/send-task/starai.inference", "task/revoke/task-1"):
        answer = httpx.post(
            f"{flower}/api/{action}", auth=("starai", password), json={"args": []}, trust_env=False, timeout=20
        )
        assert answer.status_code == 403, action


def test_the_fleet_lists_devices_and_a_hostile_name_stays_text(connected, page, until) -> None:
    page.goto("/fleet")
    row = page.locator("#fleet-table tbody tr", has_text="device-1")

    expect(row).to_contain_text("<script>document.title")
    expect(row.locator("td").nth(2)).to_have_text("asia")
    expect(row.locator("td").nth(8)).to_have_text("yes", timeout=20_000)
    expect(row.locator("td").nth(9)).to_have_text("0 / 4")
    expect(row.locator("td").nth(10)).to_have_text("1,234")
    expect(page.locator("#fleet-table tbody tr", has_text="device-2")).to_contain_text("offline")
    assert page.title() == "Fleet · Flower"
    assert page.locator("#fleet-table img, #fleet-table script").count() == 0


def test_the_fleet_has_how_each_device_is_and_what_a_device_wrote_stays_text(page) -> None:
    page.goto("/fleet")
    cells = page.locator("#fleet-table tbody tr", has_text="device-1").locator("td")

    expect(cells.nth(5)).to_contain_text("paused: <script>")
    expect(cells.nth(6)).to_contain_text("failed")
    expect(cells.nth(6)).to_contain_text(" ago")
    expect(cells.nth(6).locator("div").first).to_have_attribute(
        "title", re.compile("failed the gpu check: gone: <script>")
    )
    expect(cells.nth(7)).to_contain_text("0.60lower band")
    away = page.locator("#fleet-table tbody tr", has_text="device-2").locator("td")
    expect(away.nth(6)).to_have_text("unknown")
    expect(away.nth(7)).to_have_text("1.00")
    assert page.title() == "Fleet · Flower"


def test_the_fleet_says_how_the_last_cycle_went_and_what_is_wrong_with_the_network(page) -> None:
    page.goto("/fleet")

    expect(page.locator("#fleet-cycle")).to_contain_text("1 asked, 0 well, 1 failed, 0 silent")
    expect(page.locator("#fleet-troubles .alert")).to_contain_text(
        "nothing counts against devices: 1 of 1 failed <script>"
    )
    assert page.locator("#fleet-troubles img, #fleet-troubles script").count() == 0


def test_the_fleet_is_sorted_by_a_click_and_searched(page) -> None:
    page.goto("/fleet")
    first = page.locator("#fleet-table tbody tr").first
    expect(first).to_contain_text("device-1")

    page.get_by_role("columnheader", name="Done").first.click()
    expect(first).to_contain_text("device-2")
    page.get_by_placeholder("device, owner, region, model").fill("1,234")
    expect(page.locator("#fleet-table tbody tr")).to_have_count(1)


def test_a_device_has_a_page_of_its_own_that_the_fleet_leads_to(page) -> None:
    page.goto("/fleet")
    page.get_by_role("link", name="device-1").click()

    expect(page.get_by_role("heading", name="device-1")).to_be_visible()
    expect(page.locator("#device-history")).to_contain_text("because <script>")
    expect(page.locator("#device-history")).to_contain_text("check-failed (gpu)")
    expect(page.locator("#device-history")).to_contain_text("10 %")
    health = page.get_by_label("Health", exact=True)
    expect(health).to_contain_text("failed the gpu check: gone: <script>")
    expect(health).to_contain_text("0.60, lower band")
    assert page.locator("main img, main dd script").count() == 0
    expect(page.locator("#device-attempts")).to_contain_text("60.000 s")
    expect(page.locator("#device-usage")).to_contain_text("1,234")
    expect(page.locator("#device-models")).to_contain_text("all-minilm-l6-v2")
    assert page.title() == "device-1 · Flower"


def test_a_device_that_nobody_enrolled_has_none(page) -> None:
    answer = page.goto("/worker/%3Cscript%3Ealert(1)%3C%2Fscript%3E")

    assert answer is not None
    assert answer.status == 404
    assert page.locator("main script").count() == 0


def test_the_brokers_page_shows_the_networks_queues(connected, page, until) -> None:
    def shows() -> bool:
        page.goto("/broker")
        return page.get_by_text("inference.asia.tiny.all-minilm-l6-v2").is_visible()

    until(shows)
    expect(page.locator("#queue-table")).to_contain_text("ledger")


def test_it_asks_no_worker_for_anything(flower, operated: Node, until) -> None:
    password = kept_login().password.get_secret_value()
    until(lambda: any(queue["name"].startswith("celeryev.") for queue in operated.api.queues(names.VHOST)))
    with pika.BlockingConnection(parameters(operated.url())) as connection:
        channel = connection.channel()
        queue = channel.queue_declare("", exclusive=True).method.queue
        channel.queue_bind(queue, "celery.pidbox")

        for page in ("/", "/workers?refresh=1", "/worker/device-1", "/api/workers?refresh=1") * 3:
            get(flower + page, password)
        channel.basic_publish("celery.pidbox", "", b"the end")

        bodies: list[bytes] = []
        while bodies[-1:] != [b"the end"]:
            _, _, body = channel.basic_get(queue, auto_ack=True)
            bodies += [body] if body else []
    # On connecting it asks once for heartbeats; nobody listens.
    assert [body for body in bodies if b"heartbeat" not in body] == [b"the end"]
