"""A small client of RabbitMQ's management API: users, permissions, virtual hosts, definitions, connections."""

import re
import ssl
from collections.abc import Iterable
from functools import cache
from typing import Any
from urllib.parse import quote

import httpx

from broker_config.errors import BrokerError, BrokerRefused, BrokerUnreachable, NotAtBroker

_REFUSED = (401, 403)
_NOT_FOUND = 404
# The few of a channel's figures that are asked for.
_CHANNEL_COLUMNS = (
    "name,user,vhost,connection_details.name,messages_unacknowledged,message_stats.get_no_ack,"
    "message_stats.deliver_no_ack,message_stats.deliver_get,message_stats.ack"
)


class Management:
    """The management API of one broker.

    Every method raises :class:`BrokerUnreachable` when nobody answers, :class:`BrokerRefused` when the user may
    not do it, :class:`NotAtBroker` when there is nothing of that name, and :class:`BrokerError` when RabbitMQ could
    not.
    """

    def __init__(self, url: str, user: str, password: str, timeout: float = 10.0) -> None:
        self.url = url
        self._auth = httpx.BasicAuth(user, password)
        self._timeout = timeout

    def version(self) -> str:
        """Return RabbitMQ's version."""
        return str(self._json("GET", "overview")["rabbitmq_version"])

    def ports(self) -> set[int]:
        """Return the ports on which the broker listens."""
        return {int(listener["port"]) for listener in self._json("GET", "overview")["listeners"]}

    def is_alive(self, vhost: str) -> bool:
        """Tell whether the broker can declare a queue, publish to it and consume from it."""
        return bool(self._json("GET", "aliveness-test", vhost).get("status") == "ok")

    def put_vhost(self, vhost: str) -> None:
        """Make sure that the virtual host exists."""
        self._call("PUT", "vhosts", vhost)

    def delete_vhost(self, vhost: str) -> None:
        """Delete a virtual host and everything in it."""
        self._call("DELETE", "vhosts", vhost)

    def put_user(self, user: str, password: str) -> None:
        """Make sure that the user exists, with this password and no access to the management API."""
        self._call("PUT", "users", user, body={"password": password, "tags": ""})

    def users(self) -> set[str]:
        """Return the names of all users."""
        return {str(user["name"]) for user in self._json("GET", "users", query={"columns": "name"})}

    def password_hash(self, user: str) -> tuple[str, str]:
        """Return what the broker keeps of a user's password: the salted hash, and the algorithm that made it."""
        found = self._json("GET", "users", user)
        return str(found["password_hash"]), str(found["hashing_algorithm"])

    def put_password_hash(self, user: str, password_hash: str, algorithm: str) -> None:
        """Make sure that the user exists, with the password of this hash and no access to the management API."""
        body = {"password_hash": password_hash, "hashing_algorithm": algorithm, "tags": ""}
        self._call("PUT", "users", user, body=body)

    def delete_user(self, user: str) -> None:
        """Delete a user; the broker closes its connections."""
        self._call("DELETE", "users", user)

    def put_user_limits(self, user: str, *, connections: int, channels: int) -> None:
        """Set how many connections the user may have open, and how many channels in all of them."""
        self._call("PUT", "user-limits", user, "max-connections", body={"value": connections})
        self._call("PUT", "user-limits", user, "max-channels", body={"value": channels})

    def put_permissions(self, vhost: str, user: str, *, configure: str, write: str, read: str) -> None:
        """Set what the user may configure, write to and read from: three regular expressions over names."""
        self._call("PUT", "permissions", vhost, user, body={"configure": configure, "write": write, "read": read})

    def put_topic_permissions(self, vhost: str, user: str, exchange: str, *, write: str, read: str) -> None:
        """Set the routing keys that the user may write and bind at a topic exchange."""
        body = {"exchange": exchange, "write": write, "read": read}
        self._call("PUT", "topic-permissions", vhost, user, body=body)

    def definitions(self, vhost: str) -> dict[str, Any]:
        """Return the exchanges, queues and bindings of a virtual host."""
        found: dict[str, Any] = self._json("GET", "definitions", vhost)
        return found

    def queue(self, vhost: str, queue: str) -> dict[str, Any]:
        """Return one queue's figures and consumers; the broker renews them every few seconds."""
        found: dict[str, Any] = self._json("GET", "queues", vhost, queue)
        return found

    def readers(self, vhost: str, queue: str) -> set[str]:
        """Return the names of the connections that consume a queue."""
        found = self.queue(vhost, queue).get("consumer_details", [])
        # Of a consumer that is new the broker may not know its channel yet.
        return {str(one["channel_details"]["connection_name"]) for one in found if one.get("channel_details")}

    def held_by(self, connection: str) -> int:
        """Return how many messages a connection holds unacknowledged; the broker renews that every five seconds."""
        try:
            found = self._json("GET", "connections", connection, "channels")
        except NotAtBroker:  # it has no figures yet, or it ended meanwhile
            return 0
        return sum(int(channel.get("messages_unacknowledged") or 0) for channel in found)

    def queues(self, vhost: str) -> list[dict[str, Any]]:
        """Return every queue's name and how many messages are ready and unacknowledged, renewed every few seconds."""
        columns = "name,messages_ready,messages_unacknowledged"
        found: list[dict[str, Any]] = self._json("GET", "queues", vhost, query={"columns": columns})
        return found

    def consumers(self, vhost: str) -> list[dict[str, Any]]:
        """Return every consumer with its queue, arguments and channel. For one queue's, see :meth:`queue`."""
        found: list[dict[str, Any]] = self._json("GET", "consumers", vhost)
        return found

    def channels(self, vhost: str, page: int = 1, size: int = 500) -> list[dict[str, Any]]:
        """Return a virtual host's channels on one page of all, renewed by the broker every five seconds.

        Each has its name, its user, its connection's name, what it holds unacknowledged, and, since it was opened,
        what it was given, what it took without acknowledging it, and what it acknowledged.
        """
        found = self._page(_CHANNEL_COLUMNS, page, size)["items"]
        return [channel for channel in found if channel.get("vhost") == vhost]

    def channel_pages(self, size: int = 500) -> int:
        """Return how many pages of channels there are, at least one."""
        return max(-(-int(self._page("name", 1, 1)["total_count"]) // size), 1)

    def connections(self) -> list[dict[str, Any]]:
        """Return every connection with its user and name."""
        found: list[dict[str, Any]] = self._json("GET", "connections")
        return found

    def connections_of(self, user: str) -> list[dict[str, Any]]:
        """Return every connection of a user, with what it says of itself and, in milliseconds, when it began.

        Of a connection that began within seconds the broker tells the name only.
        """
        found = self._json("GET", "connections", "username", user)
        return [self._connection(one["name"]) or one for one in found]

    def queue_lengths(self, vhost: str, prefixes: Iterable[str]) -> dict[str, int]:
        """Return how many messages, ready or unacknowledged, the queues have whose names begin so.

        The broker renews the figures every five seconds; a queue of which it has none yet is left out.
        """
        pattern = rf"^(?:{'|'.join(re.escape(prefix) for prefix in prefixes)})"
        query = {"name": pattern, "use_regex": "true", "columns": "name,messages", "page_size": "500"}
        lengths: dict[str, int] = {}
        page = pages = 1
        while page <= pages:
            found = self._json("GET", "queues", vhost, query=query | {"page": str(page)})
            lengths |= {queue["name"]: queue["messages"] for queue in found["items"] if "messages" in queue}
            page, pages = page + 1, int(found["page_count"])
        return lengths

    def uptime(self) -> float:
        """Return for how many seconds every node of the broker has run; 0 where one does not."""
        nodes = self._json("GET", "nodes", query={"columns": "running,uptime"})
        return min((node.get("uptime", 0) / 1000 if node.get("running") else 0.0 for node in nodes), default=0.0)

    def close_connection(self, name: str, reason: str) -> None:
        """Close a connection; the broker gives what it held to others."""
        self._call("DELETE", "connections", name, headers={"X-Reason": reason})

    def close_connections_of(self, user: str, reason: str) -> None:
        """Close every connection of a user, if there is any; the broker gives what they held to others."""

        def close() -> None:
            self._call("DELETE", "connections", "username", user, headers={"X-Reason": reason})

        try:
            close()
        except (BrokerUnreachable, BrokerRefused, NotAtBroker):
            raise
        except BrokerError:  # 500 where one of them ended by itself meanwhile; others may be left (seen with 3.10.8)
            close()

    def _connection(self, name: str) -> dict[str, Any] | None:
        try:
            found: dict[str, Any] = self._json("GET", "connections", name)
        except NotAtBroker:  # it has no figures yet, or it ended meanwhile
            return None
        return found

    def _page(self, columns: str, page: int, size: int) -> dict[str, Any]:
        query = {"page": str(page), "page_size": str(size), "columns": columns}
        found: dict[str, Any] = self._json("GET", "channels", query=query)
        return found

    def _json(self, method: str, *path: str, query: dict[str, str] | None = None) -> Any:
        answer = self._call(method, *path, query=query)
        try:
            return answer.json()
        except ValueError as error:
            raise BrokerError(f"What answers at {self.url} is not RabbitMQ's management API.") from error

    def _call(
        self,
        method: str,
        *path: str,
        body: dict[str, Any] | None = None,
        headers: dict[str, str] | None = None,
        query: dict[str, str] | None = None,
    ) -> httpx.Response:
        url = "/".join([self.url, "api", *(quote(part, safe="") for part in path)])
        try:
            answer = httpx.request(
                method,
                url,
                params=query,
                json=body,
                headers=headers,
                auth=self._auth,
                timeout=self._timeout,
                verify=_authorities(),
                trust_env=False,
            )
        except httpx.HTTPError as error:
            reason = f"No management API answers at {self.url} ({type(error).__name__}). Is the broker running?"
            raise BrokerUnreachable(reason) from error
        if answer.status_code in _REFUSED:
            raise BrokerRefused(f"The management API at {self.url} refused {method} {path[0]}.")
        if answer.is_error:
            kind = NotAtBroker if answer.status_code == _NOT_FOUND else BrokerError
            what = f"{method} {'/'.join(path)}"
            raise kind(f"The management API refused {what}: {answer.status_code} {_reason(answer)}.")
        return answer


@cache
def _authorities() -> ssl.SSLContext:
    """Return httpx's own, made once: it takes longer than everything else about a call."""
    return httpx.create_ssl_context(trust_env=False)


def _reason(answer: httpx.Response) -> str:
    """Return why RabbitMQ refused, in its own words; it repeats nothing of what was sent but names."""
    try:
        return str(answer.json().get("reason", ""))[:200]
    except (ValueError, AttributeError):
        return ""
