"""`starai-worker models`: what is here, fetched, removed, verified."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from broker_config.regions import Region
from broker_config.tiers import Tier
from models.catalogue import own_models_file
from models.store import ModelStore
from starai.errors import StarAIError
from tasks.deployment import Deployment
from tests.models.sources.conftest import FILES, WEIGHTS, an_entry, write
from tests.models.sources.conftest import folder as folder  # noqa: PLC0414 - a fixture
from tests.models.sources.conftest import quickly as quickly  # noqa: PLC0414 - a fixture
from tests.models.sources.conftest import web as web  # noqa: PLC0414 - a fixture
from tests.models.sources.web import Fault
from tests.worker.commands import command
from worker.enrolment import Enrolment, enrolment_file, save_enrolment

SIZE = sum(map(len, FILES.values()))


@pytest.fixture(autouse=True)
def own(web, monkeypatch):
    """A model of the owner's own, behind a web server."""
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    entry = an_entry({"type": "http", "url": web.url}, FILES)
    files = "\n".join(f'[[model.files]]\npath="{f.path}"\nsize={f.size}\nsha256="{f.sha256}"' for f in entry.files)
    own_models_file().parent.mkdir(parents=True, exist_ok=True)
    own_models_file().write_text(
        f'[[model]]\nname = "mine"\nkind = "generate"\nparameters = 1\nweight_bytes = 1\nlicence = "MIT"\n'
        f'source = {{ type = "http", url = "{web.url}" }}\n{files}\n'
    )


def facts(name):
    listed = json.loads(command("models", "list", "--json").output)
    return next(one for one in listed["models"] if one["name"] == name)


def run_in(arguments, environment):
    run = subprocess.run(arguments, check=False, capture_output=True, text=True, timeout=100, env=environment)
    return run.stdout


def join(*models):
    deployments = [Deployment(model=model, tier=Tier.TINY) for model in models]
    save_enrolment(
        Enrolment(device="d", region=Region.ASIA, url="amqp://d:x@127.0.0.1:1/starai", deployments=deployments),
        enrolment_file(),
    )


def test_a_list_has_every_model_and_says_what_models_take_of_the_disk():
    run = command("models", "list")
    assert run.exit_code == 0
    assert all(name in run.output for name in ("all-minilm-l6-v2", "phi3-3.8b", "mine", "2.72 GB", "Hugging Face hub"))
    assert "half of what is free" in run.output


def test_a_model_that_was_pulled_is_here_verified_and_used():
    run = command("models", "pull", "mine")

    assert (run.exit_code, run.stdout) == (0, "mine is here: 3 files, 1.0 MB, each verified.\n")
    found = facts("mine")
    assert (found["here"], found["size_bytes"], found["planned"], found["in_use"]) == (True, SIZE, None, False)
    assert found["verified"]
    assert found["last_used"]


