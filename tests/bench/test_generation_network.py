"""The benchmark's two ways, on a small model: both make the same text."""

import secrets

import pytest

from bench.generation.confirm import round_trips
from bench.generation.in_process import engine
from bench.generation.model import model_folder
from bench.generation.network import network
from bench.generation.recipe import Recipe
from bench.generation.text import Question
from bench.ground import Ground
from bench.peer import Peer

SMALL = Recipe(layers=2, hidden=64, wide=128, heads=4, kv_heads=2, context=256)
QUESTION = Question("The device that joined", 60)


@pytest.fixture
def ground(node):
    return Ground(node, node.api.version()).apart(f"bench-{secrets.token_hex(4)}")


def test_a_text_through_the_network_is_that_of_the_same_model_in_process(ground, tmp_path):
    folder = model_folder(SMALL, tmp_path / "kept")

    with Peer(engine, folder, 1) as alone, network(ground, SMALL, folder, 1) as net, net.device():
        through, within = net.timed(QUESTION), alone.ask(QUESTION)

    assert through.text == within.text
    assert through.tokens == within.tokens == QUESTION.tokens
    assert through.pieces >= 1 <= through.reports
    assert 0 < through.own_first < through.first <= through.seconds


def test_a_round_trip_ends_with_the_brokers_confirm(ground):
    with round_trips(ground) as trips:
        assert all(0 < seconds < 10 for seconds in trips(3))
