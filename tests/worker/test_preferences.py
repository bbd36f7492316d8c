"""The owner's preferences: what the file may say, what is wrong with it, and when a change is in force."""

import os
import stat
from datetime import timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner

from broker_config.regions import Region
from broker_config.tiers import Tier
from models.measurement import MachineClass
from models.share import Share
from starai.errors import SettingError
from tasks.deployment import Deployment
from worker import evaluate as evaluation
from worker.cli import main
from worker.enrolment import Enrolment
from worker.hours import parse_hours
from worker.preferences import Preferences, defaults_for, load_preferences, read_preferences
from worker.preferences_file import PreferencesFile, as_text, write_preferences_once
from worker.threads import within_threads

FILE = Path("preferences.toml")


def test_a_file_may_say_all_of_it():
    text = """
        memory-share = 0.3
        threads = 2
        disk = 20
        not-on-battery = true
        only-when-idle-for = "10m"
        hours = ["22:00-07:00", "12:00-13:00"]
        cpu-limit = 25
        processor-temperature-limit = 80
        gpu-temperature-limit = 75.5
    """

    assert read_preferences(text, FILE) == Preferences(
        memory_share=0.3,
        threads=2,
        disk=20.0,
        not_on_battery=True,
        only_when_idle_for=timedelta(minutes=10),
        hours=(parse_hours("22:00-07:00"), parse_hours("12:00-13:00")),
        cpu_limit=25.0,
        processor_temperature_limit=80.0,
        gpu_temperature_limit=75.5,
    )


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("\nthreads = ", "at line 2"),
        ("\n\ncpu-limt = 3", "line 3: there is no preference 'cpu-limt'. Did you mean cpu-limit?"),
        ("Threads = 2", "Did you mean threads?"),
        ("zebra = 2", "There are: memory-share, threads"),
        ("# x\nthreads = true", "line 2, threads: Input should be a valid integer"),
        ("threads = 0", "line 1, threads"),
        ("disk = 0", "line 1, disk: Input should be greater than 0"),
        ('disk = "50 GB"', "line 1, disk: Input should be a valid number"),
        ("cpu-limit = 250", "less than or equal to 100"),
        ("cpu-limit = true", "valid number"),
        ('not-on-battery = "yes"', "valid boolean"),
        ('only-when-idle-for = "5"', "'5' is no duration: write 30m"),
        ('hours = ["25:00-03:00"]', "hours.0: '25:00-03:00' is no hours"),
        ('hours = "22:00-07:00"', "should be a list"),
        ("memory-share = nan", "finite"),
        ("[threads]\nx = 1", "line 1, threads"),
    ],
)
def test_a_mistake_is_told_with_its_line_its_key_and_what_may_have_been_meant(text, said):
    with pytest.raises(SettingError) as caught:
        read_preferences(text, FILE)

    assert said in str(caught.value)
    assert ".." not in str(caught.value)


@pytest.mark.parametrize("machine_class", list(MachineClass))
def test_the_file_that_is_written_says_what_is_usual_for_the_machine(machine_class):
    usual = defaults_for(machine_class)

    assert read_preferences(as_text(usual, machine_class), FILE) == usual
    assert (usual == Preferences()) is (machine_class is MachineClass.SERVER)


def test_every_preference_is_in_the_file_with_an_example_that_can_be_switched_on():
    text = as_text(Preferences(), MachineClass.SERVER)
    examples = [line[2:] for line in text.splitlines() if line.startswith("# ") and " = " in line]

    switched_on = read_preferences("\n".join(examples), FILE)

    assert None not in dict(switched_on).values()
    assert len(examples) == len(Preferences.model_fields)


def test_the_file_is_its_owners_alone_and_is_never_overwritten(tmp_path):
    file = tmp_path / "preferences.toml"

    assert write_preferences_once(file, MachineClass.PERSONAL, 0.25, 3)
    assert load_preferences(file) == Preferences(memory_share=0.25, threads=3, not_on_battery=True, cpu_limit=25.0)
    file.write_text("threads = 1")
    assert not write_preferences_once(file, MachineClass.SERVER, None, None)
    assert load_preferences(file) == Preferences(threads=1)


