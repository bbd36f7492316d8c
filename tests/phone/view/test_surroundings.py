"""What the page knows of the phone around it, and what it tells the device of that."""

import pytest
from playwright.sync_api import expect

from tests.phone.view.conftest import IPHONE
from tests.phone.view.scripted import NEW, PREFERENCES, SERVING, STANDING

pytestmark = pytest.mark.process

BATTERY = """
window.battery = Object.assign(new EventTarget(), { charging: false, level: 0.4 });
Navigator.prototype.getBattery = async () => battery;
window.connection = Object.assign(new EventTarget(), { type: "wifi", saveData: false });
Object.defineProperty(Navigator.prototype, "connection", { get: () => connection });
"""
SILENT = """
delete Navigator.prototype.getBattery;
delete Navigator.prototype.connection;
delete Navigator.prototype.wakeLock;
"""
LOCK = """
window.locks = [];
const wakeLock = {
  request: async () => {
    const lock = Object.assign(new EventTarget(), { release: async () => lock.dispatchEvent(new Event("release")) });
    locks.push(lock);
    return lock;
  },
};
Object.defineProperty(Navigator.prototype, "wakeLock", { get: () => wakeLock, configurable: true });
window.look = (state) => {
  Object.defineProperty(document, "visibilityState", { get: () => state, configurable: true });
  document.dispatchEvent(new Event("visibilitychange"));
};
"""
OFFER = """
window.offer = () => {
  const event = new Event("beforeinstallprompt", { cancelable: true });
  event.prompt = async () => { window.accepted = true; };
  dispatchEvent(event);
};
"""


def around(phone) -> dict:
    return phone.asked("surroundings")[-1]["surroundings"]


def test_battery_and_network_are_told_and_every_change_of_them(new_phone, until) -> None:
    phone = new_phone(SERVING, init=BATTERY).open()
    expect(phone.page.get_by_text("40 %, on battery")).to_be_visible()
    expect(phone.page.get_by_text("Connected, not metered")).to_be_visible()
    known = {"charging": False, "battery": 0.4, "metered": False, "online": True, "hiddenSince": None}
    until(lambda: around(phone) == known)

    phone.page.evaluate("battery.charging = true; battery.dispatchEvent(new Event('chargingchange'))")
    phone.page.evaluate("connection.type = 'cellular'; connection.dispatchEvent(new Event('change'))")

    until(lambda: around(phone) == known | {"charging": True, "metered": True})
    expect(phone.page.get_by_text("40 %, charging")).to_be_visible()
    expect(phone.page.get_by_text("Metered: mobile data")).to_be_visible()


def test_a_lost_network_is_told(new_phone, until) -> None:
    phone = new_phone(SERVING | {"doing": "connecting"}, init=BATTERY).open()

    phone.page.context.set_offline(True)

    until(lambda: around(phone)["online"] is False)
    expect(phone.page.get_by_text("No network", exact=True)).to_be_visible()
    expect(phone.page.get_by_text("This phone has no network now.")).to_be_visible()


def test_a_hidden_page_tells_since_when(new_phone, until) -> None:
    phone = new_phone(SERVING, init=LOCK).open()

    phone.page.evaluate("look('hidden')")

    until(lambda: around(phone)["hiddenSince"] is not None)
    assert abs(around(phone)["hiddenSince"] - phone.page.evaluate("Date.now()")) < 60_000
    phone.page.evaluate("look('visible')")
    until(lambda: around(phone)["hiddenSince"] is None)


def test_where_the_browser_does_not_tell_the_owner_says(new_phone, until) -> None:
    phone = new_phone(SERVING, init=SILENT, user_agent=IPHONE).open()
    until(lambda: (around(phone)["charging"], around(phone)["metered"]) == (None, None))
    expect(phone.page.get_by_text("Your browser does not tell").first).to_be_visible()

    phone.page.get_by_label("It is plugged in").check()
    phone.page.get_by_label("This connection is not metered").check()

    until(lambda: len(phone.asked("preferences")) == 2)
    wanted = {"ownerSaysPowered": True, "ownerSaysUnmetered": True}
    assert phone.asked("preferences")[-1]["preferences"] == PREFERENCES | wanted
    expect(phone.page.get_by_label("Keep the screen awake")).to_be_disabled()


