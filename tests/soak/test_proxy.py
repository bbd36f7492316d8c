import socket
from collections.abc import Iterator
from contextlib import closing

import pytest

from soak.proxy import Proxy


@pytest.fixture
def there() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        listening.settimeout(5)
        yield listening


@pytest.fixture
def proxy(there) -> Iterator[Proxy]:
    proxy = Proxy(there.getsockname()[1])
    proxy.start()
    yield proxy
    proxy.stop()


@pytest.fixture
def ends(proxy, there) -> Iterator[tuple[socket.socket, socket.socket]]:
    with socket.create_connection(("127.0.0.1", proxy.port), 5) as near:
        far, _ = there.accept()
        far.settimeout(5)
        with closing(far):
            yield near, far


def test_what_is_sent_arrives_either_way(ends):
    near, far = ends

    near.sendall(b"there")
    far.sendall(b"back")

    assert (far.recv(10), near.recv(10)) == (b"there", b"back")


def test_a_cut_way_is_silent_and_loses_nothing(proxy, ends):
    near, far = ends
    proxy.cut()
    near.sendall(b"late")
    far.settimeout(0.3)
    with pytest.raises(TimeoutError):
        far.recv(10)

    proxy.heal()

    far.settimeout(5)
    assert far.recv(10) == b"late"


def test_one_end_hears_that_the_other_closed(ends):
    near, far = ends

    far.close()

    assert near.recv(10) == b""
