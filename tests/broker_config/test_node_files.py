"""The files of a private node."""

import socket

import pytest

from broker_config.errors import NodeError
from broker_config.node_files import (
    HEARTBEAT,
    LONGEST_LEASE,
    NodeFile,
    environment,
    node_name,
    write_configuration,
)


def test_a_node_keeps_its_ports_and_password(tmp_path):
    assert NodeFile.ensure(tmp_path) == NodeFile.ensure(tmp_path)


def test_ports_that_another_program_took_meanwhile_are_picked_anew(tmp_path):
    before = NodeFile.ensure(tmp_path)
    with socket.create_server(("127.0.0.1", before.amqp)):
        after = NodeFile.ensure(tmp_path)

    assert after.amqp != before.amqp
    assert after.password == before.password
    assert NodeFile.load(tmp_path) == after


def test_a_node_has_four_different_ports_below_those_of_outgoing_connections(tmp_path):
    ports = NodeFile.ensure(tmp_path).ports

    assert len(set(ports)) == 4
    assert all(20_000 <= port < 32_768 for port in ports)


def test_a_folder_without_a_node_has_no_file(tmp_path):
    assert NodeFile.load(tmp_path) is None


@pytest.mark.parametrize("content", ["", "{}", "[]", '{"amqp": "x"}'])
def test_a_file_that_cannot_be_read_says_which_folder_to_remove(tmp_path, content):
    (tmp_path / "node.json").write_text(content)

    with pytest.raises(NodeError, match=f"Remove the folder {tmp_path}"):
        NodeFile.load(tmp_path)


def test_every_folder_has_a_node_of_another_name(tmp_path):
    assert node_name(tmp_path / "a") != node_name(tmp_path / "b")
    assert node_name(tmp_path / "a") == node_name(tmp_path / "a")


def test_the_configuration_proposes_our_heartbeat_and_waits_longer_than_the_longest_lease(tmp_path):
    write_configuration(tmp_path, NodeFile.ensure(tmp_path))

    assert f"heartbeat = {HEARTBEAT}\n" in (tmp_path / "rabbitmq.conf").read_text()
    timeout = int("".join(filter(str.isdigit, (tmp_path / "advanced.config").read_text())))
    assert timeout > 1000 * LONGEST_LEASE


def test_everything_that_a_node_writes_lies_in_its_folder(tmp_path):
    file = NodeFile.ensure(tmp_path)

    paths = [value for value in environment(tmp_path, file).values() if "/" in value]
    assert all(path.startswith(str(tmp_path)) for path in paths)
    assert file.password not in str(environment(tmp_path, file))
