"""When a piece of a text is sent, and when a sign of life, without a broker."""

from concurrent.futures import Future
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from starai.errors import BrokerRefused, BrokerUnreachable, PublishRejected
from starai.wire import State
from tasks.leases import MARGIN
from tasks.pieces import PIECE_EVERY, PROGRESS_EVERY, Pieces

LEASE = 60.0


class Broker:
    """Takes what is told, has it when the test says so, and keeps the time."""

    def __init__(self) -> None:
        self.now = 0.0
        self.told: list[tuple[float, State, dict]] = []
        self.unconfirmed: list[Future[None]] = []
        self.refuses: Exception | None = None

    def __call__(self, state, **more):
        self.told.append((self.now, state, more))
        if self.refuses:
            raise self.refuses
        self.unconfirmed.append(Future())
        return self.unconfirmed[-1]

    def confirm(self, error: Exception | None = None) -> None:
        while self.unconfirmed:
            one = self.unconfirmed.pop()
            one.set_exception(error) if error else one.set_result(None)

    def pieces(self, lease: float = LEASE, *, streamed: bool = True) -> Pieces:
        return Pieces(self, lease, streamed=streamed, clock=lambda: self.now)

    @property
    def sent(self) -> list[tuple[int, str]]:
        return [(more["offset"], more["text"]) for _, state, more in self.told if state is State.PIECE]

    @property
    def signs(self) -> list[float]:
        return [at for at, state, _ in self.told if state is State.PROGRESS]


@pytest.fixture
def broker() -> Broker:
    return Broker()


def test_the_first_piece_goes_at_once(broker):
    broker.pieces().add("Because")

    assert broker.told == [(0.0, State.PIECE, {"offset": 0, "text": "Because"})]


def test_what_is_made_soon_after_goes_together_a_moment_later(broker):
    pieces = broker.pieces()
    pieces.add("Be")
    broker.confirm()
    for broker.now, text in ((0.01, "cau"), (PIECE_EVERY - 0.001, "se"), (PIECE_EVERY, " it"), (0.06, " is")):
        pieces.add(text)

    assert broker.sent == [(0, "Be"), (2, "cause it")]


def test_no_piece_goes_before_the_broker_has_the_one_before(broker):
    pieces = broker.pieces()
    pieces.add("Be")
    for broker.now in (1.0, 2.0, 3.0):
        pieces.add("cause"[int(broker.now) - 1])
    assert broker.sent == [(0, "Be")]

    broker.confirm()
    pieces.add("s")

    assert broker.sent == [(0, "Be"), (2, "caus")]


def test_a_step_that_adds_nothing_sends_what_waits_and_else_nothing(broker):
    pieces = broker.pieces()
    pieces.add("")
    assert broker.told == []

    pieces.add("a")
    broker.confirm()
    pieces.add("b")
    broker.now = 1.0
    pieces.add("")
    pieces.add("")

    assert broker.sent == [(0, "a"), (1, "b")]


def test_a_piece_that_a_full_reply_queue_refused_goes_with_the_next_one_after_a_while(broker):
    pieces = broker.pieces()
    pieces.add("a")
    broker.confirm(PublishRejected("full"))
    for broker.now in (PIECE_EVERY, 2 * PIECE_EVERY, PIECE_EVERY + PROGRESS_EVERY):
        pieces.add("b")

    assert broker.sent == [(0, "a"), (0, "abbb")]


def test_where_no_stream_is_wanted_there_are_signs_of_life_alone(broker):
    pieces = broker.pieces(streamed=False)
    for broker.now in (0.0, 1.0, PROGRESS_EVERY, PROGRESS_EVERY + 1):
        pieces.add("a")

    assert broker.told == [(PROGRESS_EVERY, State.PROGRESS, {})]


@pytest.mark.parametrize(
    ("lease", "every"), [(3600.0, PROGRESS_EVERY), (60.0, PROGRESS_EVERY), (9.0, 3.0), (1.0, 1 / 3)]
)
@pytest.mark.parametrize("streamed", [True, False])
def test_a_text_that_gets_on_says_so_in_time_for_its_lease(broker, lease, every, streamed):
    pieces = broker.pieces(lease, streamed=streamed)
    for step in range(1000):
        broker.now = every * step / 100
        pieces.add("")

    gaps = [later - earlier for earlier, later in pairwise([0.0, *broker.signs])]
    assert len(gaps) == 9
    assert gaps == pytest.approx([every] * 9, rel=0.02)


def test_a_text_that_does_not_get_on_gives_no_sign(broker):
    pieces = broker.pieces()
    broker.now = LEASE
    assert broker.signs == []

    pieces.add("")

    assert broker.signs == [LEASE]


def test_a_sign_of_life_waits_for_no_piece(broker):
    pieces = broker.pieces()
    pieces.add("a")
    broker.now = PROGRESS_EVERY
    pieces.add("b")  # the broker has the first one not yet

    assert [state for _, state, _ in broker.told] == [State.PIECE, State.PROGRESS]


@pytest.mark.parametrize("error", [BrokerUnreachable("closed"), BrokerRefused("blacklisted")])
def test_a_link_that_takes_nothing_is_no_error_and_is_not_tried_all_the_time(broker, error, caplog):
    pieces = broker.pieces()
    broker.refuses = error
    for tenths in range(29):
        broker.now = tenths / 10
        pieces.add("a")
    assert len(broker.told) == len(caplog.messages) == 1

    broker.refuses, broker.now = None, PROGRESS_EVERY
    pieces.add("b")

    assert broker.told[1:] == [
        (PROGRESS_EVERY, State.PIECE, {"offset": 0, "text": "a" * 29 + "b"}),
        (PROGRESS_EVERY, State.PROGRESS, {}),
    ]


STEPS = st.lists(st.tuples(st.integers(0, 80), st.text(max_size=4), st.booleans()), max_size=60)


@given(STEPS)
def test_pieces_join_to_the_text_however_it_is_made_and_however_slow_the_broker_is(steps):
    broker = Broker()
    pieces = broker.pieces()
    for milliseconds, text, is_confirmed in steps:
        broker.now += milliseconds / 1000
        if is_confirmed:
            broker.confirm()
        pieces.add(text)
        assert len(broker.unconfirmed) <= 1
    broker.confirm()
    broker.now += PIECE_EVERY
    pieces.add("")

    joined = ""
    for offset, text in broker.sent:
        assert offset == len(joined)
        joined += text
    assert joined == "".join(text for _, text, _ in steps)
    assert all(text for _, text in broker.sent)


@given(STEPS)
def test_no_more_than_one_piece_goes_in_a_moment(steps):
    broker = Broker()
    pieces = broker.pieces()
    for milliseconds, text, _ in steps:
        broker.now += milliseconds / 1000
        broker.confirm()
        pieces.add(text)

    times = [at for at, state, _ in broker.told if state is State.PIECE]
    assert all(later >= earlier + PIECE_EVERY for earlier, later in pairwise(times))


def test_a_device_is_not_cut_off_between_two_signs_of_life_of_a_text_that_gets_on():
    assert PROGRESS_EVERY + 1 < MARGIN
