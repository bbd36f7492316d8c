"""Who gets in by web STOMP, and how little a stranger can do who does not."""

from contextlib import suppress

import pytest

from broker_config.roles import device_role
from broker_config.users import put_user
from tests.stomp import Refused, encode

LOGINS = {
    "nobody": {},
    "a password alone": {"passcode": "secret"},
    "no password": {"login": "d1"},
    "an empty password": {"login": "d1", "passcode": ""},
    "a wrong password": {"login": "d1", "passcode": "another"},
    "the plugin's own default": {"login": "guest", "passcode": "guest"},
    "the platform without its password": {"login": "platform"},
}


@pytest.mark.parametrize("login", LOGINS.values(), ids=LOGINS)
def test_without_a_users_password_nobody_gets_in(network, device, login):
    stranger = network.way_in()

    with pytest.raises(Refused, match="Bad CONNECT"):
        stranger.login(network.vhost, **login)
    with pytest.raises(Refused):
        stranger.subscribe("device.d1")


@pytest.mark.parametrize("login", [{}, {"login": "guest"}, {"passcode": "guest"}], ids=str)
def test_whoever_is_called_guest_is_no_way_in_for_nobody(network, login):
    put_user(network.node.api, "guest", "guest", device_role("guest", ()), network.vhost)

    with pytest.raises(Refused, match="Bad CONNECT"):
        network.way_in().login(network.vhost, **login)
    network.node.api.delete_user("guest")


def test_before_a_login_nothing_can_be_done(network, device):
    with pytest.raises(Refused, match="You must log in"):
        network.way_in().subscribe("device.d1")


def test_a_message_beyond_the_largest_ends_the_connection_of_a_stranger(network):
    stranger = network.way_in()

    with suppress(Refused):  # in the middle of it
        stranger.write(b"x" * (17 << 20))

    assert stranger.end().startswith("closed")


def test_on_rabbitmq_4_3_a_stranger_may_say_very_little(network):
    if network.node.api.version() < "4.3":
        pytest.skip("nothing bounds how many messages a frame takes there")
    stranger = network.way_in()

    stranger.write(encode("CONNECT", {"login": "x" * (1 << 17)})[:-1])

    assert stranger.end().startswith("closed")


def test_a_phone_that_falls_silent_loses_what_it_held(network, device, until):
    with network.platform() as channel:
        channel.basic_publish("submissions", "asia.all-minilm-l6-v2", b"task")
    phone = network.way_in()
    phone.login(network.vhost, "1000,1000", login="d1", passcode="secret")
    phone.subscribe("inference.asia.tiny.all-minilm-l6-v2")
    assert phone.message().body == b"task"

    phone.end()

    assert network.take("inference.asia.tiny.all-minilm-l6-v2") == b"task"
