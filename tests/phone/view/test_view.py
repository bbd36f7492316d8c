"""What the page shows of each thing that the device says."""

from datetime import UTC, datetime, timedelta

import pytest
from playwright.sync_api import expect

from tests.phone.view.scripted import JOINED, JOINING, MODEL, PREFERENCES, SERVING, STANDING

pytestmark = pytest.mark.process
SOON = (datetime.now(UTC) + timedelta(minutes=5)).isoformat()

DOING = [
    ({"on": False, "doing": "off"}, "Stopped", "This phone takes no tasks"),
    ({"doing": "starting", "step": "loading all-minilm-l6-v2"}, "Getting ready", "Loading all-minilm-l6-v2."),
    ({"doing": "connecting"}, "Connecting", "It looks for the network."),
    ({"doing": "waiting"}, "Ready for tasks", "Keep this page open."),
    ({"doing": "working"}, "Working on a task", "The answer goes straight back"),
    ({"doing": "paused", "why": "the battery is at 41 %"}, "Paused", "The battery is at 41 %."),
    ({"doing": "resting", "why": "it waits for a check"}, "Resting", "It waits for a check."),
    ({"doing": "refused", "why": "it was blacklisted"}, "Not let in", "It was blacklisted."),
]

STANDINGS = [
    ({}, "In good standing", "Trust 97 %."),
    ({"sound": False, "trust": 0.58, "reason": "it was slow"}, "In the lower band", "It was slow."),
    ({"state": "inactive", "trust": 0.4, "quarantinedUntil": SOON}, "In quarantine until", "comes back by itself"),
    ({"state": "inactive"}, "Waiting for a check", "every minute"),
    ({"state": "offline"}, "Away, by your choice", "never held against you"),
    ({"state": "blacklisted", "blacklistedUntil": SOON, "reason": "it lied"}, "Blacklisted until", "It lied."),
    ({"state": "unknown"}, "Not known to the network", "join with a new token"),
]


@pytest.mark.parametrize(("change", "title", "detail"), DOING, ids=[change["doing"] for change, _, _ in DOING])
def test_what_the_device_does_is_one_line_in_words_with_its_reason(new_phone, change, title, detail) -> None:
    phone = new_phone(JOINED).open()

    phone.says(SERVING | change)

    doing = phone.page.locator("#doing")
    expect(doing).to_have_attribute("data-doing", change["doing"])
    expect(doing).to_have_text(title)
    expect(phone.page.locator(".why")).to_contain_text(detail)
    assert doing.get_attribute("aria-live") in ("polite", "off")


def test_task_after_task_is_shown_calmly_and_read_out_once(new_phone) -> None:
    phone = new_phone(SERVING | {"doing": "working"}).open()
    doing = phone.page.locator("#doing")
    expect(doing).to_have_text("Working on a task")

    phone.says(SERVING)
    expect(doing).to_have_attribute("data-doing", "waiting")
    assert doing.inner_text() == "Working on a task"
    expect(doing).to_have_text("Ready for tasks")
    assert doing.get_attribute("aria-live") == "off"

    phone.says(SERVING | {"doing": "paused", "why": "it is hot"})
    expect(doing).to_have_text("Paused")
    assert doing.get_attribute("aria-live") == "polite"


@pytest.mark.parametrize(("change", "title", "detail"), STANDINGS, ids=[title for _, title, _ in STANDINGS])
def test_how_the_network_thinks_of_the_phone_is_in_plain_words(new_phone, change, title, detail) -> None:
    phone = new_phone(SERVING | {"standing": STANDING | change}).open()

    standing = phone.page.locator("#standing")
    expect(standing).to_have_attribute("data-state", (STANDING | change)["state"])
    expect(standing).to_contain_text(title)
    expect(standing).to_contain_text(detail)


def test_a_standing_that_is_not_known_is_no_verdict(new_phone) -> None:
    phone = new_phone(JOINED | {"standing": None}).open()

    expect(phone.page.locator("#standing")).to_contain_text("Not known yet")


def test_who_the_phone_is_and_what_it_has_done_are_told(new_phone) -> None:
    phone = new_phone(SERVING, init="localStorage.setItem('starai.name', 'Pixel of Ann')").open()

    expect(phone.page.get_by_role("heading", level=1)).to_have_text("Pixel of Ann")
    expect(phone.page.locator(".identity")).to_have_text("Africa · device-a37efa577578a787")
    expect(phone.page.locator("#done")).to_have_text("1284")
    expect(phone.page.locator("#last")).to_have_text("182 ms")
    phone.says(SERVING | {"done": 1287, "failed": 2})
    expect(phone.page.locator("#done")).to_have_text("1287")
    expect(phone.page.locator("#today")).to_have_text("3")
    expect(phone.page.get_by_text("2 tasks failed here.")).to_be_visible()


