"""The endpoint as an application, over a client library that does what a test says."""

import asyncio
import logging

import httpx
import pytest

from broker_config.logs import EventFormatter
from models.catalogue import shipped_catalogue
from ops.serve.app import application
from ops.serve.keys import issue_key
from ops.serve.network import Network
from starai.submission import DEADLINE
from tests.ops.serve.library import Library


@pytest.fixture
def key():
    return issue_key("laptop")


@pytest.fixture
def library():
    return Library()


@pytest.fixture
def app(library):
    network = Network(library, lambda: library, DEADLINE)
    return application(network, shipped_catalogue(), ("127.0.0.1",), most_requests=1, most_tokens=1024)


@pytest.fixture
def ask(app, key):
    """Return a function that sends a request and returns the answer, whole."""

    def ask(method, path, headers=None, **more):
        async def send():
            transport = httpx.ASGITransport(app)
            async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8000") as client:
                given = {"Authorization": f"Bearer {key}"} if headers is None else headers
                return await client.request(method, path, headers=given, **more)

        return asyncio.run(send())

    return ask


@pytest.fixture
def logged(caplog):
    caplog.set_level(logging.INFO, logger="ops.serve")
    return lambda: "\n".join(EventFormatter().format(record) for record in caplog.records)
