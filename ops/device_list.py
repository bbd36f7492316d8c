"""All devices as a table: the columns that a terminal has room for; all of them where the output is none."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from rich.table import Table

from ops.attention import answered_text, state_text, trust_text
from ops.device_view import kind_text, models_text
from ops.output import moment, printable
from registry.health_view import HealthOverview
from registry.overview import DeviceOverview

# A terminal of so many columns has room for all.
_ROOMY = 160


@dataclass(frozen=True)
class _Column:
    """A column of the table.

    Attributes:
        room: how many columns a terminal has at least that shows it.
        least, most: how wide it is at least, and at most where there is no room for all.
    """

    name: str
    text: Callable[[DeviceOverview, HealthOverview], str]
    room: int = 0
    least: int | None = None
    most: int | None = None


def _load(_: DeviceOverview, health: HealthOverview) -> str:
    load = health.health.load
    return "" if load is None else f"{100 * load:.0f} %"


_COLUMNS = (
    _Column("device", lambda found, _: found.device.id),
    _Column("name", lambda found, _: found.device.name or "", room=_ROOMY),
    _Column("kind", lambda _, health: kind_text(health), room=_ROOMY),
    _Column("owner", lambda found, _: found.owner, most=10),
    _Column("region", lambda found, _: found.device.region),
    _Column("state", lambda _, health: state_text(health), least=11),
    _Column("trust", lambda _, health: trust_text(health), most=5),
    _Column("answered", lambda _, health: answered_text(health), room=120),
    _Column("load", _load, room=_ROOMY),
    _Column("models", lambda found, _: models_text(found.deployments), room=100, least=16),
    _Column("enrolled", lambda found, _: moment(found.device.enrolled_at), room=_ROOMY),
)


def devices_table(devices: Iterable[DeviceOverview], health: Mapping[str, HealthOverview], width: int) -> Table:
    """Return all devices as a table for an output of so many columns."""
    shown = [column for column in _COLUMNS if width >= column.room]
    table = Table()
    for position, column in enumerate(shown):
        most = column.most if width < _ROOMY else None
        table.add_column(column.name, no_wrap=position == 0, min_width=column.least, max_width=most, overflow="fold")
    for found in devices:
        table.add_row(*(printable(column.text(found, health[found.device.id])) for column in shown))
    return table
