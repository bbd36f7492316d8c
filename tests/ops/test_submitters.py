"""`starai submitters`, with a real broker that the addresses let in."""

import json

import pika
import pytest
from pika.exceptions import AMQPConnectionError, ChannelClosedByBroker

from broker_config import names
from broker_config.address import parameters
from broker_config.regions import Region
from ops.access import open_registry
from registry.database import session
from registry.devices import enrol_device


@pytest.fixture
def add(operated, run):
    """Return a function that adds a submitter and returns what is printed as JSON."""

    def add(name):
        result = run("submitters", "add", name, "--json")
        assert result.exit_code == 0, result.output
        return json.loads(result.stdout)

    return add


def listed(run):
    return json.loads(run("submitters", "list", "--json").stdout)["submitters"]


def submits(url):
    """Send a task that no queue takes, and return the connection."""
    connection = pika.BlockingConnection(parameters(url))
    channel = connection.channel()
    channel.confirm_delivery()
    channel.basic_publish(names.SUBMISSIONS, "asia.no-model", b"{}")
    return connection


def test_the_address_is_printed_as_a_line_to_copy_and_lets_the_submitter_submit(operated, run):
    result = run("submitters", "add", "ann")

    (line,) = [line.strip() for line in result.stdout.splitlines() if "STARAI_BROKER_URL=" in line]
    submits(line.removeprefix("STARAI_BROKER_URL=")).close()


def test_a_submitter_may_not_do_what_only_devices_do(add):
    with submits(add("ann")["url"]) as connection, pytest.raises(ChannelClosedByBroker):
        connection.channel().queue_declare(names.task_queue(Region.ASIA, "tiny", "m"), durable=True)


def test_a_removed_submitter_is_cut_off_and_let_in_no_more(add, run, until, is_cut):
    url = add("ann")["url"]
    connection = submits(url)

    result = run("submitters", "remove", "ann", "--yes", "--json")

    assert json.loads(result.stdout) == {"name": "ann", "removed": True}
    until(lambda: is_cut(connection))
    with pytest.raises(AMQPConnectionError):
        submits(url)
    assert listed(run)[0]["revoked_at"] is not None


def test_a_removed_submitter_may_be_added_again_with_another_password(add, run):
    old = add("ann")["url"]
    run("submitters", "remove", "ann", "--yes")

    new = add("ann")["url"]

    submits(new).close()
    with pytest.raises(AMQPConnectionError):
        submits(old)
    assert [(s["name"], s["revoked_at"]) for s in listed(run)] == [("ann", None)]


def test_a_submitter_who_is_there_keeps_their_password(add, run):
    url = add("ann")["url"]

    result = run("submitters", "add", "ann")

    assert result.exit_code == 1
    assert "starai submitters remove ann" in result.output
    submits(url).close()


def test_no_list_shows_a_password(add, run):
    password = parameters(add("ann")["url"]).credentials.password

    shown = run("submitters", "list").output + run("submitters", "list", "--json").output

    assert "ann" in shown
    assert password not in shown


@pytest.mark.parametrize("name", ["platform", "join-1", "device-1", "local-submitter", "my-phone"])
def test_a_broker_user_of_the_networks_own_is_not_overwritten(operated, run, name):
    run("owners", "add", "ada")
    with open_registry() as engine, session(engine) as registry:
        enrol_device(registry, "my-phone", "ada", Region.ASIA)

    result = run("submitters", "add", name)

    assert result.exit_code == 1
    assert "choose another name" in result.output
    assert operated.api.version()
    assert listed(run) == []


def test_who_is_no_submitter_is_not_removed_from_the_broker(operated, run):
    result = run("submitters", "remove", "platform", "--yes")

    assert result.exit_code == 1
    assert "starai submitters list" in result.output
    assert operated.api.version()


def test_a_submitter_that_is_not_known_is_named_with_the_nearest(add, run):
    add("annabel")

    result = run("submitters", "remove", "anabel", "--yes")

    assert result.exit_code == 1
    assert "Did you mean: annabel?" in result.output


def test_nobody_is_removed_without_a_yes(add, run):
    url = add("ann")["url"]

    result = run("submitters", "remove", "ann", input="n\n")

    assert (result.exit_code, result.stdout) == (1, "")
    submits(url).close()


def test_without_submitters_the_list_says_how_to_add_one(run):
    assert "starai submitters add NAME" in run("submitters", "list").output


def test_a_broker_that_refuses_leaves_no_submitter_behind(run, operate_as):
    operate_as("powerless")

    result = run("submitters", "add", "ann")

    assert result.exit_code == 1
    assert "refused PUT users" in result.output
    assert listed(run) == []


def test_the_platforms_user_is_not_overwritten_whatever_its_name(run, operate_as):
    operate_as("root")

    assert "choose another name" in run("submitters", "add", "root").output


def test_a_submitter_whom_the_broker_would_not_forget_is_not_called_removed(add, run, operate_as):
    url = add("ann")["url"]
    operate_as("powerless")

    result = run("submitters", "remove", "ann", "--yes")

    assert result.exit_code == 1
    assert listed(run)[0]["revoked_at"] is None
    submits(url).close()
