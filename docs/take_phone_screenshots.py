"""Takes the pictures of a phone in docs/images, from a phone that joins a network and works: `make screenshots`.

It starts `starai up` in a home of its own; the phone is a page in Chromium, of a phone's size.
"""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

from docs.take_screenshots import network
from starai import Client

_IMAGES = Path(__file__).parent / "images"
_MODEL = "all-minilm-l6-v2"
_STARAI = [sys.executable, "-P", "-m", "ops.cli"]
#: Work for a phone for many seconds.
_LONG = ["stone " * 250] * 40
_PATIENCE_MS = 120_000
# The phone's battery, as this machine's browser would have it.
_BATTERY = """
const battery = Object.assign(new EventTarget(), { charging: true, level: 0.8 });
Object.defineProperty(Navigator.prototype, "getBattery", { value: () => Promise.resolve(battery) });
Object.defineProperty(globalThis, "battery", { value: battery });
"""


def main() -> None:
    """Take them all."""
    with network("--devices", "1", "--region", "europe"), _phone() as page:
        _starai("owners", "add", "ann")
        issued = json.loads(_starai("tokens", "issue", "--owner", "ann", "--region", "asia", "--qr", "--json"))
        _come(page, issued["link"])
        device = _work(page)
        _be_kept_from_work(page, device)


def _come(page: Page, link: str) -> None:
    """A phone finds out what it is about, mistypes, joins, and says what its browser does not."""
    page.goto(link.partition("#")[0])
    page.get_by_role("textbox", name="Token or link").fill("starai-abc")
    page.get_by_role("button", name="Join").click()
    page.locator("#error").wait_for()
    _take(page, "error")
    page.goto("about:blank")
    page.goto(link)
    page.get_by_role("button", name="Join").wait_for()
    _take(page, "new")
    page.get_by_role("button", name="Join").click()
    page.get_by_role("progressbar").wait_for()
    page.wait_for_timeout(1500)
    _take(page, "joining")
    page.get_by_role("switch", name="Serve tasks").wait_for(timeout=_PATIENCE_MS)
    page.get_by_role("checkbox", name="This connection is not metered").check()
    _take(page, "off")


def _work(page: Page) -> str:
    """It serves; return which device it is."""
    page.get_by_role("switch", name="Serve tasks").click()
    _wait_for(page, "waiting")
    devices = [one["device"] for one in json.loads(_starai("devices", "list", "--json"))["devices"]]
    [device] = [one for one in devices if not one.startswith("local-")]
    _starai("devices", "deactivate", "local-europe-1")
    with Client(region="asia") as client:
        client.submit(_MODEL, "a small cat").result(60)
        page.wait_for_timeout(1500)
        _take(page, "waiting")
        page.emulate_media(color_scheme="dark")
        _take(page, "dark")
        page.emulate_media(color_scheme="light")
        job = client.submit(_MODEL, _LONG)
        _wait_for(page, "working")
        _take(page, "working")
        job.result(120)
    return str(device)


def _be_kept_from_work(page: Page, device: str) -> None:
    """Its battery is low, its network wants no work of it, and in the end it is shut out."""
    page.evaluate("battery.charging = false; battery.level = 0.4; battery.dispatchEvent(new Event('levelchange'))")
    _wait_for(page, "paused")
    _take(page, "paused")
    page.evaluate("battery.charging = true; battery.dispatchEvent(new Event('chargingchange'))")
    _wait_for(page, "waiting")
    _starai("devices", "deactivate", device)
    _wait_for(page, "resting")
    _take(page, "resting")
    _starai("blacklist", "add", device, "--reason", "it was dropped", "--force", "--yes")
    _wait_for(page, "refused")
    _take(page, "refused")


@contextmanager
def _phone() -> Iterator[Page]:
    chromium = next(filter(Path.exists, map(Path, ("/usr/bin/chromium", "/usr/bin/chromium-browser"))))
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        profile = playwright.devices["Pixel 7"] | {"viewport": {"width": 360, "height": 740}, "device_scale_factor": 2}
        context = browser.new_context(**profile)
        context.add_init_script(_BATTERY)
        yield context.new_page()
        browser.close()


def _take(page: Page, name: str) -> None:
    page.evaluate("scrollTo(0, 0)")
    page.wait_for_timeout(500)
    page.screenshot(path=_IMAGES / f"phone-{name}.png")


def _wait_for(page: Page, doing: str) -> None:
    page.wait_for_selector(f'#doing[data-doing="{doing}"]', timeout=_PATIENCE_MS)


def _starai(*arguments: str) -> str:
    return subprocess.run([*_STARAI, *arguments], check=True, capture_output=True, text=True).stdout


if __name__ == "__main__":
    main()
