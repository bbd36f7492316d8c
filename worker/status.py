"""What a device that runs tells its owner of itself: a file that its commands read."""

from enum import StrEnum

from pydantic import AwareDatetime, BaseModel, ConfigDict

from broker_config.regions import Region


class _Data(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")  # a command may be older than the device


class Doing(StrEnum):
    """What a device is about.

    Attributes:
        STARTING: it connects and loads its models.
        SERVING: it takes tasks, unless it is paused, or the network has it rest.
        LEAVING: it takes none any more, and lets those end that run.
        ENDED: it has said how it ended.
    """

    STARTING = "starting"
    SERVING = "serving"
    LEAVING = "leaving"
    ENDED = "ended"


class Pause(_Data):
    """Why a device takes no tasks, and until when, where that is known.

    Attributes:
        wished: whether its owner said so; otherwise their preferences do.
    """

    why: str
    until: AwareDatetime | None = None
    wished: bool = False


#: What a device says that its owner paused.
BY_OWNER = Pause(why="its owner paused it", wished=True)


class Ending(_Data):
    """How a device left.

    Attributes:
        finished: tasks that ended here after it was told to leave.
        left: tasks that it had begun and left to other devices.
        told: whether the network took its goodbye.
    """

    finished: int
    left: int
    told: bool


class ModelStatus(_Data):
    """One of a device's models.

    Attributes:
        running: how many of its ``slots`` are taken; ``held`` tasks wait for one.
        load: what the device is under besides this model's own tasks, from 0.0 to 1.0.
        broken: why it could not be made ready after it failed; ``None`` where nothing is known against it.
    """

    model: str
    slots: int
    running: int
    held: int = 0
    load: float
    broken: str | None = None


class Status(_Data):
    """A device at one moment.

    Attributes:
        since, at: when it was started, and when this was written.
        connected: whether the network can reach it.
        subscriptions: queues that it takes tasks from now; none while it is paused, or the network has it rest.
        leaving_by: when it ends at the latest, once it leaves.
        done, failed: tasks that ended here since the start, and those that it could not do and returned.
        mistake: what is wrong in the owner's preferences since they were changed; the previous ones are in force.
        without_effect: the preferences that ask for what is not known on this machine.
    """

    device: str
    region: Region
    pid: int
    since: AwareDatetime
    at: AwareDatetime
    doing: Doing
    connected: bool
    subscriptions: int
    models: tuple[ModelStatus, ...]
    done: int = 0
    failed: int = 0
    paused: Pause | None = None
    leaving_by: AwareDatetime | None = None
    mistake: str | None = None
    without_effect: tuple[str, ...] = ()
    ended: Ending | None = None

    @property
    def running(self) -> int:
        """How many tasks run."""
        return sum(model.running for model in self.models)

    @property
    def news(self) -> tuple[object, ...]:
        """What an owner is to see at once when it changes; the rest are figures that change with every task."""
        return (
            self.doing,
            self.connected,
            self.paused,
            self.leaving_by,
            self.mistake,
            self.ended,
            bool(self.subscriptions),
            tuple(model.broken for model in self.models),
        )
