"""The platform's handling of one request to join: who may, as which device, hosting what.

It works on an open transaction of the registry; receiving the request and sending the answer is the caller's, who
sends it only after the transaction was committed.

**Nobody starts clean by a new key.** Hardware from which a device is shut out is refused, whatever key and owner it
comes with; a new device on hardware that is known begins with what trust is left to the least trusted device there; and
one of an owner who has a device on the blacklist begins on probation. A device that is known by its key keeps its
standing. That hardware is the same is a claim: it is by a hash that the device makes of itself, and a program that was
changed can send another one. So this stops who reinstalls, not who lies; a liar needs another owner's token as well, or
is on probation, and is measured and checked like everybody. A page in a browser makes no hash: two devices without one
are never taken for the same hardware, and only the owner's record follows whose key is new.
"""

import json
import logging
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any

from pydantic import SecretStr
from sqlalchemy.exc import DataError
from sqlmodel import Session

from registry.blacklist import entry_for_hardware, open_entry
from registry.deployments import Planned, deploy, rates_of
from registry.device_keys import KeyRetired, add_key, device_by_key
from registry.device_state import DeviceState
from registry.devices import enrol_device, new_device_id
from registry.events import record_event
from registry.inheritance import begin_standing, is_free
from registry.measurements import record_measurement
from registry.nonces import is_new
from registry.speed import AVERAGE, relative_speed
from registry.standing_rule import StandingSettings
from registry.states import set_state
from registry.tables import Device, EventKind, Measurement, Owner, Token
from registry.tokens import TokenRefused, check_token, spend_token
from starai.errors import StarAIError
from tasks.deployment import Deployment
from tasks.envelope import InvalidMessage
from tasks.joining import (
    LIFETIME,
    REQUEST,
    Accepted,
    Credentials,
    JoinRefused,
    JoinRequest,
    ReceivedRequest,
    Refusal,
    read_join_request,
    write_acceptance,
    write_refusal,
)

log = logging.getLogger(__name__)

#: Makes of a device's id and its claimed measurement the row that the registry keeps, and the models to host.
#: It raises InvalidMessage where the measurement is none.
Plan = Callable[[str, dict[str, Any]], tuple[Measurement, Sequence[Planned]]]
#: Makes sure that a device's broker user may read the queues of its models, with a new password, which it returns.
MakeUser = Callable[[Device, Sequence[Planned]], SecretStr]


def handle_join(session: Session, body: bytes, now: datetime, plan: Plan, make_user: MakeUser) -> bytes:
    """Return the answer to a request to join, a stranger's; whatever is wrong with it, the answer says so.

    A request by a key that is known is the same device's: it spends no use of the token, so that a device whose
    answer was lost may ask again. What a refused request changed is undone, but its nonce stays seen.

    Args:
        session: the registry's transaction; it is held while the broker user is made.
        body: the request as it came.
        now: the platform's time.
        plan: decides what the device hosts.
        make_user: makes the device's broker user.

    An error of the database is raised, and so is one of a callable that is none of ours; the transaction is then to
    be undone.
    """
    try:
        received = read_join_request(body, now.timestamp())
        token = _invited(session, received, now)
        try:
            with session.begin_nested():
                accepted = _join(session, received.request, token, now, plan, make_user)
                answer = write_acceptance(accepted, received.request.sealing, body, token.proof_key)
        except JoinRefused as refusal:
            _note_refusal(session, received.request, refusal)
            raise
    except StarAIError as error:
        refused = _refused(error)
        log.warning("join.refused", extra={"reason": str(refused.reason), "cause": str(error)})
        return write_refusal(refused)
    log.info("join.accepted", extra={"device": accepted.device, "token": token.id, "region": str(accepted.region)})
    return answer


def _invited(session: Session, received: ReceivedRequest, now: datetime) -> Token:
    """Return the token by which the request is proven, if the request was never seen before."""
    request = received.request
    token = check_token(session, request.token, REQUEST, received.content, received.proof, now)
    # A time may be as far ahead as behind. Only who holds a token can fill the table.
    if not is_new(session, request.nonce, now, kept=timedelta(seconds=2 * LIFETIME)):
        raise JoinRefused(Refusal.REPLAYED, "This request was sent before: make a new one.")
    return token


def _join(
    session: Session, request: JoinRequest, token: Token, now: datetime, plan: Plan, make_user: MakeUser
) -> Accepted:
    device = _device(session, request, token, now)
    planned = _host(session, device, request, now, plan)
    # Last: the broker undoes nothing when the registry does.
    password = make_user(device, planned)
    return Accepted(
        device=device.id,
        region=device.region,
        credentials=Credentials(user=device.id, password=password),
        deployments=tuple(_deployment(session, model) for model in planned),
    )


