"""What a task's target means: its model, and the queue in which its tasks wait."""

from collections.abc import Iterable

from broker_config.names import task_queue, wire_name
from broker_config.regions import Region
from models.catalogue import load_catalogue
from models.entry import CatalogueEntry


class Targets:
    """The models of a catalogue, by all that a submitter may call them in a routing key.

    A target is a model's name as it stands on the wire, or a tier's name, which means the tier's default model.

    Args:
        entries: the models; by default those of the catalogue that is shipped.

    Attributes:
        kinds: of the models, by their wire names.
    """

    def __init__(self, entries: Iterable[CatalogueEntry] | None = None) -> None:
        known = tuple(load_catalogue() if entries is None else entries)
        self._entries = {str(entry.tier): entry for entry in known if entry.default}
        self._entries |= {wire_name(entry.name): entry for entry in known}
        self.kinds = {wire_name(entry.name): entry.kind for entry in known}
        self._models = {target: wire_name(entry.name) for target, entry in self._entries.items()}

    def model_of(self, target: str) -> str:
        """Return the model that is meant, as it stands on the wire: the target itself where nobody knows better."""
        return self._models.get(target, target)

    def queue_of(self, region: str | None, target: str | None) -> str | None:
        """Return the queue of a region's tasks for a target, or nothing where there is no such region or model."""
        entry = self._entries.get(target or "")
        if entry is None or region not in tuple(Region):
            return None
        return task_queue(Region(region), entry.tier, entry.name)
