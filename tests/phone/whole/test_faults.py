"""What happens to phones: they are cut off, killed, refused, lied to and shut out, and no task is lost by it."""

import pytest

from registry.device_state import DeviceState
from tests.phone.whole.network import LONG, MODEL

# All of these tests use the same network, so the same process has to run them.
pytestmark = [pytest.mark.process, pytest.mark.xdist_group("phones-at-fault"), pytest.mark.timeout(300)]


def maker(job):
    """Return the device that said last that it began the job."""
    return next((report.device for report in reversed(job.reports) if report.device), None)


@pytest.fixture
def two(network, new_phone):
    """Two phones that serve, by their devices' ids, each with its own way to the broker."""
    phones = {}
    for _ in range(2):
        phone = new_phone()
        phone.way = network.way()
        phone.serve(network.link(way=phone.way))
        phones[next(device for device in network.phones() if device not in phones)] = phone
    return phones


@pytest.fixture
def begun(two, client, until):
    """A task that takes long and has begun, the phone that has it, and the other one's device."""
    job = client.submit(MODEL, LONG, deadline=240)
    until(lambda: maker(job), 60)
    device = maker(job)
    return job, two[device], next(other for other in two if other != device)


def test_the_task_of_a_phone_without_a_network_goes_to_another_and_the_phone_comes_back(network, begun, until):
    job, phone, other = begun

    phone.way.cut()
    job.result(200)

    assert job.reports[-1].device == other
    phone.way.heal()
    phone.wait_for("waiting", seconds=120)


def test_the_task_of_a_killed_page_goes_to_another_at_once_and_the_page_goes_on_as_the_same_device(
    network, begun, until
):
    job, phone, other = begun

    phone.kill()
    until(lambda: maker(job) == other, 10)
    phone.reopen(network.page)
    phone.wait_for("waiting", "working", seconds=90)

    job.result(200)
    assert len(network.phones()) == 2


def test_a_phone_that_is_blacklisted_while_it_serves_is_told_and_its_task_goes_to_another(network, begun):
    job, phone, other = begun
    device = maker(job)

    network.starai("blacklist", "add", device, "--reason", "it was dropped", "--yes")

    phone.wait_for("refused", seconds=90)
    job.result(200)
    assert job.reports[-1].device == other
    assert network.state(device) is DeviceState.BLACKLISTED
    assert phone.says("shut out")


def test_a_phone_that_was_taken_off_the_blacklist_serves_again_by_itself(network, two, until):
    (device, phone), *_ = two.items()
    network.starai("blacklist", "add", device, "--yes")
    phone.wait_for("refused", seconds=90)

    network.starai("blacklist", "remove", device)

    phone.wait_for("waiting", seconds=120)
    until(lambda: network.state(device) is DeviceState.ACTIVE, 60)


def test_a_token_that_invites_nobody_is_refused_in_words_that_help(network, new_phone):
    used = network.link()
    new_phone().join(used)

    phone = new_phone()
    phone.open(used)
    phone.page.get_by_role("button", name="Join").click()

    assert "token" in phone.error.lower()
    assert len(network.phones()) == 1


def test_a_mistyped_token_is_refused_before_anybody_is_asked(network, new_phone):
    phone = new_phone()
    phone.open(network.page)

    phone.page.get_by_role("textbox", name="Token or link").fill(network.token()[:-3] + "abc")
    phone.page.get_by_role("button", name="Join").click()

    assert "mistyped" in phone.error


def flipped(body):
    middle = len(body) // 2
    return body[:middle] + bytes([body[middle] ^ 1]) + body[middle + 1 :]


def test_a_model_that_is_corrupted_on_its_way_once_is_fetched_anew(network, new_phone, client):
    phone = new_phone()
    phone.alter(r"/phone/models/.*/tokenizer\.json", flipped, times=1)

    phone.serve(network.link())

    assert client.submit(MODEL, "text").result(60).shape == (384,)


def test_a_model_that_is_always_corrupted_is_never_run_and_its_owner_is_told(network, new_phone):
    phone = new_phone()
    phone.alter(r"/phone/models/.*/tokenizer\.json", flipped, times=100)

    phone.open(network.link())
    phone.page.get_by_role("button", name="Join").click()

    assert "tokenizer.json" in phone.error


def test_a_second_tab_of_the_same_browser_is_not_a_second_device(network, new_phone):
    phone = new_phone().serve(network.link())

    second = phone.context.new_page()
    second.goto(network.page)
    second.locator("#error").wait_for()

    assert "tab" in second.locator("#error").inner_text()
    assert phone.doing == "waiting"
    assert len(network.phones()) == 1
