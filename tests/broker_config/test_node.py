"""A private node: real ones, started, killed and left alone."""

import contextlib
import os
import socket
import stat
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pika
import psutil
import pytest

from broker_config.address import parameters
from broker_config.errors import NodeError
from broker_config.names import VHOST
from broker_config.node import Node
from broker_config.node_files import HEARTBEAT, LONGEST_LEASE, NodeFile, Tls, environment

pytestmark = pytest.mark.process

ROOT = Path(__file__).parents[2]
STARTER = """
import sys
from pathlib import Path
from broker_config.node import Node
node = Node(Path(sys.argv[1]))
node.start(lifeline=sys.argv[2] == "lifeline")
print(node.status().pid, flush=True)
sys.stdin.read()
"""


def starter(folder: Path, lifeline: str) -> "subprocess.Popen[str]":
    command = [sys.executable, "-c", STARTER, str(folder), lifeline]
    return subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def running(folder: Path) -> list[psutil.Process]:
    """Return every process that has the node's folder as its home, found without the node's help."""
    found = []
    for process in psutil.process_iter():
        try:
            if process.environ().get("HOME") == str(folder) and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process)
        except psutil.Error:
            continue
    return found


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "node"
    yield folder
    for process in {*Node(folder).processes(), *running(folder)}:
        with contextlib.suppress(psutil.Error):
            process.kill()


def test_a_node_starts_once_answers_and_leaves_nothing_when_it_is_stopped(folder):
    node = Node(folder)
    assert node.status() is None

    started, again = node.start(lifeline=True), Node(folder).start()
    status, processes = node.status(), node.processes()

    assert (started, again) == (True, False)
    assert status == Node(folder).status()
    assert (status.pid, status.amqp, status.web) == (processes[0].pid, node.file.amqp, node.file.web)
    assert [process.name() for process in processes].count("beam.smp") == 1
    node.stop()
    assert (psutil.wait_procs(processes, timeout=0)[1], running(folder)) == ([], [])
    assert (node.status(), node.processes()) == (None, [])
    assert "Fatal" not in (folder / "log" / "console.log").read_text()
    node.stop()


def test_two_processes_that_start_at_once_get_one_node_beside_any_other(folder, node):
    starters = [starter(folder, "alone"), starter(folder, "alone")]

    pids = {one.stdout.readline() for one in starters}
    for one in starters:
        one.communicate()

    assert pids == {f"{Node(folder).status().pid}\n"}
    assert set(node.file.ports).isdisjoint(Node(folder).file.ports)
    assert node.status().pid != Node(folder).status().pid


def test_nothing_of_a_node_outlives_the_process_that_holds_its_lifeline(folder, until):
    holder = starter(folder, "lifeline")
    assert holder.stdout.readline()
    processes = [*Node(folder).processes(), *running(folder)]

    holder.kill()
    holder.communicate()

    until(lambda: not any(process.is_running() for process in processes) and not running(folder))
    assert Node(folder).status() is None


def test_after_its_guardian_was_killed_the_next_start_ends_the_orphans_and_works(own_node):
    guardian, *orphans = own_node.processes()
    ports = own_node.file.ports
    guardian.kill()
    guardian.wait(10)

    assert own_node.start(lifeline=True)

    assert not any(orphan.is_running() for orphan in orphans)
    assert own_node.status().pid != guardian.pid
    assert own_node.file.ports == ports


def test_a_node_listens_on_its_own_ports_and_no_other(node):
    found = {
        socket.laddr.port
        for process in node.processes()
        for socket in process.net_connections("tcp")
        if socket.status == psutil.CONN_LISTEN
    }

    assert found == set(node.file.ports)


def test_a_node_that_was_never_started_has_no_address(tmp_path):
    with pytest.raises(NodeError, match="starai broker start"):
        Node(tmp_path).url()


def test_an_address_carries_what_is_special_in_a_password_or_virtual_host(node):
    url = node.url("ann", "a/b@c:d", "a/b")

    assert parameters(url).credentials.password == "a/b@c:d"
    assert parameters(url).virtual_host == "a/b"


def test_the_broker_proposes_our_heartbeat(node):
    proposed = []
    wanted = parameters(node.url())
    wanted.heartbeat = lambda _, value: proposed.append(value) or value

    pika.BlockingConnection(wanted).close()

    assert proposed == [HEARTBEAT]


@pytest.mark.skipif(sys.platform != "linux", reason="finds the node's own rabbitmqctl through /proc")
def test_the_broker_waits_longer_for_an_acknowledgement_than_the_longest_lease(node):
    asked = rabbitmqctl(node, "eval", "{ok, Timeout} = application:get_env(rabbit, consumer_timeout), Timeout.")

    assert int(asked) > 1000 * LONGEST_LEASE


def rabbitmqctl(node: Node, *command: str) -> str:
    server = next(process for process in node.processes() if process.name() == "rabbitmq-server")
    root = str(Path(f"/proc/{server.pid}/root").readlink())  # a server may run in a root of its own
    run = [str(Path(server.cmdline()[-1]).with_name("rabbitmqctl")), *command]
    variables = {"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8", **environment(node.folder, node.file)}
    run = run if root == "/" else ["chroot", root, *run]
    return subprocess.check_output(run, env=variables, text=True, timeout=60)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no file modes")
def test_a_nodes_folder_and_its_secrets_are_their_owners_alone(node):
    secrets = ["node.json", "rabbitmq.conf", "advanced.config", "guardian.json", ".erlang.cookie", "log/console.log"]
    modes = {name: stat.S_IMODE((node.folder / name).stat().st_mode) for name in secrets}

    assert stat.S_IMODE(node.folder.stat().st_mode) == 0o700
    assert {mode & 0o077 for mode in modes.values()} == {0}


def test_the_password_is_in_no_argument_and_no_environment_of_a_process(node):
    password = node.file.password

    for process in node.processes():
        assert password not in " ".join([*process.cmdline(), *process.environ().values()])


@pytest.mark.parametrize("port", ["amqps", "distribution", "web"])
def test_a_port_that_is_taken_while_the_node_starts_costs_a_try_and_no_more(folder, port, until):
    with ThreadPoolExecutor() as pool, contextlib.ExitStack() as open_sockets:
        taken = pool.submit(take, folder, port, open_sockets, until)
        node = Node(folder)
        node.start(lifeline=True, tls=Tls())

        assert getattr(node.file, port) != taken.result()
        assert node.api.is_alive(VHOST)
        node.stop()


def take(folder: Path, port: str, open_sockets: contextlib.ExitStack, until) -> int:
    """Take a port as soon as the node has picked it, and return it."""
    until(lambda: NodeFile.load(folder))
    number = getattr(NodeFile.load(folder), port)
    open_sockets.enter_context(socket.create_server(("127.0.0.1", number)))
    return number
