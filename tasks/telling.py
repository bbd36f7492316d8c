"""Tells submitters what the platform did with their tasks; the broker copies that to the ledger."""

import logging
import time
from collections.abc import Iterable

from broker_config.link import Link
from broker_config.publication import Publication
from starai.errors import BrokerError, PublishRejected
from starai.report import report_publication
from starai.wire import Report

log = logging.getLogger(__name__)

#: Seconds for the broker to take what is said at once.
CONFIRMED_WITHIN = 10.0


class Telling:
    """Publishes what the platform says, and waits until the broker has it.

    Args:
        link: an open link.
        user: the platform's broker user.
        within: seconds for the broker to confirm all that is said at once.
    """

    def __init__(self, link: Link, user: str, within: float = CONFIRMED_WITHIN) -> None:
        self.user = user
        self._link = link
        self._within = within

    def tell(self, reports: Iterable[tuple[Report, str]]) -> list[bool]:
        """Say something of tasks to the submitters behind these reply addresses; return which the broker took.

        A submitter that let its own reply queue fill up counts as told: it is told nothing more.

        Raises:
            BrokerUnreachable, BrokerRefused: there will be no connection any more.
        """
        said = [report_publication(report, reply_to, self.user) for report, reply_to in reports]
        return [error is None or isinstance(error, PublishRejected) for error in self.publish(said)]

    def publish(self, publications: list[Publication]) -> list[Exception | None]:
        """Publish messages and return, for each, why the broker did not take it, or nothing.

        Raises:
            BrokerUnreachable, BrokerRefused: there will be no connection any more.
        """
        self._link.publish_all(publications)
        until = time.monotonic() + self._within
        return [_outcome(publication, until - time.monotonic()) for publication in publications]


def _outcome(publication: Publication, seconds: float) -> Exception | None:
    try:
        publication.confirmed.result(max(seconds, 0))
    except TimeoutError as error:
        publication.confirmed.cancel()
        log.warning("telling.unconfirmed", extra={"key": publication.key})
        return error
    except BrokerError as error:
        log.warning("telling.refused", extra={"key": publication.key, "reason": str(error)})
        return error
    return None
