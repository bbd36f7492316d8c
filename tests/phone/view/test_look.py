"""How the page looks, to eyes and to screen readers: at every size, dark and light, in every state."""

import json
from pathlib import Path

import pytest
from playwright.sync_api import expect

import ops
from tests.phone.view.scripted import JOINED, JOINING, MODEL, NEW, SERVING, STANDING

pytestmark = pytest.mark.process

AXE = Path(ops.__file__).parent / "phone/page/node_modules/axe-core/axe.min.js"
LONG = "https://" + "ahostnamethatnothingbreaks" * 3 + ".example"
PROGRESS = {"done": 38_200_000, "total": 91_300_000}
STATES = {
    "new": NEW,
    "new, with an error": NEW | {"error": f"{LONG} could not be reached."},
    "joining": JOINING | {"progress": PROGRESS},
    "joining, without an end in sight": JOINING,
    "off": JOINED,
    "starting": SERVING | {"doing": "starting", "progress": PROGRESS, "models": [MODEL | {"stored": False}]},
    "waiting": SERVING | {"done": 1_234_567, "failed": 3, "lastTaskMs": 59_900},
    "working": SERVING | {"doing": "working"},
    "paused": SERVING | {"doing": "paused", "why": LONG},
    "low": SERVING | {"standing": STANDING | {"sound": False, "reason": LONG}, "models": [MODEL | {"fault": LONG}]},
    "refused": SERVING | {"doing": "refused", "standing": STANDING | {"state": "blacklisted"}, "error": LONG},
}
# Each text against the nearest opaque colour behind it.
CONTRAST = """
() => {
  const parts = (colour) => colour.match(/[\\d.]+/g).map(Number);
  const light = (colour) => {
    const linear = (part) => part <= 10 ? part / 3294.6 : ((part / 255 + 0.055) / 1.055) ** 2.4;
    const [r, g, b] = parts(colour).map(linear);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const behind = (element) => {
    for (let at = element; at; at = at.parentElement) {
      const colour = getComputedStyle(at).backgroundColor;
      if ((parts(colour)[3] ?? 1) === 1) return colour;
    }
  };
  const weak = [];
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let node = texts.nextNode(); node; node = texts.nextNode()) {
    const element = node.parentElement;
    if (!node.data.trim() || !element.checkVisibility() || element.closest(":disabled")) continue;
    const [one, other] = [light(getComputedStyle(element).color), light(behind(element))];
    const ratio = (Math.max(one, other) + 0.05) / (Math.min(one, other) + 0.05);
    if (ratio < 4.5) weak.push(`${node.data}: ${ratio.toFixed(2)}`);
  }
  return weak;
}
"""
# A field's target is its row, as a touch on the label counts.
SMALL = """
() => [...document.querySelectorAll("button, input, select, summary")]
  .filter((element) => element.checkVisibility())
  .map((element) => [element.outerHTML, (element.closest(".row") ?? element).getBoundingClientRect()])
  .filter(([, box]) => box.height < 44 || box.width < 44)
  .map(([html]) => html)
"""


@pytest.fixture(params=["light", "dark"])
def scheme(request: pytest.FixtureRequest) -> str:
    return request.param


def shown(phone, status) -> None:
    """Let the page show that, and wait until it does."""
    phone.says(status)
    first = {"new": "spare time", "joining": "Joining", "joined": "This phone"}[status["phase"]]
    expect(phone.page.get_by_role("heading", level=1)).to_contain_text(first)
    if status["phase"] == "joined":
        expect(phone.page.locator("#doing")).to_have_attribute("data-doing", status["doing"])


@pytest.mark.parametrize("width", [320, 360, 768, 1280])
def test_nothing_is_wider_than_the_screen(new_phone, width) -> None:
    phone = new_phone(viewport={"width": width, "height": 740}, is_mobile=width < 768).open()

    for name, status in STATES.items():
        shown(phone, status)
        assert phone.page.evaluate("document.documentElement.scrollWidth") <= width, name


