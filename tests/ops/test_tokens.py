"""`starai tokens`, with a real broker that the tokens let in."""

import json
from datetime import UTC, datetime, timedelta

import pika
import pytest
from pika.exceptions import AMQPConnectionError, ChannelClosedByBroker

from broker_config import names
from broker_config.address import parameters
from broker_config.errors import NotAtBroker
from broker_config.join_token import parse
from broker_config.regions import Region
from ops.access import open_registry
from registry.database import session
from registry.tables import Token
from registry.tokens import issue_token, spend_token

ISSUE = ("tokens", "issue", "--owner", "ada", "--region", "europe")


@pytest.fixture
def ada(operated, run):
    """A network with the owner ada."""
    run("owners", "add", "ada")
    return operated


@pytest.fixture
def issue(ada, run):
    """Return a function that issues a token and returns what is printed as JSON."""

    def issue(*arguments):
        result = run(*ISSUE, *arguments, "--json")
        assert result.exit_code == 0, result.output
        return json.loads(result.stdout)

    return issue


def listed(run, *arguments):
    return json.loads(run("tokens", "list", *arguments, "--json").stdout)["tokens"]


def knocks(token):
    """Ask to join with the token's login, as a newcomer does, and return the connection."""
    connection = pika.BlockingConnection(parameters(parse(token).bootstrap_address()))
    channel = connection.channel()
    channel.confirm_delivery()
    channel.basic_publish(names.ENROLMENT, "join", b"{}")
    return connection


def test_a_token_is_printed_with_the_commands_that_the_owner_runs(ada, run):
    result = run(*ISSUE, "--uses", "3", "--expires", "7d")

    lines = [line.strip() for line in result.stdout.splitlines()]
    join = next(line for line in lines if line.startswith("starai-worker join "))
    until = datetime.now(UTC) + timedelta(days=7)
    assert parse(join.removeprefix("starai-worker join ")).host == "127.0.0.1"
    assert "starai-worker start" in lines
    assert f"3 devices of ada in europe may join until {until:%Y-%m-%d %H:}" in result.stdout


def test_a_token_that_names_this_machine_says_so_beside_what_is_to_be_copied(ada, run):
    result = run(*ISSUE)

    assert "STARAI_BROKER_HOST" in result.stderr
    assert "STARAI_BROKER_HOST" not in result.stdout


def test_a_token_lets_a_newcomer_ask_to_join_and_do_nothing_else(issue):
    with knocks(issue()["token"]) as connection, pytest.raises(ChannelClosedByBroker):
        connection.channel().basic_consume(names.ENROLMENT, print)


def test_a_token_invites_one_device_for_a_day_unless_more_is_said(issue, run):
    token = issue()

    (known,) = listed(run)
    left = datetime.fromisoformat(known["expires_at"]) - datetime.now(UTC)
    assert timedelta(hours=23, minutes=59) < left <= timedelta(days=1)
    assert (known["id"], known["owner"], known["region"], known["state"]) == (token["id"], "ada", "europe", "open")
    assert (known["uses"], known["uses_left"], known["revoked_at"]) == (1, 1, None)


def test_two_tokens_have_nothing_secret_in_common(issue):
    one, two = (parse(issue()["token"]) for _ in range(2))

    assert one.user != two.user
    assert one.password.get_secret_value() != two.password.get_secret_value()
    assert one.secret.get_secret_value() != two.secret.get_secret_value()


def test_a_revoked_token_lets_nobody_in_and_cuts_off_who_is(issue, run, until, is_cut):
    token = issue()
    connection = knocks(token["token"])

    assert run("tokens", "revoke", token["id"], "--yes").output == f"Revoked the token {token['id']}.\n"

    until(lambda: is_cut(connection))
    with pytest.raises(AMQPConnectionError):
        knocks(token["token"])
    assert listed(run)[0]["state"] == "revoked"


def test_other_tokens_outlive_a_revoked_one(issue, run):
    kept, revoked = issue(), issue()

    run("tokens", "revoke", revoked["id"], "--yes")

    knocks(kept["token"]).close()