def _device(session: Session, request: JoinRequest, token: Token, now: datetime) -> Device:
    """Return the device that has the request's signing key: the one that always had it, or a new one."""
    known = device_by_key(session, request.signing)
    _refuse_shut_out(session, request, known)
    if known is None:
        spend_token(session, token.id, now)
    else:
        _refuse_barred(known, token)
    owner = session.get_one(Owner, token.owner_id).name
    device = enrol_device(session, known.id if known else new_device_id(), owner, token.region)
    device.name, device.hardware_id = request.name, request.hardware_id
    add_key(session, device.id, request.signing, request.sealing, now)
    if not known:
        begin_standing(session, device, now, StandingSettings())
    kind = EventKind.REJOINED if known else EventKind.JOINED
    record_event(session, device.id, kind, f"by token {token.id}", now)
    _let_in(session, device, kind, now)
    return device


def _let_in(session: Session, device: Device, kind: EventKind, now: datetime) -> None:
    """Let a new device serve, and one that its owner had taken offline; who is inactive for a reason stays so."""
    if device.state is DeviceState.OFFLINE:
        set_state(session, device.id, DeviceState.INACTIVE, "it joined again", now)
    elif kind is not EventKind.JOINED:
        return
    if not is_free(session, device.id, now):
        return
    set_state(session, device.id, DeviceState.ACTIVE, "it joined", now)


def _refuse_barred(known: Device, token: Token) -> None:
    if known.owner_id != token.owner_id:
        raise JoinRefused(
            Refusal.OTHER_OWNER, "This device is another owner's than the token: have it transferred first."
        )


def _refuse_shut_out(session: Session, request: JoinRequest, known: Device | None) -> None:
    is_listed = known is not None and known.state is DeviceState.BLACKLISTED
    own = open_entry(session, known.id) if known and is_listed else None
    entry = own or entry_for_hardware(session, request.hardware_id)
    if entry is None and not is_listed:
        return
    what = "device" if is_listed else "hardware"
    if entry is None or entry.until is None:
        message = f"This {what} is blacklisted: ask the network's operator for the way back."
    else:
        way_back = "It comes back by itself then" if is_listed else "Join again then"
        until = f"{entry.until:%Y-%m-%d %H:%M} UTC"
        message = f"This {what} is blacklisted until {until}. {way_back}, or ask the network's operator."
    raise JoinRefused(Refusal.BLACKLISTED, message)


def _host(session: Session, device: Device, request: JoinRequest, now: datetime, plan: Plan) -> Sequence[Planned]:
    measured, planned = plan(device.id, request.measurement)
    if not planned:
        raise JoinRefused(Refusal.NOTHING_FITS, "No model of this network fits what the device measured.")
    measured.device_id, measured.at, measured.details = device.id, now, json.dumps(request.measurement)
    try:
        with session.begin_nested():
            record_measurement(session, measured)
    except (DataError, OverflowError) as error:
        raise InvalidMessage("The measurement has a figure that cannot be kept.") from error
    deploy(session, device.id, planned)
    return planned


def _note_refusal(session: Session, request: JoinRequest, refusal: JoinRefused) -> None:
    """Let a device that was given models, and found that it can run none of them, host none."""
    device = device_by_key(session, request.signing) if refusal.reason is Refusal.NOTHING_FITS else None
    if device:
        deploy(session, device.id, ())


def _deployment(session: Session, planned: Planned) -> Deployment:
    rate = planned.tasks_per_second
    speed = AVERAGE if rate is None else relative_speed(rate, rates_of(session, planned.model))
    return Deployment(
        model=planned.model,
        tier=planned.tier,
        slots=planned.slots,
        speed=speed,
        threads=planned.threads,
        gpu=planned.gpu,
        memory_bytes=planned.memory_bytes,
    )


def _refused(error: StarAIError) -> JoinRefused:
    """Return how an error is told to the device: nothing of the platform's own troubles."""
    match error:
        case JoinRefused():
            return error
        case TokenRefused():
            return JoinRefused(Refusal(error.reason.value), str(error))
        case InvalidMessage():
            return JoinRefused(Refusal.MALFORMED, str(error))
        case KeyRetired():
            return JoinRefused(Refusal.RETIRED_KEY, str(error))
        case _:
            return JoinRefused(Refusal.UNAVAILABLE, "The platform cannot let devices join just now: try again later.")
