"""Puts devices on the blacklist and takes them off it: at the registry and at the broker."""

import logging
from datetime import datetime

from sqlalchemy import Engine

from broker_config import names
from broker_config.enforce import expel
from broker_config.errors import NotAtBroker
from broker_config.management import Management
from broker_config.roles import device_role
from broker_config.users import give_role
from registry.blacklist import Login, enter, keep_login, lift, open_devices, open_entry, overdue
from registry.database import reading, session
from registry.standing_rule import StandingSettings
from starai.errors import StarAIError

log = logging.getLogger(__name__)

_TIME_OVER = "its time on the blacklist is over"


class Blacklisting:
    """Keeps the blacklist, and the broker by it.

    The broker has no user of a device that is on the list. What its user's password was hashed to is kept with the
    entry, and the user is made again with it: so the device comes back by itself, without joining anew.

    Args:
        engine: the registry's.
        management: the broker's management API, as a user that may make users.
        vhost: the network's virtual host.
        settings: of the standing; by default the environment's.
    """

    def __init__(
        self,
        engine: Engine,
        management: Management,
        vhost: str = names.VHOST,
        settings: StandingSettings | None = None,
    ) -> None:
        self._engine = engine
        self._management = management
        self._vhost = vhost
        self._settings = settings or StandingSettings()

    def enter(self, device: str, reason: str, until: datetime | None, at: datetime) -> None:
        """Shut a device out, at once: what it held goes to others, and it cannot connect any more.

        Where the broker fails after the registry knows, :meth:`expel_left` makes up for it, and so does asking again.

        Raises:
            RegistryError: there is no such device, or the database refused.
            BrokerError: the broker could not be reached, or refused.
        """
        with session(self._engine) as registry:
            entry = enter(registry, device, reason, until, at)
            # Only now: until this transaction ends, the device cannot join again, and get another password.
            keep_login(registry, entry, self._login(device))
        expel(self._management, device)
        log.warning("device.blacklisted", extra={"device": device, "reason": reason, "until": until})

    def lift(self, device: str, reason: str, at: datetime) -> bool:
        """Let a device come back: by itself, on probation, and into work only once a check has found it well.

        Returns:
            Whether it can log in with the password that it had; else it has to join again, by its keys.

        Raises:
            RegistryError: there is no such device, it is not blacklisted, or the database refused.
            BrokerError: the broker could not be reached, or refused; then the device is still on the list.
        """
        with session(self._engine) as registry:
            login = lift(registry, device, reason, self._settings.probation, at)
            if login:
                self._let_in(device, login)
        log.info("device.lifted", extra={"device": device, "reason": reason, "has_login": login is not None})
        return login is not None

    def lift_overdue(self, at: datetime) -> None:
        """Let everybody come back whose time is over. Whom that fails for is left on the list.

        Raises:
            RegistryError: the database could not be reached.
        """
        with reading(self._engine) as registry:
            devices = overdue(registry, at)
        for device in devices:
            try:
                self.lift(device, _TIME_OVER, at)
            except StarAIError as error:
                log.warning("lift.failed", extra={"device": device, "reason": str(error)})

    def expel_left(self) -> None:
        """Expel whoever is on the list and is known to the broker all the same: something stopped between the two.

        Raises:
            RegistryError: the database could not be reached.
            BrokerError: the broker could not be reached, or refused.
        """
        with reading(self._engine) as registry:
            listed = open_devices(registry)
        for device in listed & self._management.users() if listed else ():
            with session(self._engine) as registry:
                if entry := open_entry(registry, device):
                    expel(self._management, entry.device_id)
                    log.warning("device.expelled", extra={"device": device})

    def _login(self, device: str) -> Login | None:
        try:
            return Login(*self._management.password_hash(device))
        except NotAtBroker:
            return None

    def _let_in(self, device: str, login: Login) -> None:
        self._management.put_password_hash(device, login.hash, login.hashing)
        give_role(self._management, device, device_role(device, ()), self._vhost)
