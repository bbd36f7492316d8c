"""Joining a network: a device asks by an owner's token, and keeps what it is given."""

import hashlib
import time
import uuid

from pydantic import SecretStr

from broker_config import names
from broker_config.join_token import JoinToken
from broker_config.proof import proof_key
from broker_config.tls import fetch_ca
from models.claim import Claim
from tasks.joining import Accepted, JoinRefused, JoinRequest, read_join_answer, write_join_request
from worker.call import call
from worker.enrolment import Enrolment
from worker.keys import DeviceKeys
from worker.trials import OnStep, Trials


def join(
    token: JoinToken,
    keys: DeviceKeys,
    name: str,
    claim: Claim,
    on_step: OnStep,
    disk: float | None = None,
    on_left_out: OnStep = lambda _: None,
) -> Enrolment:
    """Ask to join, try the models that this device is to host, tell how fast they ran, and return the enrolment.

    A model that cannot be fetched or does not run here is left out, and another may be given in its place. Asking
    twice is harmless: a device is known by its keys, and only its first time uses the token. Models may take ``disk``
    GB of the disk together; without that, half of what is free.

    Args:
        token: the invitation.
        keys: the device's own.
        name: what the device is called.
        claim: what was measured, and what is lent.
        on_step: told what happens now.
        disk: see above.
        on_left_out: told of each model that is left out, and why.

    Raises:
        JoinRefused: the platform does not let this device join; ``reason`` says why.
        BrokerUnreachable, BrokerRefused, BrokerUntrusted: the broker could not be reached, or is not to be.
        InvalidMessage: what answered is not the platform.
        ModelError: every model that it was given was left out; this is why the first one was.
    """
    ca = fetch_ca(token.host, token.port, token.ca) if token.ca else None
    on_step("asking to join")
    accepted = _ask(token, ca, keys, name, claim)
    trials = Trials(disk, on_step, on_left_out)
    while untried := [deployment for deployment in accepted.deployments if not trials.know(deployment)]:
        trials.run(untried, accepted.deployments)
        claim = claim.model_copy(update={"calibrations": trials.calibrations, "unable": frozenset(trials.unable)})
        on_step("telling what was measured")
        try:
            accepted = _ask(token, ca, keys, name, claim)
        except JoinRefused as refused:
            raise trials.reason_of(refused) from refused
    credentials = accepted.credentials
    return Enrolment(
        device=accepted.device,
        region=accepted.region,
        url=SecretStr(token.address(credentials.user, credentials.password.get_secret_value())),
        deployments=list(accepted.deployments),
        ca=ca,
    )


def hardware_id(claim: Claim) -> str:
    """Return what tells this machine from others, whatever keys it has: a hash over its hardware and network card.

    It is a claim like all the rest, and it does not say what the hardware is.
    """
    measured = claim.measured
    facts = (measured.cpu_model, measured.memory_bytes, *(gpu.name for gpu in measured.gpus), uuid.getnode())
    return hashlib.sha256(repr(facts).encode()).hexdigest()


def _ask(token: JoinToken, ca: str | None, keys: DeviceKeys, name: str, claim: Claim) -> Accepted:
    key = proof_key(token.id, token.secret.get_secret_value())
    request = JoinRequest(
        token=token.id,
        signing=keys.public_signing,
        sealing=keys.public_sealing,
        name=name,
        hardware_id=hardware_id(claim),
        measurement=claim.model_dump(mode="json"),
        at=time.time(),
    )
    body = write_join_request(request, keys.signing, key)
    return read_join_answer(call(token.bootstrap_address(), ca, names.ENROLMENT, "join", body), keys.sealing, body, key)
