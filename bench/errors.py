"""What can go wrong in a benchmark itself."""

from starai.errors import StarAIError


class BenchError(StarAIError):
    """A measurement could not be made; the message says why."""
