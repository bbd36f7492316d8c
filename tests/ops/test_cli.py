"""What the command `starai` says to those who use it wrongly, or without a network."""

import json

import pytest

BROKER = [("broker", verb) for verb in ("start", "stop", "status", "check")]
OPERATED = [
    *[("owners", verb) for verb in ("add", "list")],
    *[("submitters", verb) for verb in ("add", "list", "remove")],
    *[("tokens", verb) for verb in ("issue", "list", "revoke")],
    *[("devices", verb) for verb in ("list", "show", "transfer")],
]
GROUPS = [("owners",), ("submitters",), ("tokens",), ("devices",)]
COMMANDS = [("up",), ("submit",), ("demo",), ("broker",), *BROKER, *GROUPS, *OPERATED]


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_every_command_has_help(run, command):
    result = run(*command, "--help")

    assert result.exit_code == 0
    assert len(result.output.splitlines()) > 4


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (("upp",), "No such command 'upp'"),
        (("up", "--devises", "3"), "No such option"),
        (("up", "--devices", "0"), "0 is not in the range"),
        (("up", "--region", "atlantis"), "'atlantis' is not one of 'asia'"),
        (("submit",), "Missing argument 'MODEL'"),
        (("submit", "m", "t", "--timeout", "soon"), "'soon' is not a valid float"),
        (("submit", "m", "t", "--deadline", "0"), "0 is not in the range"),
        (("submit", "m", "t", "--region", "asien"), "'asien' is not one of"),
        (("demo", "--text", "no-such-file.txt"), "does not exist"),
        (("broker", "restart"), "No such command 'restart'"),
        (("owners", "add"), "Missing argument 'NAME'"),
        (("owners", "add", " ada"), "no blank at either end"),
        (("owners", "add", "a" * 101), "1 to 100 printable characters"),
        (("owners", "add", "a\x1b[2J"), "printable characters"),
        (("submitters", "add", "Ann"), "'Ann' cannot be a name here"),
        (("submitters", "add", "ann.b"), "use 'ann-b'"),
        (("tokens", "issue", "--region", "asia"), "Missing option '--owner'"),
        (("tokens", "issue", "--owner", "ada"), "Missing option '--region'"),
        (("tokens", "issue", "--owner", "ada", "--region", "asien"), "'asien' is not one of 'asia'"),
        (("tokens", "issue", "--owner", "ada", "--region", "asia", "--uses", "0"), "0 is not in the range"),
        (("tokens", "issue", "--owner", "ada", "--region", "asia", "--expires", "soon"), "write 30m, 12h or 7d"),
        (("devices", "show"), "Missing argument 'DEVICE'"),
        (("devices", "sow"), "No such command 'sow'"),
        (("devices", "--jason"), "No such option"),
    ],
)
def test_a_wrong_argument_exits_with_2_and_says_which(run, arguments, reason):
    result = run(*arguments)

    assert result.exit_code == 2
    assert reason in result.output


def test_submitting_without_a_network_says_how_to_start_one(run):
    result = run("submit", "all-minilm-l6-v2", "text")

    assert result.exit_code == 1
    assert "starai up" in result.output


def test_a_model_that_the_catalogue_does_not_have_is_named_with_its_nearest(run):
    result = run("up", "--model", "all-minilm")

    assert result.exit_code == 1
    assert "Did you mean: all-minilm-l6-v2" in result.output


def test_a_region_in_the_environment_that_does_not_exist_is_named(run, monkeypatch):
    monkeypatch.setenv("STARAI_REGION", "atlantis")

    result = run("submit", "all-minilm-l6-v2", "text")

    assert result.exit_code == 1
    assert "STARAI_REGION" in result.output


def test_the_status_of_a_node_that_does_not_run_exits_with_1(run):
    result = run("broker", "status", "--json")

    assert result.exit_code == 1
    assert json.loads(result.output)["running"] is False


def test_stopping_a_node_that_does_not_run_is_harmless(run):
    result = run("broker", "stop")

    assert (result.exit_code, result.output) == (0, "It was not running.\n")


def test_checking_a_node_that_was_never_started_says_how_to_start_it(run):
    result = run("broker", "check")

    assert result.exit_code == 1
    assert "starai broker start" in result.output
