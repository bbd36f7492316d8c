"""Where the page is served, by which certificate, and at which port the next time."""

import secrets
import socket
import ssl
from dataclasses import replace

import pytest

from broker_config.node import Node
from ops.phone.address import address_of
from ops.phone.announced import announce_page, announced_page, forget_page
from ops.phone.port import DEFAULT_PORT, listen_as_before, listen_at, page_file
from ops.phone.settings import Settings
from ops.web.listening import hosts_of, tls_of, url_of
from ops.web.place import Place
from starai.errors import SettingError


@pytest.fixture
def is_open(monkeypatch):
    """The node is open to other machines."""
    monkeypatch.setenv("STARAI_BROKER_HOST", "star.example")


@pytest.fixture
def here():
    """An address of this machine's that no other test uses at this time."""
    return Place(host=f"127.{secrets.randbelow(200) + 1}.{secrets.randbelow(250)}.{secrets.randbelow(250) + 1}")


def listened(address):
    """Return where phones find the page, and by which names they may ask for it."""
    with listen_at(address.place) as listener:
        port = listener.getsockname()[1]
        url = address.url or url_of(address.place, listener, address.name)
        return url.replace(str(port), "PORT"), hosts_of(address.place, listener)


def test_it_is_for_this_machine_alone_where_the_node_is():
    address = address_of(Settings())
    url, hosts = listened(address)

    assert url == "http://127.0.0.1:PORT"
    assert set(hosts) == {"localhost", "127.0.0.1", "[::1]", "[127.0.0.1]"}
    assert (tls_of(address.place), address.ca) == (None, None)
    assert not Node().folder.exists()


def test_where_the_node_is_open_to_other_machines_the_page_is_too_by_the_nodes_certificate(is_open):
    address = address_of(Settings())
    url, hosts = listened(address)

    assert url == "https://star.example:PORT"
    assert {"star.example", "localhost", "127.0.0.1"} <= set(hosts)
    assert address.place.host == ""
    assert address.ca == Node().authority.pem
    assert isinstance(tls_of(address.place), ssl.SSLContext)
    assert "PRIVATE" not in address.ca


def test_it_listens_at_every_address_where_it_is_open(is_open):
    with listen_at(address_of(Settings()).place) as listener:
        for host in ("127.0.0.1", "127.0.0.2"):
            socket.create_connection((host, listener.getsockname()[1]), 10).close()


def test_a_certificate_of_ones_own_is_taken_in_place_of_the_nodes(is_open, tmp_path):
    files = {"tls_cert": tmp_path / "chain.pem", "tls_key": tmp_path / "key.pem"}
    address = address_of(Settings(**files))

    assert (address.place.tls_cert, address.place.tls_key) == tuple(files.values())
    assert (address.name, address.ca) == ("star.example", None)
    with pytest.raises(SettingError, match="cannot be used"):
        tls_of(address.place)


def test_behind_a_proxy_it_is_plain_and_tells_where_the_proxy_is(is_open):
    address = address_of(Settings(plain=True, url="https://phones.example/"))
    url, hosts = listened(address)

    assert url == "https://phones.example"
    assert {"phones.example", "star.example"} <= set(hosts)
    assert (tls_of(address.place), address.ca) == (None, None)


@pytest.mark.parametrize("url", ["phones.example", "ftp://phones.example", "https://phones.example/path", "https://"])
def test_an_address_that_phones_cannot_use_is_refused(url):
    with pytest.raises(SettingError, match="--url takes"):
        address_of(Settings(url=url))


def test_other_machines_are_let_in_encrypted_alone():
    with pytest.raises(SettingError, match="gives a page of another machine keys only if it came encrypted"):
        listen_at(address_of(Settings(host="0.0.0.0")).place)


def test_the_port_is_the_same_at_the_next_start_and_the_one_that_was_asked_for_is_not_kept(here):
    with listen_as_before(here) as first:
        port = first.getsockname()[1]
    with listen_at(replace(here, port=0)) as other:
        assert other.getsockname()[1] != port
    with listen_as_before(here) as again:
        assert again.getsockname()[1] == port
    assert port == DEFAULT_PORT


def test_at_the_first_start_the_next_free_port_is_chosen(here):
    with listen_as_before(here) as first:
        page_file().unlink()
        with listen_as_before(here) as second:
            assert second.getsockname()[1] > first.getsockname()[1]


def test_a_port_that_another_program_took_meanwhile_is_told_and_what_a_new_one_costs(here):
    told = f"{DEFAULT_PORT}.*every phone has to join again"
    with listen_as_before(here), pytest.raises(SettingError, match=told) as error:
        listen_as_before(here)
    assert str(page_file()) in str(error.value)


def test_a_kept_port_that_cannot_be_read_is_told(here):
    with listen_as_before(here):
        page_file().write_text('{"port": 0}')

    with pytest.raises(SettingError, match=r"page\.json cannot be read"):
        listen_as_before(here)


def test_where_the_page_is_is_known_while_it_is_served():
    assert announced_page() is None
    announce_page("https://star.example:8455")
    assert announced_page() == "https://star.example:8455"
    forget_page()
    assert announced_page() is None
