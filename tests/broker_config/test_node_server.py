"""Which RabbitMQ is run."""

import pytest

from broker_config.errors import NodeError
from broker_config.node import Node
from broker_config.node_server import server_executable


def test_the_environment_names_the_server(monkeypatch, tmp_path):
    server = tmp_path / "rabbitmq-server"
    server.write_text("#!/bin/sh\n")
    server.chmod(0o755)
    monkeypatch.setenv("STARAI_RABBITMQ_SERVER", str(server))

    assert server_executable() == str(server)


def test_a_server_that_is_not_there_is_an_error_before_anything_is_written(monkeypatch, tmp_path):
    monkeypatch.setenv("STARAI_RABBITMQ_SERVER", "/no/such/rabbitmq-server")

    with pytest.raises(NodeError, match="/no/such/rabbitmq-server, which is not an executable"):
        Node(tmp_path / "node").start()
    assert not (tmp_path / "node").exists()


def test_a_server_that_ends_at_once_is_an_error_with_its_last_words(monkeypatch, tmp_path):
    server = tmp_path / "rabbitmq-server"
    server.write_text("#!/bin/sh\necho no room for a rabbit here\nexit 1\n")
    server.chmod(0o755)
    monkeypatch.setenv("STARAI_RABBITMQ_SERVER", str(server))
    node = Node(tmp_path / "node")

    with pytest.raises(NodeError, match="no room for a rabbit here"):
        node.start(lifeline=True)
    assert node.processes() == []
    assert node.status() is None
