"""The command `starai-worker join`: makes this machine a device of a network."""

import platform

import click
from rich.console import Console

from broker_config.join_token import JoinToken, parse
from models.claim import Claim
from models.measurement import Gpu, MachineClass, plain
from tasks.deployment import Deployment
from worker.enrolment import Enrolment, enrolment_file, save_enrolment
from worker.join import join as ask_to_join
from worker.keys import keys_file, load_or_make_keys
from worker.lending import class_option, evaluate_with_progress, memory_share_option, share_of
from worker.measure import measurement_of
from worker.options import disk_option
from worker.preferences import load_preferences, preferences_beside
from worker.preferences_file import write_preferences_once


@click.command()
@click.argument("token", required=False)
@click.option("--name", help="What to call this device.  [default: this machine's name]")
@class_option
@memory_share_option
@click.option(
    "--threads",
    type=click.IntRange(1, 8192),
    help="Threads that all models may use together.  [default: as preferences.toml says, else the cores, less one]",
)
@disk_option
def join(
    token: str | None,
    name: str | None,
    claimed: str,
    memory_share: float | None,
    threads: int | None,
    disk: float | None,
) -> None:
    """Join the network that TOKEN is from, an owner's invitation. Without TOKEN, or with -, it is asked for.

    What you type as an argument can be read by other users of this machine while the command runs; a token that is
    asked for cannot. Measures this machine (about 6 seconds), fetches the models that suit it, and tries them.
    Joining again is harmless: this machine stays the same device. Then run `starai-worker start`. When the device
    pauses by itself is in preferences.toml beside the enrolment, which is written the first time, and never again.

    Exits with 1, and says why, when the network does not take this device.
    """
    console = Console(stderr=True, markup=False, highlight=False)
    file = preferences_beside(enrolment_file())
    prefers = load_preferences(file)
    if token in (None, "-"):
        token = click.prompt("Token", hide_input=True, err=True)
    enrolment, gpus = _join(
        console,
        parse(token or ""),
        name,
        MachineClass(claimed),
        memory_share or prefers.memory_share,
        threads or prefers.threads,
        disk or prefers.disk,
    )
    models = ", ".join(_hosted(deployment, gpus) for deployment in enrolment.deployments)
    console.print(f"This is device {enrolment.device} in {enrolment.region} now. It hosts {models}.")
    if write_preferences_once(file, MachineClass(claimed), memory_share, threads, disk):
        console.print(f"When it pauses by itself is in {file}. Change it as you like.")
    console.print("Start it: starai-worker start")


def _join(
    console: Console,
    token: JoinToken,
    name: str | None,
    machine_class: MachineClass,
    memory_share: float | None,
    threads: int | None,
    disk: float | None,
) -> tuple[Enrolment, tuple[Gpu, ...]]:
    """Return the enrolment, and the GPUs that it counts."""
    keys = load_or_make_keys(keys_file())
    claim = _claim(console, machine_class, memory_share, threads)
    with console.status("") as status:
        known_as = plain(name or platform.node()) or "a device"
        enrolment = ask_to_join(token, keys, known_as, claim, status.update, disk, console.print)
    save_enrolment(enrolment, enrolment_file())
    return enrolment, claim.measured.gpus


def _claim(console: Console, machine_class: MachineClass, memory_share: float | None, threads: int | None) -> Claim:
    evaluation = evaluate_with_progress(console)
    if evaluation.language.missing:
        console.print(f"This device is given no language models. {evaluation.language.missing}, then join again.")
    share = share_of(evaluation, machine_class, memory_share, threads)
    return Claim(measured=measurement_of(evaluation, machine_class), share=share)


def _hosted(deployment: Deployment, gpus: tuple[Gpu, ...]) -> str:
    slots = "1 slot" if deployment.slots == 1 else f"{deployment.slots} slots"
    where = "" if deployment.gpu is None else f" on {gpus[deployment.gpu].name}"
    return f"{deployment.model} ({slots}{where})"
