"""What the platform refuses, as the error that it is: on the platform the one way, in the library the other."""

from starai.errors import JobUnknown, NotPossible, RegistryError, ResultGone, StarAIError, TaskError
from starai.request import Refusal, Refused

_ERRORS: dict[Refusal, type[TaskError]] = {
    Refusal.UNKNOWN: JobUnknown,
    Refusal.GONE: ResultGone,
    Refusal.NOT_POSSIBLE: NotPossible,
}
_REFUSALS = {error: refusal for refusal, error in _ERRORS.items()}


def error_of_refusal(refused: Refused, task: str | None) -> StarAIError:
    """Return the error that a refusal stands for; ``task`` is the id that was asked about."""
    if refused.refusal is Refusal.UNAVAILABLE:
        return RegistryError(refused.message)
    return _ERRORS.get(refused.refusal, NotPossible)(refused.message, task)


def refused(error: StarAIError) -> Refused:
    """Return the refusal that tells of an error. Of those that are no task's, only that it has to wait."""
    refusal = _REFUSALS.get(type(error)) if isinstance(error, TaskError) else None
    if refusal is None:
        return Refused(refusal=Refusal.UNAVAILABLE, message="The platform cannot do that just now: try again later.")
    return Refused(refusal=refusal, message=str(error)[:500])
