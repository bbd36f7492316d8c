"""Asks the network how this device stands with it."""

from dataclasses import dataclass

from broker_config import names
from starai.errors import BrokerError, BrokerRefused
from tasks.envelope import InvalidMessage, read
from tasks.greeting import STANDING, Standing
from worker.call import call
from worker.enrolment import Enrolment

#: Seconds for the network to answer: an owner waits.
ANSWERED_WITHIN = 5.0


@dataclass(frozen=True)
class Asked:
    """What the network said of the device; or why it said nothing, a sentence or two."""

    standing: Standing | None = None
    problem: str | None = None


def ask_standing(enrolment: Enrolment) -> Asked:
    """Ask, as the device itself, over a connection of its own, so that the device need not run."""
    try:
        url = enrolment.url.get_secret_value()
        return Asked(read(Standing, call(url, enrolment.ca, names.REPORTS, STANDING, b"{}", ANSWERED_WITHIN)))
    except BrokerRefused as error:
        return Asked(
            problem=f"{error} The device may be blacklisted, or have joined anew from elsewhere. Ask whoever invited "
            f"it; its name is {enrolment.device}."
        )
    except BrokerError as error:
        return Asked(problem=f"The network does not say how this device stands: {error}")
    except InvalidMessage:
        return Asked(problem="The network cannot say at the moment how this device stands. Try again later.")
