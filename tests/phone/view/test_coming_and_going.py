"""How a phone joins by the page and leaves by it."""

import pytest
from playwright.sync_api import expect

from tests.phone.view.scripted import JOINED, JOINING, NEW, SERVING

pytestmark = pytest.mark.process
TOKEN = "starai-eyJ2ZXJzaW9uIjoxfQ_-09"


def test_a_pasted_link_joins_with_the_token_in_it(new_phone, until) -> None:
    phone = new_phone().open()
    expect(phone.page.get_by_text("91 MB, once")).to_be_visible()

    phone.page.get_by_role("textbox", name="Token or link").fill(f" https://host/phone/#{TOKEN[:12]}\n {TOKEN[12:]} ")
    phone.page.get_by_role("textbox", name="A name for this phone").fill("Pixel of Ann")
    phone.page.get_by_role("button", name="Join").tap()

    until(lambda: phone.asked("join") == [{"type": "join", "token": TOKEN, "name": "Pixel of Ann"}])
    phone.says(JOINING)
    phone.says(JOINED)
    expect(phone.page.get_by_role("heading", level=1)).to_have_text("Pixel of Ann")


def test_a_scanned_code_leaves_the_address_bar_and_joins_by_one_tap_only(new_phone, until) -> None:
    phone = new_phone().open(f"#{TOKEN}")

    assert phone.page.url == phone.site.url
    assert phone.page.evaluate("history.length") <= 2
    assert phone.asked("join") == []
    phone.page.get_by_role("button", name="Join").tap()
    until(lambda: phone.asked("join") == [{"type": "join", "token": TOKEN, "name": "Android phone"}])


def test_a_code_that_is_scanned_with_the_page_open_is_taken_too(new_phone) -> None:
    phone = new_phone().open()

    phone.page.evaluate(f"location.hash = '#{TOKEN}'")

    expect(phone.page.get_by_role("textbox", name="Token or link")).to_have_value(TOKEN)
    assert "starai-" not in phone.page.url


def test_a_text_without_a_token_is_told_at_its_field(new_phone) -> None:
    phone = new_phone().open()
    field = phone.page.get_by_role("textbox", name="Token or link")
    field.fill("hello")

    phone.page.get_by_role("button", name="Join").tap()

    expect(field).to_have_attribute("aria-invalid", "true")
    expect(field).to_have_accessible_description(
        "That holds no token. One begins with “starai-” and is a single word, "
        "or the end of a link. Copy it again, whole."
    )
    expect(field).to_be_focused()
    assert phone.asked("join") == []


def test_a_try_that_failed_need_not_be_typed_again(new_phone) -> None:
    phone = new_phone().open(f"#{TOKEN}")
    phone.page.get_by_role("button", name="Join").tap()
    phone.says(JOINING)
    expect(phone.page.get_by_role("heading", level=1)).to_have_text("Joining")

    phone.says(NEW | {"error": "The network could not be reached. Try again."})

    expect(phone.page.get_by_role("alert")).to_contain_text("could not be reached")
    expect(phone.page.get_by_role("textbox", name="Token or link")).to_have_value(TOKEN)


def test_a_device_that_scans_a_token_stays_the_device_that_it_is(new_phone) -> None:
    phone = new_phone(SERVING).open(f"#{TOKEN}")

    expect(phone.page.get_by_role("status").filter(has_text="is a device already")).to_be_visible()
    assert "starai-" not in phone.page.url
    assert phone.asked("join") == []


def test_leaving_is_asked_once_more(new_phone, until) -> None:
    phone = new_phone(JOINED).open()
    leave = phone.page.get_by_role("button", name="Leave the network")
    dialog = phone.page.get_by_role("dialog", name="Leave the network?")

    leave.tap()
    dialog.get_by_role("button", name="Stay").tap()
    expect(dialog).to_be_hidden()
    assert phone.asked("leave") == []
    leave.tap()
    dialog.get_by_role("button", name="Leave").tap()
    until(lambda: len(phone.asked("leave")) == 1)
    phone.says(NEW)
    expect(phone.page.get_by_role("button", name="Join")).to_be_visible()


def test_everything_can_be_done_by_keyboard(new_phone, until) -> None:
    phone = new_phone().open()
    keys, focused = phone.page.keyboard, phone.page.locator(":focus")

    keys.press("Tab")
    keys.insert_text(TOKEN)
    keys.press("Enter")
    until(lambda: len(phone.asked("join")) == 1)
    phone.says(JOINED)
    expect(focused).to_have_text("Android phone")
    keys.press("Tab")
    keys.press("Space")
    until(lambda: phone.asked("switch") == [{"type": "switch", "on": True}])
    for _ in range(12):
        keys.press("Tab")
        if focused.inner_text() == "Leave the network":
            break
    keys.press("Enter")
    expect(focused).to_have_text("Stay")
    keys.press("Escape")
    expect(focused).to_have_text("Leave the network")
    keys.press("Enter")
    keys.press("Tab")
    keys.press("Enter")
    until(lambda: len(phone.asked("leave")) == 1)