def test_without_a_terminal_progress_is_a_line(web):
    web.faults["model.onnx.data"] = [Fault(cut=len(WEIGHTS) // 2), *[Fault(status=503)] * 9]
    assert command("models", "pull", "mine").exit_code == 1
    web.faults.clear()

    run = command("models", "pull", "mine")

    assert run.stderr == "mine: 1.0 MB to fetch, 0.5 MB of that are here\n"


def test_on_a_terminal_progress_is_a_bar_with_size_and_speed():
    script = Path(sys.executable).with_name("starai-worker")
    code = f"import pty; pty.spawn(['{script}', 'models', 'pull', 'mine'])"
    environment = {**os.environ, "TERM": "xterm", "COLUMNS": "120"}
    shown = run_in([sys.executable, "-c", code], environment)
    assert re.search(r"mine.*━.*1\.0/1\.0 MB.*/s", shown), shown


def test_what_is_here_is_marked_when_the_device_is_to_host_it():
    join("mine")
    assert facts("mine")["planned"] is True
    assert facts("phi3-3.8b")["planned"] is False


def test_what_came_of_a_model_is_in_the_list(web):
    web.faults["model.onnx.data"] = [Fault(cut=len(WEIGHTS) // 2), *[Fault(status=503)] * 9]
    command("models", "pull", "mine")
    assert facts("mine")["partial_bytes"] == SIZE - len(WEIGHTS) // 2
    assert re.search(r"mine .* 0\.5 MB of it", command("models", "list").output)


def test_a_failure_is_one_line_and_exit_code_1(web):
    web.faults["model.onnx"] = [Fault(status=403)]
    run = command("models", "pull", "mine")
    assert run.exit_code == 1
    assert "Error: The model mine could not be fetched: 127.0.0.1" in run.output


@pytest.mark.parametrize("verb", ["pull", "remove", "verify"])
@pytest.mark.parametrize(("typed", "meant"), [("phi3-3.8", "phi3-3.8b"), ("lama3-8b", "llama3-8b"), ("mni", "mine")])
def test_a_mistyped_name_is_a_wrong_argument_that_says_what_was_meant(verb, typed, meant):
    run = command("models", verb, typed)
    assert run.exit_code == 2
    assert re.search(rf"no model '{typed}'\. Did you mean:[^?]*{meant}", run.output)


@pytest.mark.parametrize(
    "arguments", [["pull"], ["pull", "mine", "phi3-3.8b", "--from", "."], ["pull", "mine", "--disk", "0"]]
)
def test_wrong_arguments_are_exit_code_2(arguments):
    assert command("models", *arguments).exit_code == 2


def test_names_are_completed_by_the_shell():
    environment = {**os.environ, "_STARAI_WORKER_COMPLETE": "bash_complete", "COMP_CWORD": "3"}
    environment["COMP_WORDS"] = "starai-worker models pull m"
    script = Path(sys.executable).with_name("starai-worker")
    assert run_in([script], environment).splitlines() == ["plain,mine"]


def test_a_model_that_was_built_is_pulled_from_its_folder(folder):
    run = command("models", "pull", "llama3-70b", "--from", folder)
    assert run.exit_code == 0
    assert facts("llama3-70b")["size_bytes"] == SIZE


def test_a_model_that_nobody_publishes_says_how_it_is_built():
    run = command("models", "pull", "llama3-70b")
    assert run.exit_code == 1
    assert "onnxruntime_genai.models.builder" in run.output


def test_sound_files_are_verified():
    command("models", "pull", "mine")
    run = command("models", "verify", "mine")
    assert (run.exit_code, run.output) == (0, "mine is sound: 3 files.\n")


def test_files_that_are_not_sound_are_all_told_with_the_fix():
    command("models", "pull", "mine")
    (ModelStore().folder / "mine" / "model.onnx").write_bytes(b"GRAPH")
    (ModelStore().folder / "mine" / "genai_config.json").unlink()

    run = command("models", "verify", "mine")

    assert run.exit_code == 1
    assert "model.onnx has the SHA-256" in run.output
    assert "genai_config.json is missing" in run.output
    assert "models remove --yes mine && starai-worker models pull mine" in run.output
    assert facts("mine")["verified"] is None


def test_json_of_a_verification_is_one_object():
    command("models", "pull", "mine")
    (ModelStore().folder / "mine" / "model.onnx").unlink()
    run = command("models", "verify", "mine", "--json")
    assert run.exit_code == 1
    assert json.loads(run.stdout)["models"][0]["sound"] is False


def test_a_model_is_removed_after_a_yes():
    command("models", "pull", "mine")
    assert command("models", "remove", "mine").exit_code == 1  # nobody answered
    assert ModelStore().names() == ["mine"]
    assert command("models", "remove", "mine", "--yes").output == "mine is removed.\n"
    assert ModelStore().names() == []


def test_to_remove_what_is_not_here_is_no_failure():
    run = command("models", "remove", "--yes", "mine")
    assert (run.exit_code, run.output) == (0, "mine was not here.\n")


def test_a_model_that_left_the_catalogue_can_be_removed():
    write(ModelStore().folder / "gone", {"model.onnx": b"x"})
    assert facts("gone")["source"] is None
    assert command("models", "remove", "gone", "--yes").exit_code == 0
    assert ModelStore().names() == []


def test_a_model_in_use_is_not_removed_and_the_error_says_what_to_do():
    command("models", "pull", "mine")
    entry = an_entry({"type": "http", "url": "http://x"}).model_copy(update={"name": "mine"})
    with ModelStore().using(entry):
        run = command("models", "remove", "--yes", "mine")
        assert facts("mine")["in_use"] is True
    assert run.exit_code == 1
    assert "starai-worker exit" in run.output
    assert ModelStore().names() == ["mine"]


def room_for_one(where):
    write(ModelStore().folder / "old", {"model.onnx": b"x" * SIZE})
    if where == "file":
        (enrolment_file().with_name("preferences.toml")).write_text(f"disk = {1.5 * SIZE / 1e9}")
        return []
    return ["--disk", 1.5 * SIZE / 1e9]


@pytest.mark.parametrize("where", ["file", "flag"])
def test_where_the_owner_lends_less_what_was_not_used_for_longest_goes(where):
    run = command("models", "pull", "mine", *room_for_one(where))
    assert run.exit_code == 0
    assert "Removed to make room: old." in run.output
    assert ModelStore().names() == ["mine"]


def test_what_the_device_hosts_stays_and_the_error_has_the_figures():
    join("old")
    run = command("models", "pull", "mine", *room_for_one("flag"))
    assert run.exit_code == 1
    assert "it takes 1.0 MB, and of the 1.5 MB that models may take, 1.0 MB are taken" in run.output
    assert ModelStore().names() == ["old"]


def test_a_mistake_in_the_owners_models_is_an_error_and_no_traceback():
    own_models_file().write_text("[model")
    run = command("models", "list")
    assert run.exit_code == 1
    assert isinstance(run.exception, SystemExit | StarAIError)
    assert "models.toml cannot be read" in run.output
