"""A network in which somebody is to blame, or nobody."""

from registry.clearance import Return, clear
from registry.columns import now
from registry.database import reading, session
from registry.events import events_of
from registry.failures import locked_health
from registry.standing_rule import StandingSettings
from registry.task_state import TaskState
from registry.task_tables import Attempt
from tasks.health.blame import Blame
from tests.tasks.swept_network import MODEL, SweptNetwork

SETTINGS = StandingSettings()


class Scene(SweptNetwork):
    """The network, and who is blamed in it."""

    def look(self):
        Blame(self.engine, self.broker.node.api, SETTINGS, vhost=self.broker.vhost).look(now())

    def is_known(self, device):
        """Tell whether the broker has figures of the device's connections: it takes seconds."""
        return all(one.get("connected_at") for one in self.broker.node.api.connections_of(device.id))

    def blamed(self, device):
        with reading(self.engine) as registry:
            return [event.kind for event in events_of(registry, device) if event.cost is not None]

    def trust(self, device):
        with session(self.engine) as registry:
            return locked_health(registry, device, now()).trust

    def asks(self, device, task):
        """Let a device ask whether it may start a task that came back."""
        with session(self.engine) as registry:
            returned = Return("ann", task, f"{device.id}.{task}"[:64], MODEL, began_unasked=True)
            clear(registry, device.id, returned, now(), 3)

    def outcome(self, device, task):
        with reading(self.engine) as registry:
            found = registry.get(Attempt, ("ann", task, f"{device.id}.{task}"[:64]))
            return found and found.outcome

    def state(self, task):
        found = self.known().get(task)
        return found and found.state

    def does(self, until, device, taken):
        """Let a device do what it has taken."""
        for one in taken:
            device.answer(one)
        until(lambda: all(self.state(one[1]) is TaskState.SUCCEEDED for one in taken))