def test_the_owner_is_not_asked_what_the_browser_tells(new_phone) -> None:
    phone = new_phone(SERVING, init=BATTERY).open()

    expect(phone.page.get_by_text("40 %, on battery")).to_be_visible()
    expect(phone.page.get_by_label("It is plugged in")).to_be_hidden()
    expect(phone.page.get_by_label("This connection is not metered")).to_be_hidden()


def test_the_screen_is_kept_awake_only_if_asked_and_again_when_it_is_seen_again(new_phone, until) -> None:
    phone = new_phone(SERVING, init=LOCK).open()
    assert phone.page.evaluate("locks.length") == 0

    phone.says(SERVING | {"preferences": PREFERENCES | {"keepAwake": True}})
    expect(phone.page.get_by_text("The screen stays on while the phone serves.")).to_be_visible()
    assert phone.page.evaluate("locks.length") == 1
    phone.page.evaluate("look('hidden'); locks[0].release()")
    assert phone.page.evaluate("locks.length") == 1
    phone.page.evaluate("look('visible')")
    until(lambda: phone.page.evaluate("locks.length") == 2)
    phone.says(SERVING | {"on": False, "doing": "off", "preferences": PREFERENCES | {"keepAwake": True}})
    expect(phone.page.get_by_text("A phone that sleeps takes no tasks.")).to_be_visible()


def test_the_page_can_be_installed_where_the_browser_offers_it(new_phone, until) -> None:
    phone = new_phone(SERVING, init=OFFER).open()
    button = phone.page.get_by_role("button", name="Install")
    expect(button).to_have_count(0)

    phone.page.evaluate("offer()")
    button.tap()

    until(lambda: phone.page.evaluate("window.accepted === true"))
    expect(button).to_have_count(0)


def test_an_iphones_owner_is_told_how_to_install_it(new_phone) -> None:
    phone = new_phone(NEW, user_agent=IPHONE).open()

    expect(phone.page.get_by_text("In Safari tap Share, then “Add to Home Screen”.")).to_be_visible()


@pytest.mark.parametrize(
    ("without", "what", "fix"),
    [
        ("Object.defineProperty(window, 'isSecureContext', { value: false })", "safe connection", "https://"),
        ("crypto.subtle.generateKey = async () => { throw new Error() }", "keys", "Update the browser"),
        ("WebAssembly.validate = () => false", "run models", "Update the browser"),
        ("delete window.Worker", "workers", "Update the browser"),
        ("Object.defineProperty(window, 'indexedDB', { value: undefined })", "keeps nothing", "private window"),
    ],
    ids=["secure", "keys", "wasm", "workers", "storage"],
)
def test_a_browser_that_lacks_what_is_needed_is_told_so_with_the_fix(new_phone, without, what, fix) -> None:
    phone = new_phone(NEW, init=without).open()

    expect(phone.page.get_by_role("heading", level=1)).to_have_text("This browser cannot join yet")
    expect(phone.page.locator("#lacking")).to_contain_text(what)
    expect(phone.page.locator("#lacking")).to_contain_text(fix)
    assert "device.js" not in phone.site.fetched


def test_a_browser_that_fails_once_to_make_a_key_is_no_lesser_one(new_phone) -> None:
    fails = "crypto.subtle.generateKey = async () => { throw new DOMException('no', 'OperationError') }"

    phone = new_phone(NEW, init=fails).open()

    expect(phone.page.get_by_role("button", name="Join")).to_be_visible()


def test_a_device_that_is_shut_out_is_told_why(new_phone) -> None:
    standing = STANDING | {"state": "blacklisted", "reason": "its answers were wrong"}

    phone = new_phone(SERVING | {"doing": "refused", "standing": standing}).open()

    expect(phone.page.locator("#standing")).to_contain_text("Blacklisted")
    expect(phone.page.locator("#standing")).to_contain_text("Its answers were wrong.")
