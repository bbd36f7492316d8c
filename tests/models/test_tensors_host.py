"""Named arrays through a model's own process: what comes back, and what becomes of it in trouble."""

from concurrent.futures import Future
from contextlib import closing

import numpy as np
import psutil
import pytest

from models.entry import Kind
from models.host import ModelHost
from starai.errors import BadInput, Cancelled, ModelCrashed, ModelError, ModelHung
from starai.generation import Prompt
from tests.models.graphs import ADD, EXPAND, TIMES, tensors_entry
from tests.models.host_process import has_noticed, is_busy

pytestmark = pytest.mark.process

X = np.array([1, 2], "f4")
#: It would take years.
LONG = {"x": X, "times": np.array(10**15)}
SHORT = {"x": X, "times": np.array(1)}


@pytest.fixture
def hosted(tmp_path):
    """Hosts of small graphs, each loaded."""
    hosts = []

    def start(graph):
        hosts.append(ModelHost(tensors_entry(tmp_path, graph), tmp_path, threads=1))
        hosts[-1].start()
        return hosts[-1]

    yield start
    for host in hosts:
        host.close()


@pytest.fixture
def host(hosted):
    return hosted(TIMES)


def is_right(answer) -> bool:
    return answer.keys() == {"y"} and np.array_equal(answer["y"], 2 * X)


def test_arrays_come_back_by_their_names_and_can_be_written_to(hosted):
    host = hosted(ADD)

    made = host.compute({"b": X, "x": np.ones((2, 3), ">f4").T}, 60)

    assert host.kind is Kind.TENSORS
    np.testing.assert_array_equal(made["y"], [[2, 3]] * 3)
    assert (made["total"].shape, made["total"].item()) == ((), 15)
    assert all(array.flags.writeable for array in made.values())


def test_many_threads_each_get_their_own_answers(host, pool):
    times = range(40)

    answers = pool.map(lambda number: host.compute({"x": X, "times": np.array(number)}, 60), times)

    assert [answer["y"][0] for answer in answers] == [number + 1 for number in times]


def test_what_the_model_does_not_take_is_bad_input_and_the_process_goes_on(host):
    process = host.pid
    with pytest.raises(BadInput, match="'times' is missing"):
        host.compute({"x": X}, 60)
    with pytest.raises(BadInput, match="'x': An array of complex128 cannot be sent"):
        host.compute({"x": X.astype("c16")}, 60)

    assert is_right(host.compute(SHORT, 60))
    assert host.pid == process


def test_asked_for_another_models_work_it_says_what_to_ask_instead(host):
    with pytest.raises(BadInput, match=r"takes named arrays.*'x', float32 of shape \(n,\); 'times', int64"):
        host.run(["a text"], 60)
    with pytest.raises(BadInput, match="takes named arrays"):
        host.generate(Prompt(inputs="a text"), 60)


def test_a_model_that_embeds_says_what_to_ask_instead_of_arrays(minilm):
    with closing(ModelHost(minilm.entry, minilm.folder, threads=1)) as host:
        with pytest.raises(BadInput, match="ask it with a text, or a list of texts"):
            host.compute({"x": X}, 60)
        with pytest.raises(BadInput, match="ask it with a text, or a list of texts"):
            host.compute({}, 60)
        assert host.run(["a text"], 60).shape == (1, 384)


def test_one_that_is_cancelled_while_it_runs_is_stopped_and_the_process_goes_on(host, pool, until):
    process, stop = psutil.Process(host.pid), Future()
    busy = is_busy(process)
    running = pool.submit(host.compute, LONG, None, stop)
    until(busy, 60)
    stop.set_result(None)

    with pytest.raises(Cancelled):
        running.result(timeout=60)

    assert is_right(host.compute(SHORT, 60))
    assert host.pid == process.pid


def test_one_that_is_cancelled_while_it_waits_is_never_begun(host, pool):
    process = psutil.Process(host.pid)
    process.suspend()
    stop = Future()
    waiting = pool.submit(host.compute, LONG, None, stop)
    stop.set_result(None)
    with pytest.raises(Cancelled):
        waiting.result(timeout=60)
    process.resume()

    assert is_right(host.compute(SHORT, 60))


def test_one_whose_process_dies_has_crashed_and_the_next_one_is_answered_by_another(host, pool, until):
    process = psutil.Process(host.pid)
    busy = is_busy(process)
    running = pool.submit(host.compute, LONG, None)
    until(busy, 60)
    process.kill()

    with pytest.raises(ModelCrashed):
        running.result(timeout=60)

    assert is_right(host.compute(SHORT, 60))
    assert host.pid != process.pid


def test_one_that_goes_on_for_too_long_is_hung_and_the_next_one_is_answered_by_another(host, until):
    with pytest.raises(ModelHung, match=r"within 0\.5 s"):
        host.compute(LONG, 0.5)
    until(lambda: has_noticed(host), 60)

    assert is_right(host.compute(SHORT, 60))


def test_a_request_for_all_memory_is_refused_and_takes_none(hosted):
    host = hosted(EXPAND)
    process = psutil.Process(host.pid)
    before = process.memory_info().rss
    for _ in range(3):
        with pytest.raises(BadInput, match="more memory"):
            host.compute({"x": X[:1], "shape": np.array([10**12])}, 60)
        with pytest.raises(BadInput, match="would have 533,333,336 bytes"):
            host.compute({"x": X[:1], "shape": np.array([10**8])}, 60)

    assert process.memory_info().rss < before + 10**8
    assert host.compute({"x": X[:1], "shape": np.array([2])}, 60)["y"].shape == (2,)


@pytest.mark.skipif(not hasattr(psutil, "RLIMIT_AS"), reason="only Linux can take memory from a running process")
def test_where_the_device_has_no_memory_that_is_the_devices_fault(hosted):
    host = hosted(EXPAND)
    process = psutil.Process(host.pid)
    unlimited = process.rlimit(psutil.RLIMIT_AS)
    process.rlimit(psutil.RLIMIT_AS, (process.memory_info().vms + (1 << 24), unlimited[1]))

    with pytest.raises(ModelError, match="failed while it ran") as caught:
        host.compute({"x": X[:1], "shape": np.array([10**8])}, 60)

    assert type(caught.value) is ModelError
    process.rlimit(psutil.RLIMIT_AS, unlimited)
    assert host.compute({"x": X[:1], "shape": np.array([2])}, 60)["y"].shape == (2,)


def test_a_model_that_cannot_be_used_says_why_when_it_is_started(hosted):
    with pytest.raises(ModelError, match=r"'words' is tensor\(string\)"):
        hosted("g (string[n] words) => (string[n] y) { y = Identity(words) }")


def test_what_strangers_ask_writes_nothing_into_the_owners_log(capfd, hosted):
    host = hosted(TIMES)
    with pytest.raises(BadInput):
        host.compute({"x": np.ones(0, "f4"), "times": np.array([1, 2])}, 60)
    host.close()

    assert capfd.readouterr().err == ""
