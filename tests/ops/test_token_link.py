"""`starai tokens issue --qr`: what a phone's owner scans."""

import json

import click
import pytest
import segno

from broker_config.join_token import parse
from ops import token_link
from ops.access import BrokerAddress
from ops.phone.announced import announce_page
from ops.token_link import check_way_in, code, code_width, find_page, works_here_alone
from starai.errors import SettingError

ISSUE = ("tokens", "issue", "--owner", "ada", "--region", "europe", "--qr")
PAGE = "https://phones.example:8455"


@pytest.fixture
def ada(operated, run, monkeypatch):
    """A network with the owner ada."""
    monkeypatch.delenv("STARAI_PAGE_URL", raising=False)
    run("owners", "add", "ada")
    return operated


def modules(lines):
    """Read a code that a terminal shows: whether each place is dark, row by row."""
    rows = []
    for line in lines:
        rows += [[char in " \u2584" for char in line], [char in " \u2580" for char in line]]
    return rows


def test_a_code_is_printed_with_the_link_that_it_holds_and_a_warning(ada, run):
    result = run(*ISSUE, "--page", PAGE)

    lines = result.stdout.splitlines()
    shown = next(line for line in lines if line.startswith(PAGE))
    assert parse(shown.removeprefix(f"{PAGE}/phone/#")).web == ada.file.web
    assert code(shown) in "\n".join(lines) or click.unstyle(code(shown)) in "\n".join(lines)
    assert "Whoever sees the code can make devices join as ada's" in result.stdout
    assert "starai-worker" not in result.stdout


def test_the_lines_of_a_code_are_the_code_in_white_on_black():
    drawn = code(PAGE).splitlines()
    wanted = segno.make_qr(PAGE, error="L")

    size = wanted.symbol_size(border=0)[0]
    seen = [row[2 : 2 + size] for row in modules(map(click.unstyle, drawn))[2 : 2 + size]]
    assert seen == [[bool(dark) for dark in row] for row in wanted.matrix]
    assert all(line.startswith("\x1b[38;5;231;48;5;16m") and line.endswith("\x1b[0m") for line in drawn)
    assert {len(click.unstyle(line)) for line in drawn} == {code_width(PAGE)}


def test_a_code_has_light_around_it_on_every_side():
    rows = modules(map(click.unstyle, code(PAGE).splitlines()))
    width = code_width(PAGE)

    light = [*rows[:2], *rows[width - 2 : width], *(row[:2] + row[-2:] for row in rows[:width])]
    assert not any(any(row) for row in light)


def test_an_encrypted_networks_code_fits_a_usual_terminal(ada, run):
    token = parse(json.loads(run(*ISSUE, "--page", PAGE, "--json").stdout)["token"])
    other = token.model_copy(
        update={"host": "192.168.178.25", "tls": True, "ca": "ab" * 32, "port": 30166, "web": 31412}
    )

    assert code_width(token_link.link("https://192.168.178.25:8455", other)) <= 80


def test_programs_get_the_link_if_they_ask_for_it(ada, run):
    asked = json.loads(run(*ISSUE, "--page", f"{PAGE}/", "--json").stdout)
    other = json.loads(run(*ISSUE[:-1], "--json").stdout)

    assert asked["link"] == f"{PAGE}/phone/#{asked['token']}"
    assert "link" not in other


def test_the_page_is_the_one_named_else_that_of_the_environment_else_that_served_here(ada, monkeypatch):
    announce_page("https://192.168.1.5:8455")
    served = find_page(None)
    monkeypatch.setenv("STARAI_PAGE_URL", "https://environment.example")

    assert served == "https://192.168.1.5:8455"
    assert find_page(None) == "https://environment.example"
    assert find_page(PAGE) == PAGE


def test_without_a_page_it_is_said_how_to_have_one_and_no_token_is_made(ada, run):
    result = run(*ISSUE)

    assert result.exit_code == 1
    assert "`starai up` or `starai phones`" in result.output
    assert json.loads(run("tokens", "list", "--json").stdout)["tokens"] == []


def test_a_page_without_a_code_is_a_wrong_argument(ada, run):
    result = run(*ISSUE[:-1], "--page", PAGE)

    assert result.exit_code == 2
    assert "give both" in result.output


@pytest.mark.parametrize(
    "page",
    ["", "phones.example", "ftp://a", "https://", "https://a:b", "https://u:p@a", "https://a/#b", "https://a?b", "//a"],
)
def test_what_is_no_address_of_a_page_is_refused_and_not_repeated(page):
    with pytest.raises(SettingError, match=r"^--page is not where a page is: that looks like https://host:8455\.$"):
        find_page(page)


@pytest.mark.parametrize("page", ["http://192.168.1.5:8455", "http://phones.example", "http://localhost.example"])
def test_a_page_in_the_clear_is_for_this_machine_alone(page, monkeypatch):
    monkeypatch.setenv("STARAI_PAGE_URL", page)

    with pytest.raises(SettingError, match=r"STARAI_PAGE_URL .*http://.*https"):
        find_page(None)


@pytest.mark.parametrize("page", ["http://localhost:1", "http://127.0.0.2", "http://[::1]:8455", "http://a.localhost"])
def test_a_page_of_this_machine_needs_no_encryption(page):
    assert find_page(page) == page


@pytest.mark.parametrize(
    ("address", "said"),
    [
        (BrokerAddress("127.0.0.1", 1, "starai"), r"starai broker stop.*STARAI_BROKER_WEB_PORT"),
        (BrokerAddress("a.example", 1, "starai", web=2), r"a\.example in the clear.*amqps://"),
    ],
)
def test_a_broker_that_no_phone_can_reach_is_refused_with_what_to_do(address, said):
    with pytest.raises(SettingError, match=said):
        check_way_in(address)


def test_an_invitation_for_this_machine_alone_says_so(ada, run):
    result = run(*ISSUE, "--page", PAGE)

    assert "STARAI_BROKER_HOST" in result.stderr
    assert "STARAI_BROKER_HOST" not in result.stdout


def test_a_page_that_no_phone_can_open_is_told_of():
    elsewhere = BrokerAddress("a.example", 1, "starai", tls=True, web=2)

    assert "http://localhost:1 means this machine" in works_here_alone(elsewhere, "http://localhost:1")
    assert works_here_alone(elsewhere, PAGE) is works_here_alone(elsewhere, None) is None