@pytest.mark.skipif(os.name != "posix", reason="modes are POSIX")
def test_nobody_else_can_read_the_file(tmp_path):
    write_preferences_once(tmp_path / "preferences.toml", MachineClass.PERSONAL, None, None)

    assert stat.S_IMODE((tmp_path / "preferences.toml").stat().st_mode) == 0o600


def test_without_a_file_nothing_pauses_a_device(tmp_path):
    assert load_preferences(tmp_path / "none.toml") == Preferences()


def test_what_is_given_on_the_command_line_goes_before_the_file(tmp_path):
    file = tmp_path / "preferences.toml"
    file.write_text("cpu-limit = 10\nnot-on-battery = true")

    found = PreferencesFile(file, {"cpu_limit": 90.0, "not_on_battery": False, "hours": None})

    assert found.current == Preferences(cpu_limit=90.0)


def test_a_change_is_read_once_it_stands_still(tmp_path):
    file = tmp_path / "preferences.toml"
    file.write_text("cpu-limit = 10")
    found = PreferencesFile(file)

    file.write_text("")  # an editor that empties the file first
    found.look()
    assert found.current.cpu_limit == 10.0
    file.write_text("cpu-limit = 30")
    found.look()
    found.look()
    assert found.current.cpu_limit == 30.0


def test_after_a_mistake_what_was_in_force_still_is_until_it_is_mended(tmp_path):
    file = tmp_path / "preferences.toml"
    file.write_text("cpu-limit = 10")
    found = PreferencesFile(file)

    def change(text):
        file.write_text(text)
        found.look()
        found.look()

    change("cpu-limt = 30")
    assert found.current.cpu_limit == 10.0
    assert "Did you mean cpu-limit?" in found.mistake
    change("cpu-limit = 30 ")
    assert (found.current.cpu_limit, found.mistake) == (30.0, None)


def test_a_file_that_is_gone_changes_nothing(tmp_path):
    file = tmp_path / "preferences.toml"
    file.write_text("cpu-limit = 10")
    found = PreferencesFile(file)

    file.unlink()
    found.look()
    found.look()

    assert found.current.cpu_limit == 10.0
    assert "cannot be read" in found.mistake


def test_fewer_threads_are_taken_from_the_models_that_have_most():
    deployments = [
        Deployment(model=name, tier=Tier.TINY, slots=1, threads=threads)
        for name, threads in (("a", 6), ("b", 2), ("c", 1))
    ]
    enrolment = Enrolment(device="d", region=Region.ASIA, url="amqp://x", deployments=deployments)

    def threads(most):
        return [d.threads for d in within_threads(enrolment, most).deployments]

    assert threads(20) == [6, 2, 1]
    assert threads(5) == [2, 2, 1]
    assert threads(1) == [1, 1, 1]


def test_an_evaluation_lends_what_the_file_says(tmp_path, monkeypatch):
    monkeypatch.setenv("STARAI_HOME", str(tmp_path))
    (tmp_path / "preferences.toml").write_text("memory-share = 0.125\nthreads = 1")
    shares = []
    monkeypatch.setattr(evaluation, "evaluate_with_progress", lambda console: None)
    monkeypatch.setattr(
        evaluation, "share_of", lambda *given: shares.append(Share(memory=given[2], threads=given[3])) or 1 / 0
    )

    CliRunner().invoke(main, ["evaluate"])

    assert shares == [Share(memory=0.125, threads=1)]


def test_a_mistake_in_the_file_keeps_a_device_from_starting(tmp_path):
    (tmp_path / "preferences.toml").write_text("cpu-limt = 3")
    enrolment = tmp_path / "enrolment.json"
    enrolment.write_text(
        '{"device":"d","region":"asia","url":"amqp://d:x@127.0.0.1:1/starai","deployments":[{"model":"m","tier":"tiny","slots":1}]}'
    )

    run = CliRunner().invoke(main, ["start", "--enrolment", str(enrolment)])

    assert run.exit_code == 1
    assert "Did you mean cpu-limit?" in run.output
