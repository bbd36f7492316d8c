"""Every error that StarAI raises, in one tree.

StarAIError
├── InvalidName                a region, model or user name that cannot be one
├── InvalidToken               a join token that is mistyped or none
├── SettingError               a setting that is missing or wrong
├── BrokerError
│   ├── BrokerUnreachable      nobody answered at the address
│   ├── BrokerRefused          login or permission refused
│   ├── BrokerUntrusted        not encrypted, or a certificate that is not trusted
│   ├── NotAtBroker            the broker has nothing of that name
│   ├── PublishRejected        a queue on the message's way is full
│   ├── TopologyMismatch       the broker differs from the topology
│   └── NodeError              the private node could not be started or stopped
├── ClientClosed               the client was used after ``close()``
├── TaskError                  what can become of one task; has ``.task``, its id
│   ├── BadInput               the submitter's fault: it would fail anywhere
│   ├── UnknownModel           no device of the network hosts it
│   ├── Rejected               not taken: the model's queue is full
│   ├── TimedOut               no result yet after the wait that was asked for
│   ├── Expired                not finished before its deadline
│   ├── Cancelled              withdrawn before it ended
│   ├── FailedOnDevice         the network tried and could not
│   ├── Restarted              in mid-stream another device began anew, and its text is another one
│   ├── JobUnknown             the network knows no such task of this submitter
│   ├── ResultGone             it succeeded, but its result is not kept any more
│   └── NotPossible            what it has become does not allow what was asked
├── DeviceRuns                 a device runs with this enrolment already
├── DeviceFailed               the device on this machine ended by an error
├── ModelError                 what can go wrong with a model on a device
│   ├── ModelNotFound          the catalogue has no such model
│   ├── ModelUnavailable       its files could not be fetched
│   ├── ModelCorrupt           a file differs from its checksum
│   ├── ModelInUse             a device that runs uses it, so that it is not removed
│   ├── ModelCrashed           the process that ran it died
│   ├── ModelHung              it made no progress and was ended
│   └── EngineMissing          ONNX Runtime is absent, or two flavours of it are installed
├── ServiceError               what this system runs programs in the background with is missing, or refused
├── RegistryError              the registry database refused or could not be reached
└── LocalNetworkError          the network on this machine could not be started
"""

from broker_config.errors import (
    BrokerError,
    BrokerRefused,
    BrokerUnreachable,
    BrokerUntrusted,
    InvalidName,
    InvalidToken,
    NodeError,
    NotAtBroker,
    PublishRejected,
    SettingError,
    StarAIError,
    TopologyMismatch,
)


class ClientClosed(StarAIError):
    """The client was used after it was closed."""


class TaskError(StarAIError):
    """Something became of one task other than a result.

    Attributes:
        task: the task's id, or ``None`` when it was refused before it had one.
    """

    def __init__(self, message: str, task: str | None = None) -> None:
        super().__init__(message)
        self.task = task


class BadInput(TaskError, ValueError):
    """The input is wrong in a way that no device could mend; it is never retried."""


class UnknownModel(TaskError, LookupError):
    """No device of the network hosts the model that was asked for."""


class Rejected(TaskError):
    """The network did not take the task: the queue of its model and region is full."""


class TimedOut(TaskError, TimeoutError):
    """No result arrived within the time that the caller wanted to wait. The task goes on."""


class Expired(TaskError, TimeoutError):
    """The task did not finish before its deadline, and will not run any more."""


class Cancelled(TaskError):
    """The task was withdrawn before it ended."""


class FailedOnDevice(TaskError):
    """A device tried, or several did, and the task could not be done."""


class Restarted(TaskError):
    """In mid-stream a text was begun anew by another device, and is another one: what was yielded so far is void."""


class JobUnknown(TaskError, LookupError):
    """The network's ledger has no such task of this submitter."""


class ResultGone(TaskError, LookupError):
    """The task succeeded, but its result is not kept any more. Submit it anew."""


class NotPossible(TaskError):
    """What was asked cannot be done with a task that has become what this one has."""


class ModelError(StarAIError):
    """Something is wrong with a model on this device."""


class ModelNotFound(ModelError, LookupError):
    """The catalogue has no model of that name."""


class ModelUnavailable(ModelError):
    """The model's files could not be fetched from their source."""


class ModelCorrupt(ModelError):
    """A file of the model is not what its checksum says; it is not loaded."""


class ModelInUse(ModelError):
    """The model cannot be removed: a device that runs uses it."""


class ModelCrashed(ModelError):
    """The process that ran the model ended in the middle of a task."""


class ModelHung(ModelError):
    """The model made no progress for as long as a task may take, and its process was ended."""


class EngineMissing(ModelError):
    """There is no usable ONNX Runtime: none is installed, or two flavours of it are."""


class DeviceRuns(StarAIError):
    """A device runs on this machine with this enrolment already, or one does not end."""


class DeviceFailed(StarAIError):
    """The device on this machine began to serve, and ended by an error."""


class ServiceError(StarAIError):
    """What this system runs programs in the background with is missing, or refused."""


class RegistryError(StarAIError):
    """The registry database refused, or could not be reached."""


class LocalNetworkError(StarAIError):
    """The network on this machine could not be started: one runs already, or a process of it ended early."""


__all__ = [
    "BadInput",
    "BrokerError",
    "BrokerRefused",
    "BrokerUnreachable",
    "BrokerUntrusted",
    "Cancelled",
    "ClientClosed",
    "DeviceFailed",
    "DeviceRuns",
    "EngineMissing",
    "Expired",
    "FailedOnDevice",
    "InvalidName",
    "InvalidToken",
    "JobUnknown",
    "LocalNetworkError",
    "ModelCorrupt",
    "ModelCrashed",
    "ModelError",
    "ModelHung",
    "ModelInUse",
    "ModelNotFound",
    "ModelUnavailable",
    "NodeError",
    "NotAtBroker",
    "NotPossible",
    "PublishRejected",
    "RegistryError",
    "Rejected",
    "Restarted",
    "ResultGone",
    "ServiceError",
    "SettingError",
    "StarAIError",
    "TaskError",
    "TimedOut",
    "TopologyMismatch",
    "UnknownModel",
]
