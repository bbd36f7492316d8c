"""What can go wrong in the soak itself."""

from starai.errors import StarAIError


class SoakError(StarAIError):
    """The network under test could not be started, or not be looked at; the message says why."""
