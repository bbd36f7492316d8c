"""The base of every StarAI error, and the broker's own. The whole tree is published by ``starai.errors``."""


class StarAIError(Exception):
    """Base of everything this project raises on purpose.

    The message says what happened, to what, and what to do about it.
    """


class InvalidName(StarAIError, ValueError):
    """A region, tier, model or user name that cannot stand on the wire."""


class InvalidToken(StarAIError, ValueError):
    """A join token that is none: mistyped, or not made by a StarAI platform."""


class SettingError(StarAIError, ValueError):
    """A setting is missing or has a value that cannot be used."""


class BrokerError(StarAIError):
    """Something between this process and RabbitMQ went wrong."""


class BrokerUnreachable(BrokerError, ConnectionError):
    """No RabbitMQ answered at the address."""


class BrokerRefused(BrokerError, PermissionError):
    """RabbitMQ answered and said no: login, virtual host or permission."""


class BrokerUntrusted(BrokerError):
    """The connection would not be safe: it is not encrypted, or the broker's certificate is not one to trust."""


class NotAtBroker(BrokerError, LookupError):
    """RabbitMQ has no user, queue or connection of that name."""


class PublishRejected(BrokerError):
    """RabbitMQ did not take a message: a queue on its way is full."""


class TopologyMismatch(BrokerError):
    """The broker holds an exchange, queue or binding that differs from the topology."""


class NodeError(BrokerError):
    """The private RabbitMQ node could not be started, stopped or asked."""
