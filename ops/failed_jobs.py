"""`starai jobs failed`: what queues gave up, for who operates the network."""

import contextlib
import json
from collections.abc import Iterable, Iterator

import click
from rich.console import Console
from rich.progress import track
from rich.table import Table

from broker_config.address import user_of
from broker_config.link import Link
from ops.access import open_access, open_registry
from ops.confirm import confirm, yes_option
from ops.list_by_default import ListByDefault
from ops.output import json_option, moment, print_json, print_rich, print_table, printable
from registry.database import reading
from registry.dead_letters import count_waiting, dead_letters, find_dead_letter
from registry.task_tables import DeadLetter
from starai.errors import NotPossible
from starai.submission import DEADLINE
from tasks.dead_letter_retry import DeadLetterRetry, why_not
from tasks.dead_letters import reason_of

_COLUMNS = ("number", "at", "submitter", "job", "why", "state")
_CONNECT_WITHIN = 10.0
_PAGE = 500

deadline_option = click.option(
    "--deadline",
    type=click.FloatRange(0, min_open=True),
    default=DEADLINE,
    show_default=True,
    help="Seconds from now after which such a task is not worth doing.",
)


@click.group(cls=ListByDefault)
def failed() -> None:
    """Dead letters: what queues gave up, for who operates the network. Without a command, lists them.

    Nothing leaves here but by `retry`, which is written down.
    """


@failed.command("list")
@click.option("--limit", type=click.IntRange(1, 10_000), default=50, show_default=True, help="The newest so many.")
@click.option("--before", type=int, metavar="NUMBER", help="Only those before this one: where another list ended.")
@click.option("--all", "everything", is_flag=True, help="Those that were put back as well.")
@json_option
def list_failed(limit: int, before: int | None, everything: bool, as_json: bool) -> None:
    """List what queues gave up, the newest first: why, how often, where, since when."""
    with open_registry() as engine, reading(engine) as registry:
        found = dead_letters(registry, before=before, limit=limit, retried=everything)
        waiting = count_waiting(registry)
    following = found[-1].id if len(found) == limit else None
    if as_json:
        print_json({"waiting": waiting, "failed": [_data(letter) for letter in found], "before": following})
        return
    print_table(_COLUMNS, map(_row, found), "No queue has given anything up.")
    if following:
        click.echo(f"{waiting} wait in all. For more: starai jobs failed --before {following}")


@failed.command()
@click.argument("number", type=int)
@json_option
def show(number: int, as_json: bool) -> None:
    """Show all of dead letter NUMBER, and whether it can be put back."""
    with open_registry() as engine, reading(engine) as registry:
        letter = find_dead_letter(registry, number)
    if as_json:
        headers, size = json.loads(letter.headers), len(letter.body)
        print_json({**_data(letter), "stays": why_not(letter), "bytes": size, "headers": headers})
    else:
        print_rich(_table(letter))


@failed.command()
@click.argument("number", type=int, required=False)
@click.option("--all", "everything", is_flag=True, help="All that were not put back yet.")
@deadline_option
@yes_option
@json_option
def retry(number: int | None, everything: bool, deadline: float, yes: bool, as_json: bool) -> None:
    """Put dead letter NUMBER back where it came from; its submitter gets the result.

    What is no task stays, and it is said why. Exits with 1 when something stays.
    """
    if (number is None) is not everything:
        raise click.UsageError("Name a dead letter's NUMBER, or all of them by --all.")
    with _retrying(deadline) as retrying:
        if number is not None:
            done, stay = _retry(retrying, [number])
        else:
            numbers = _all_numbers()
            confirm(f"Put {len(numbers)} dead letters back? What is poison harms devices once more.", yes)
            done, stay = _retry(retrying, track(numbers, "Putting back", console=Console(stderr=True), transient=True))
    if as_json:
        print_json({"put_back": done, "stay": [{"number": number, "why": why} for number, why in stay.items()]})
    else:
        click.echo(f"{len(done)} put back.")
        for reason in stay.values():
            click.echo(printable(reason), err=True)
    raise SystemExit(1 if stay else 0)


@contextlib.contextmanager
def _retrying(deadline: float) -> Iterator[DeadLetterRetry]:
    with open_access() as access:
        url = access.url.get_secret_value()
        link = Link(url, "starai jobs failed retry")
        link.open(_CONNECT_WITHIN)
        try:
            yield DeadLetterRetry(access.engine, link, user_of(url), deadline)
        finally:
            link.close()


def _retry(retrying: DeadLetterRetry, numbers: Iterable[int]) -> tuple[list[int], dict[int, str]]:
    """Put those back, and return which were and why the others stay."""
    done, stay = [], {}
    for number in numbers:
        try:
            retrying.retry(number)
            done.append(number)
        except NotPossible as error:
            stay[number] = str(error)
    return done, stay


def _all_numbers() -> list[int]:
    """Return what waits, the oldest first."""
    numbers: list[int] = []
    with open_registry() as engine, reading(engine) as registry:
        while page := dead_letters(registry, before=numbers[-1] if numbers else None, limit=_PAGE):
            numbers += [letter.id for letter in page if letter.id is not None]
    return numbers[::-1]


def _data(letter: DeadLetter) -> dict[str, object]:
    return letter.model_dump(exclude={"body", "headers", "digest"}) | {"why": reason_of(letter)}


def _row(letter: DeadLetter) -> tuple[str, ...]:
    who = (letter.submitter or "", letter.task or "no task")
    return str(letter.id), moment(letter.at), *who, reason_of(letter), _state(letter)


def _state(letter: DeadLetter) -> str:
    if letter.retried_at:
        return f"put back {moment(letter.retried_at)}"
    return "its submitter was told" if letter.ended_at and letter.task else "waits"


def _table(letter: DeadLetter) -> Table:
    shown = Table(title=f"Dead letter {letter.id}", show_header=False, title_justify="left")
    shown.add_column(style="bold", no_wrap=True)
    shown.add_column(overflow="fold")
    for what, text in (
        ("At", moment(letter.at)),
        ("Submitter", letter.submitter or "nobody known"),
        ("Job", letter.task or "none"),
        ("Why", reason_of(letter)),
        ("Routing key", letter.key),
        ("State", _state(letter)),
        ("Can be put back", why_not(letter) or "yes"),
        ("Body", f"{len(letter.body):,} bytes"),
        ("Headers", letter.headers),
    ):
        shown.add_row(what, printable(text))
    return shown
