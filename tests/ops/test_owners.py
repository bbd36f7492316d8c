"""`starai owners`, on a registry of its own; no broker is needed."""

import json


def test_an_owner_is_added_and_listed(run):
    assert run("owners", "add", "Ada Lovelace").output == "Added the owner Ada Lovelace.\n"

    assert "Ada Lovelace" in run("owners", "list").output
    assert json.loads(run("owners", "list", "--json").stdout) == {"owners": [{"name": "Ada Lovelace", "devices": 0}]}


def test_adding_an_owner_again_changes_nothing_and_says_so(run):
    first, again = (json.loads(run("owners", "add", "ada", "--json").stdout) for _ in range(2))

    assert (first, again) == ({"name": "ada", "added": True}, {"name": "ada", "added": False})
    assert run("owners", "add", "ada").output == "ada is an owner already.\n"
    assert len(json.loads(run("owners", "list", "--json").stdout)["owners"]) == 1


def test_without_owners_the_list_says_how_to_add_one(run):
    result = run("owners", "list")

    assert result.exit_code == 0
    assert "starai owners add NAME" in result.output


def test_an_owners_name_is_no_markup(run):
    run("owners", "add", "[red]ada[/red] :smile:")

    assert "[red]ada[/red] :smile:" in run("owners", "list").output


def test_a_registry_that_cannot_be_reached_is_an_error_without_its_password(run, monkeypatch):
    monkeypatch.setenv("STARAI_DATABASE_URL", "postgresql://starai:hunter2@127.0.0.1:1/starai")

    result = run("owners", "list")

    assert result.exit_code == 1
    assert "STARAI_DATABASE_URL" in result.output
    assert "hunter2" not in result.output
