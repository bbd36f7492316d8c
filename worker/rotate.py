"""The command `starai-worker rotate-keys`: gives this device new keys."""

import time

import click

from broker_config import names
from starai.errors import DeviceFailed
from tasks.envelope import read
from tasks.rotation import KeyRotation, RotationAnswer, write_rotation
from worker.call import call
from worker.enrolment import Enrolment, enrolment_file, load_enrolment
from worker.keys import begin_rotation, finish_rotation, keys_file, load_keys


@click.command("rotate-keys")
def rotate_keys() -> None:
    """Give this device new keys, for example because a copy of the old ones may be in other hands.

    The network knows the device by the new ones from then on, and takes the old ones no more. If it is interrupted,
    run it again: it goes on with the same new keys. A device that runs need not be stopped.
    """
    rotate(load_enrolment(enrolment_file()))
    click.echo("The keys of this device are new.")


def rotate(enrolment: Enrolment) -> None:
    """Let the platform know this device by new keys, then use them.

    Raises:
        SettingError: the keys cannot be read or written.
        BrokerError: the platform could not be asked.
        DeviceFailed: it did not take the new keys.
    """
    old, new = load_keys(keys_file()), begin_rotation(keys_file())
    rotation = KeyRotation(
        device=enrolment.device,
        old=old.public_signing,
        signing=new.public_signing,
        sealing=new.public_sealing,
        at=time.time(),
    )
    body = write_rotation(rotation, old.signing, new.signing)
    answer = read(RotationAnswer, call(enrolment.url.get_secret_value(), enrolment.ca, names.REPORTS, "rotation", body))
    if answer.refusal is not None or answer.signing != new.public_signing:
        why = answer.message or f"refused: {answer.refusal}"
        raise DeviceFailed(f"The platform did not take the new keys: {why} The old ones stay in use.")
    finish_rotation(keys_file())
