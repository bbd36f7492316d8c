"""The files of a private node."""

import json
import re
import socket

import pytest

from broker_config.errors import NodeError
from broker_config.node_files import (
    HEARTBEAT,
    LONGEST_LEASE,
    NodeFile,
    Tls,
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


@pytest.mark.parametrize(("encrypted", "count"), [(False, 5), (True, 7)])
def test_a_nodes_ports_differ_and_are_below_those_of_outgoing_connections(tmp_path, encrypted, count):
    ports = NodeFile.ensure(tmp_path, encrypted=encrypted).ports

    assert len(ports) == len(set(ports)) == count
    assert all(20_000 <= port < 32_768 for port in ports)


def test_the_file_of_an_earlier_release_is_read_and_gets_ports_for_web_stomp_at_the_next_start(tmp_path):
    made = NodeFile.ensure(tmp_path, encrypted=True)
    earlier = {name: value for name, value in made.model_dump().items() if name not in ("web", "webs")}
    (tmp_path / "node.json").write_text(json.dumps(earlier))
    kept = NodeFile.load(tmp_path)

    after = NodeFile.ensure(tmp_path, encrypted=True)

    assert (kept.web, kept.webs) == (None, None)
    assert kept.ports == tuple(port for port in made.ports if port not in (made.web, made.webs))
    assert None not in (after.web, after.webs)
    assert after.model_copy(update={"web": None, "webs": None}) == kept


def test_a_node_that_is_not_encrypted_any_more_has_no_ports_for_it(tmp_path):
    encrypted = NodeFile.ensure(tmp_path, encrypted=True)

    plain = NodeFile.ensure(tmp_path)

    assert (plain.amqps, plain.webs) == (None, None)
    assert plain.listeners == {encrypted.amqp, encrypted.web}


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
    timeout = re.search(r"consumer_timeout, (\d+)", (tmp_path / "advanced.config").read_text())
    assert int(timeout[1]) > 1000 * LONGEST_LEASE


@pytest.mark.parametrize(("host", "address"), [(None, {"127.0.0.1"}), ("a.example", {"::", "0.0.0.0"})])
def test_web_stomp_is_open_to_other_machines_where_amqp_is(tmp_path, host, address):
    file = NodeFile.ensure(tmp_path, encrypted=True)

    write_configuration(tmp_path, file, Tls(host))

    lines = (tmp_path / "rabbitmq.conf").read_text().splitlines()
    written = dict(line.split(" = ") for line in lines)
    assert written["web_stomp.ssl.ip"] in address
    assert written["listeners.ssl.network"] == (str(file.amqps) if host else f"127.0.0.1:{file.amqps}")
    assert (written["web_stomp.tcp.ip"], written["stomp.listeners.tcp"]) == ("127.0.0.1", "none")


def test_everything_that_a_node_writes_lies_in_its_folder(tmp_path):
    file = NodeFile.ensure(tmp_path)

    paths = [value for value in environment(tmp_path, file).values() if "/" in value]
    assert all(path.startswith(str(tmp_path)) for path in paths)
    assert file.password not in str(environment(tmp_path, file))
