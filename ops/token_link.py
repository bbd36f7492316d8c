"""The link by which a phone joins: the page with a token behind it, as text and as a code to scan."""

import io
import ipaddress
from urllib.parse import urlsplit

import segno
from pydantic_settings import BaseSettings, SettingsConfigDict

from broker_config.join_token import JoinToken
from ops.access import BrokerAddress, only_here
from ops.phone.announced import announced_page
from starai.errors import SettingError

# White on black by numbers that no theme gives another colour, since not every phone reads a code that is inverted.
_COLOURS, _RESET = "\x1b[38;5;231;48;5;16m", "\x1b[0m"
_QUIET = 2


class _PageSettings(BaseSettings):
    model_config = SettingsConfigDict(env_prefix="STARAI_", frozen=True, extra="ignore")

    page_url: str | None = None


def find_page(named: str | None) -> str:
    """Return the address of the page that phones open, without its path: what is named comes first.

    Args:
        named: where it is; by default ``STARAI_PAGE_URL``, else the page that is served on this machine.

    Raises:
        SettingError: there is none, or no phone could use it there.
    """
    if named is not None:
        return _checked(named, "--page")
    if found := _PageSettings().page_url:
        return _checked(found, "STARAI_PAGE_URL")
    if served := announced_page():
        return _checked(served, "The page that is served on this machine")
    raise SettingError(
        "No page is served on this machine by which phones join. Serve it with `starai up` or `starai phones`, or name "
        "where it is by --page or STARAI_PAGE_URL."
    )


def check_way_in(address: BrokerAddress) -> None:
    """Make sure that phones can reach the broker.

    Raises:
        SettingError: it has no web STOMP, or none that a browser on another machine may use.
    """
    if address.web is None:
        raise SettingError(
            "Phones speak to the broker by its web STOMP, and none is known. The node of this machine has it from its "
            "next start on: `starai broker stop`, then start it again. Of a broker that STARAI_BROKER_URL names, set "
            "STARAI_BROKER_WEB_PORT to the port."
        )
    if not address.tls and not address.is_local:
        raise SettingError(
            f"A page that was opened by https may not speak to {address.host} in the clear: name the broker by "
            "amqps:// in STARAI_BROKER_URL, and its encrypted web STOMP in STARAI_BROKER_WEB_PORT."
        )


def link(page: str, token: JoinToken) -> str:
    """Return the link. The token is behind the ``#``, which no browser sends to a server."""
    return f"{page}/phone/#{token.encode()}"


def code(text: str) -> str:
    """Return a QR code of the text as lines for a terminal, readable on dark ones and on light ones."""
    return "\n".join(f"{_COLOURS}{row}{_RESET}" for row in _rows(text))


def code_width(text: str) -> int:
    """Return how many columns the code of a text takes."""
    return len(_rows(text)[0])


def _rows(text: str) -> list[str]:
    drawn = io.StringIO()
    segno.make_qr(text, error="L").terminal(drawn, border=_QUIET, compact=True)
    return drawn.getvalue().splitlines()


def works_here_alone(address: BrokerAddress, page: str | None) -> str | None:
    """Return what to tell of an invitation that works on this machine alone, or nothing of another one.

    Args:
        address: the broker's.
        page: where the link leads, where there is one.
    """
    if address.is_local:
        return only_here(address)
    if page and _is_this_machine(page):
        return f"It works on this machine alone, because {page} means this machine wherever it is read: see --page."
    return None


def _is_this_machine(page: str) -> bool:
    host = urlsplit(page).hostname or ""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _checked(page: str, source: str) -> str:
    """Return the address as links begin with it."""
    if not _is_page(page):
        raise SettingError(f"{source} is not where a page is: that looks like https://host:8455.")
    if urlsplit(page).scheme == "http" and not _is_this_machine(page):
        raise SettingError(
            f"{source} is an address with http://. Browsers let only a page have keys that came by https, or from this "
            "machine itself: serve it by https://."
        )
    return page.rstrip("/")


def _is_page(page: str) -> bool:
    try:
        parts = urlsplit(page)
        port = parts.port
    except ValueError:
        return False
    alone = not (parts.username or parts.password or parts.query or parts.fragment)
    return parts.scheme in ("http", "https") and bool(parts.hostname) and port != 0 and alone and page.isprintable()