def test_revoking_twice_is_harmless(issue, run):
    token = issue()["id"]

    first, again = (run("tokens", "revoke", token, "--yes", "--json") for _ in range(2))

    assert json.loads(first.stdout) == json.loads(again.stdout) == {"id": token, "revoked": True}


@pytest.mark.parametrize("answer", ["n\n", ""])
def test_nothing_is_revoked_that_nobody_agreed_to(issue, run, answer):
    token = issue()

    result = run("tokens", "revoke", token["id"], input=answer)

    assert result.exit_code == 1
    assert "othing was done" in result.output
    knocks(token["token"]).close()


def test_who_agrees_needs_no_option(issue, run):
    result = run("tokens", "revoke", issue()["id"], "--json", input="y\n")

    assert json.loads(result.stdout)["revoked"] is True


def test_a_token_that_is_not_known_is_named_with_the_nearest(issue, run):
    token = issue()["id"]

    result = run("tokens", "revoke", token[:-1] + "x", "--yes")

    assert result.exit_code == 1
    assert f"Did you mean: {token}?" in result.output


@pytest.mark.parametrize("command", [ISSUE, ("tokens", "list", "--owner", "ada")])
def test_an_owner_that_is_not_known_is_named_with_the_nearest_and_how_to_add_one(operated, run, command):
    run("owners", "add", "adam")

    result = run(*command)

    assert result.exit_code == 1
    assert "no owner 'ada'. Did you mean: adam? Add one with `starai owners add ada`" in result.output
    assert listed(run) == []


def test_tokens_are_listed_by_owner_the_newest_first(issue, run):
    run("owners", "add", "bob")
    first, second = issue()["id"], issue()["id"]
    bobs = json.loads(run("tokens", "issue", "--owner", "bob", "--region", "asia", "--json").stdout)["id"]

    assert [token["id"] for token in listed(run)] == [bobs, second, first]
    assert [token["id"] for token in listed(run, "--owner", "bob")] == [bobs]


def test_a_list_says_which_tokens_are_expired_or_used_up(ada, run):
    now = datetime.now(UTC)
    with open_registry() as engine, session(engine) as registry:
        old, _ = issue_token(registry, "ada", Region.ASIA, now - timedelta(hours=1))
        used, _ = issue_token(registry, "ada", Region.ASIA, now + timedelta(hours=1))
        spend_token(registry, used, now)

    assert {token["id"]: token["state"] for token in listed(run)} == {old: "expired", used: "used-up"}


def test_no_list_shows_what_lets_a_device_in(issue, run):
    issued = issue()
    token = parse(issued["token"])
    with open_registry() as engine, session(engine) as registry:
        key = registry.get_one(Token, issued["id"]).proof_key

    shown = run("tokens", "list").output + run("tokens", "list", "--json").output

    assert issued["id"] in shown
    for secret in (token.password.get_secret_value(), token.secret.get_secret_value(), issued["token"], key.hex()):
        assert secret not in shown
    assert "proof" not in shown


def test_a_broker_that_refuses_leaves_no_token_behind(ada, run, operate_as):
    operate_as("powerless")

    result = run(*ISSUE)

    assert result.exit_code == 1
    assert "refused PUT users" in result.output
    assert "hunter2" not in result.output
    assert listed(run) == []


def test_a_broker_user_that_could_only_half_be_made_is_taken_back(ada, run, monkeypatch):
    names_of_users = []
    monkeypatch.setattr("ops.tokens.bootstrap_user", lambda token: names_of_users.append(token) or f"join-{token}")
    monkeypatch.setenv("STARAI_BROKER_URL", ada.url(vhost="no-such-vhost"))
    monkeypatch.setenv("STARAI_MANAGEMENT_URL", f"http://127.0.0.1:{ada.file.management}")

    result = run(*ISSUE)

    assert result.exit_code == 1
    assert listed(run) == []
    assert len(names_of_users) == 1
    with pytest.raises(NotAtBroker):
        ada.api.delete_user(f"join-{names_of_users[0]}")


def test_a_token_that_the_broker_would_not_forget_is_not_called_revoked(issue, run, operate_as):
    token = issue()
    operate_as("powerless")

    result = run("tokens", "revoke", token["id"], "--yes")

    assert result.exit_code == 1
    assert listed(run)[0]["state"] == "open"