def test_the_switch_is_seen_without_scrolling(new_phone) -> None:
    phone = new_phone(SERVING).open()

    expect(phone.page.get_by_role("switch")).to_be_in_viewport(ratio=1)
    assert phone.page.get_by_role("switch").bounding_box()["height"] >= 72


def test_every_text_has_contrast_in_both_schemes(new_phone, scheme) -> None:
    phone = new_phone(color_scheme=scheme, reduced_motion="reduce").open()

    for name, status in STATES.items():
        shown(phone, status)
        phone.page.evaluate("document.querySelector('details')?.setAttribute('open', '')")
        assert phone.page.evaluate(CONTRAST) == [], name


def test_dark_is_dark_and_light_is_light(new_phone) -> None:
    ground = "getComputedStyle(document.documentElement).backgroundColor"

    assert new_phone(color_scheme="light").open().page.evaluate(ground) == "rgb(243, 245, 250)"
    assert new_phone(color_scheme="dark").open().page.evaluate(ground) == "rgb(13, 18, 27)"


def test_everything_is_big_enough_for_a_finger(new_phone) -> None:
    phone = new_phone().open()

    for name, status in STATES.items():
        shown(phone, status)
        assert phone.page.evaluate(SMALL) == [], name


def test_nothing_moves_for_who_does_not_like_it(new_phone) -> None:
    phone = new_phone(SERVING | {"doing": "working"}, reduced_motion="reduce").open()
    assert phone.page.evaluate("document.getAnimations().length") == 0

    phone.page.emulate_media(reduced_motion="no-preference")
    assert phone.page.evaluate("document.getAnimations().length") > 0


@pytest.mark.skipif(not AXE.is_file(), reason="`npm ci` in ops/phone/page brings axe-core")
def test_axe_finds_nothing_in_any_state(new_phone, scheme) -> None:
    phone = new_phone(color_scheme=scheme, reduced_motion="reduce").open()
    phone.page.evaluate(AXE.read_text("utf-8"))

    for name, status in STATES.items():
        shown(phone, status)
        phone.page.evaluate("document.querySelector('details')?.setAttribute('open', '')")
        assert violations(phone) == [], name


@pytest.mark.skipif(not AXE.is_file(), reason="`npm ci` in ops/phone/page brings axe-core")
def test_axe_finds_nothing_in_the_dialog_and_where_a_browser_lacks_something(new_phone, scheme) -> None:
    leaving = new_phone(JOINED, color_scheme=scheme).open()
    leaving.page.get_by_role("button", name="Leave the network").tap()
    lacking = new_phone(init="WebAssembly.validate = () => false", color_scheme=scheme).open()

    for phone in (leaving, lacking):
        phone.page.evaluate(AXE.read_text("utf-8"))
        assert violations(phone) == []


def test_the_policy_refuses_nothing_of_the_pages_own(new_phone) -> None:
    phone = new_phone().open()

    for status in STATES.values():
        shown(phone, status)
    phone.page.get_by_role("button", name="Leave the network").tap()

    assert phone.refusals == []
    assert phone.page.locator("[style]").count() == 0


def test_headings_and_landmarks_are_in_order(new_phone) -> None:
    phone = new_phone(SERVING).open()

    levels = phone.page.evaluate("[...document.querySelectorAll('h1, h2, h3')].map((found) => found.tagName)")
    assert levels[0] == "H1"
    assert set(levels[1:]) == {"H2"}
    assert phone.page.locator("html").get_attribute("lang") == "en"
    expect(phone.page.get_by_role("main")).to_have_count(1)


def test_a_new_view_has_the_focus_on_its_heading(new_phone) -> None:
    phone = new_phone().open()

    shown(phone, JOINING)

    expect(phone.page.get_by_role("heading", level=1)).to_be_focused()


def violations(phone) -> list[str]:
    """What axe finds against WCAG 2.2 AA and good practice."""
    tags = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
    found = phone.page.evaluate("(tags) => axe.run({ runOnly: tags }).then((result) => result.violations)", tags)
    return [json.dumps([one["id"], [node["html"] for node in one["nodes"]]]) for one in found]
