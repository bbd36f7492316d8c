"""`starai blacklist`, with a real broker that shuts devices out."""

import json
from datetime import UTC, datetime, timedelta

import pika
import pytest
from pika.exceptions import AMQPConnectionError

from broker_config import names
from broker_config.address import parameters
from broker_config.apply import apply
from broker_config.regions import Region
from broker_config.roles import device_role
from broker_config.tiers import Tier
from broker_config.topology import device_topology
from broker_config.users import put_user
from ops.access import open_registry
from registry.columns import now
from registry.database import session
from registry.deployments import Planned, deploy
from registry.device_state import DeviceState
from registry.devices import enrol_device, find_device
from registry.failures import count_failure
from registry.owners import add_owner
from registry.standing_rule import StandingSettings
from registry.states import set_state
from registry.tables import EventKind

ADD = ("blacklist", "add", "device-1", "--reason", "it \x1b[2Jlied")


@pytest.fixture
def network(operated):
    """A network with two devices of ada that host the same model."""
    with open_registry() as engine, session(engine) as registry:
        add_owner(registry, "ada")
        for name in ("device-1", "device-2"):
            enrol_device(registry, name, "ada", Region.ASIA)
            deploy(registry, name, [Planned("all-minilm-l6-v2", Tier.TINY)])
            set_state(registry, name, DeviceState.ACTIVE, "it joined")
            apply(operated.url(), device_topology(name))
            put_user(operated.api, name, "secret", device_role(name, ()))
        count_failure(registry, "device-1", EventKind.HOARDED, "it held tasks", now(), settings=StandingSettings())
    yield operated
    for name in {"device-1", "device-2"} & operated.api.users():
        operated.api.delete_user(name)


def log_in(node, name="device-1"):
    return pika.BlockingConnection(parameters(node.url(name, "secret")))


def printed(run, *arguments):
    result = run(*arguments, "--json")
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def test_a_device_is_shut_out_at_once_and_for_a_week_unless_more_is_said(network, run, until, is_cut):
    connection = log_in(network)

    data = printed(run, *ADD, "--yes")

    until(lambda: is_cut(connection))
    with pytest.raises(AMQPConnectionError):
        log_in(network)
    left = datetime.fromisoformat(data["until"]) - datetime.now(UTC)
    assert timedelta(days=6, hours=23) < left <= timedelta(days=7)
    assert (data["state"], data["sole_models"]) == ("blacklisted", [])


def test_taken_off_it_logs_in_with_its_old_password_and_reads_its_control_queue(network, run):
    run(*ADD, "--yes")

    assert "comes back by itself, on probation" in run("blacklist", "remove", "device-1").output

    with log_in(network) as connection:
        connection.channel().basic_get(names.device_queue("device-1"))
    assert printed(run, "blacklist", "list")["blacklist"] == []


@pytest.mark.parametrize(("how", "expected"), [(("--for", "12h"), timedelta(hours=12)), (("--forever",), None)])
def test_for_how_long_is_said(network, run, how, expected):
    run(*ADD, *how, "--yes")

    [entry] = printed(run, "blacklist")["blacklist"]
    if expected is None:
        assert entry["until"] is None
    else:
        since, until = (datetime.fromisoformat(entry[name]) for name in ("since", "until"))
        assert until - since == expected


def test_for_a_time_and_forever_at_once_is_a_wrong_argument(network, run):
    assert run(*ADD, "--for", "12h", "--forever", "--yes").exit_code == 2


@pytest.mark.parametrize("answer", ["n\n", ""])
def test_nobody_is_shut_out_that_nobody_agreed_to(network, run, answer):
    result = run(*ADD, input=answer)

    assert result.exit_code == 1
    assert "othing was done" in result.output
    log_in(network).close()


def test_the_last_device_of_a_model_is_shut_out_by_force_only(network, run):
    with open_registry() as engine, session(engine) as registry:
        set_state(registry, "device-2", DeviceState.INACTIVE, "it was silent")

    refused = run(*ADD, "--yes")
    assert refused.exit_code == 1
    assert "No other active device hosts all-minilm-l6-v2" in refused.output
    assert "--force" in refused.output
    log_in(network).close()

    forced = run(*ADD, "--yes", "--force")
    assert forced.exit_code == 0
    assert "all-minilm-l6-v2" in forced.stderr
    assert "Shut" not in printed(run, *ADD, "--yes")  # it is out already: nothing is lost any more


def test_why_has_the_entry_its_evidence_and_what_happened(network, run):
    run(*ADD, "--yes")

    found = printed(run, "blacklist", "why", "device-1")
    assert (found["device"], found["owner"], found["state"]) == ("device-1", "ada", "blacklisted")
    assert found["reason"] == ADD[4]
    [evidence] = found["evidence"]
    assert (evidence["kind"], evidence["reason"], evidence["cost"]) == ("hoarded", "it held tasks", 0.30)
    assert [event["kind"] for event in found["history"]] == ["active", "hoarded", "blacklisted"]
    shown = run("blacklist", "why", "device-1").output
    assert "it held tasks" in shown
    assert "0.30" in shown


def test_what_was_lifted_is_listed_with_all_and_why_tells_of_it(network, run):
    run(*ADD, "--yes")
    run("blacklist", "remove", "device-1", "--reason", "a mistake")

    [entry] = printed(run, "blacklist", "list", "--all")["blacklist"]
    assert entry["lifted"] == "a mistake"
    assert printed(run, "blacklist", "why", "device-1")["state"] == "inactive"


def test_no_password_and_nothing_a_terminal_would_obey_is_shown(network, run):
    kept, _ = network.api.password_hash("device-1")
    run(*ADD, "--yes")
    for arguments in (("list",), ("why", "device-1"), ("list", "--json"), ("why", "device-1", "--json")):
        shown = run("blacklist", *arguments).output
        assert kept not in shown
        assert "\x1b" not in shown


@pytest.mark.parametrize("command", [("add", "device-l", "--yes"), ("remove", "device-l"), ("why", "device-l")])
def test_a_device_that_is_not_known_is_named_with_the_nearest(network, run, command):
    result = run("blacklist", *command)

    assert result.exit_code == 1
    assert "no device 'device-l'. Did you mean: device-" in result.output


@pytest.mark.parametrize("command", ["remove", "why"])
def test_a_device_that_is_not_on_the_list_is_said_so(network, run, command):
    result = run("blacklist", command, "device-2")

    assert result.exit_code == 1
    assert "on the blacklist" in result.output


def test_a_device_that_the_broker_never_knew_has_to_join_again(network, run):
    network.api.delete_user("device-1")
    run(*ADD, "--yes")

    assert "has to join again" in run("blacklist", "remove", "device-1").output
    with open_registry() as engine, session(engine) as registry:
        assert find_device(registry, "device-1").state is DeviceState.INACTIVE