def test_the_switch_follows_the_device_and_asks_it(new_phone, until) -> None:
    phone = new_phone(JOINED).open()
    switch = phone.page.get_by_role("switch", name="Serve tasks")
    expect(switch).to_have_attribute("aria-checked", "false")

    switch.tap()
    until(lambda: phone.asked("switch") == [{"type": "switch", "on": True}])
    phone.says(SERVING)
    expect(switch).to_have_attribute("aria-checked", "true")
    switch.tap()
    until(lambda: phone.asked("switch")[1:] == [{"type": "switch", "on": False}])


def test_joining_shows_its_steps_and_how_far_the_download_is(new_phone) -> None:
    phone = new_phone(JOINING | {"step": "measuring this phone"}).open()
    bar = phone.page.get_by_role("progressbar")
    expect(bar).not_to_have_attribute("value", "0")

    phone.says(JOINING | {"progress": {"done": 38_200_000, "total": 91_300_000}})
    expect(phone.page.locator(".steps li").first).to_have_text("Measuring this phone Done.")
    expect(phone.page.locator("[aria-current=step]")).to_have_text("Fetching all-minilm-l6-v2")
    expect(bar).to_have_attribute("value", "38200000")
    expect(bar).to_have_attribute("aria-valuetext", "38.2 of 91.3 MB")
    expect(phone.page.get_by_text("38.2 of 91.3 MB")).to_be_visible()


def test_an_error_is_an_alert_until_the_device_has_none(new_phone) -> None:
    phone = new_phone(SERVING).open()
    alert = phone.page.get_by_role("alert")
    expect(alert).to_have_count(0)

    phone.says(SERVING | {"error": "the model could not be fetched. Is there a network?"})
    expect(alert).to_contain_text("could not be fetched. Is there a network?")
    phone.says(SERVING)
    expect(alert).to_have_count(0)


def test_what_comes_from_elsewhere_stays_text(new_phone) -> None:
    hostile = "<img src=x onerror=\"document.title='taken'\">"
    standing = STANDING | {"sound": False, "reason": hostile}
    models = [MODEL | {"name": hostile, "fault": hostile}]

    phone = new_phone(SERVING | {"error": hostile, "why": hostile, "standing": standing, "models": models}).open()

    expect(phone.page.get_by_text(hostile).first).to_be_visible()
    assert phone.page.locator("#app img, #error img").count() == 0
    assert phone.page.title() == "StarAI on this phone"


def test_the_model_is_told_with_its_size_place_and_fault_and_can_be_removed(new_phone, until) -> None:
    phone = new_phone(SERVING).open()
    expect(phone.page.get_by_text("91.3 MB, stored on this phone")).to_be_visible()

    phone.page.get_by_role("button", name="Remove the model").tap()
    until(lambda: len(phone.asked("removeModels")) == 1)
    phone.says(SERVING | {"models": [MODEL | {"stored": False, "fault": "vocab.txt is not what it has to be"}]})
    expect(phone.page.get_by_text("91.3 MB, not on this phone")).to_be_visible()
    expect(phone.page.get_by_text("vocab.txt is not what it has to be.")).to_be_visible()
    expect(phone.page.get_by_role("button", name="Remove the model")).to_have_count(0)


def test_preferences_are_set_by_their_labels_and_none_is_lost(new_phone, until) -> None:
    phone = new_phone(SERVING).open()

    phone.page.get_by_label("Only while charging").check()
    phone.page.get_by_label("No metered connections").uncheck()
    phone.page.get_by_label("Pause when hidden for").select_option("30 minutes")
    phone.page.get_by_label("Threads").select_option("1")

    wanted = {"onlyWhileCharging": True, "notMetered": False, "hiddenMinutes": 30, "threads": 1}
    until(lambda: len(phone.asked("preferences")) == 4)
    assert phone.asked("preferences")[-1]["preferences"] == PREFERENCES | wanted
    phone.says(SERVING | {"preferences": PREFERENCES | {"onlyWhileCharging": True}})
    expect(phone.page.get_by_label("Threads")).to_have_value("1")


def test_the_battery_level_is_set_in_steps(new_phone, until) -> None:
    phone = new_phone(SERVING).open()
    slider = phone.page.get_by_label("On battery, only above")
    expect(slider).to_have_attribute("aria-valuetext", "50 %")

    slider.press("ArrowRight")

    expect(slider).to_have_attribute("aria-valuetext", "55 %")
    until(lambda: phone.asked("preferences")[-1:] != [])
    assert phone.asked("preferences")[-1]["preferences"]["batteryAbove"] == 0.55


def test_a_device_that_cannot_be_loaded_is_told_with_a_way_on(new_phone) -> None:
    phone = new_phone(JOINED)
    phone.site.without.add("device.js")

    phone.page.goto(phone.site.url)

    expect(phone.page.get_by_role("alert")).to_contain_text("could not be loaded")
    expect(phone.page.get_by_role("button", name="Load the page again")).to_be_visible()
