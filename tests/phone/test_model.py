"""The model on a phone: what it answers, in a real browser, is what every other device answers."""

import random
from collections.abc import Iterator, Mapping

import numpy as np
import pytest
from playwright.sync_api import Browser

from bench.browser.site import site
from models.calibration import Calibration
from models.embedding import EmbeddingEngine, load_embedding
from models.measurement import Measurement
from models.store import ModelStore
from ops.phone.assets import Asset
from starai.errors import BadInput
from tests.models.conftest import StoredModel
from tests.phone.model_page import Line, ModelPage

pytestmark = pytest.mark.process

_KINDS = (
    range(32, 127),
    range(0x250),
    range(0x300, 0x370),
    range(0x370, 0x1000),
    range(0x3000, 0xD800),
    range(0x1F000, 0x1FB00),
)


@pytest.fixture(scope="module")
def engine(minilm: StoredModel) -> EmbeddingEngine:
    return load_embedding(minilm.entry, minilm.folder, threads=1)


@pytest.fixture(scope="module")
def page(assets: Mapping[str, Asset], browser: Browser, minilm: StoredModel) -> Iterator[ModelPage]:
    """A page with the model loaded, with one thread."""
    with site(assets, ModelStore(minilm.folder.parent)) as url:
        page = ModelPage(browser, url)
        page.load(minilm.entry.name)
        yield page
        page.close()


def texts_of_all_sorts() -> list[str]:
    chosen = random.Random(7)
    fixed = ["", " ", "\t\n", "hello", "a [MASK] b [CLS]", "naïve café Ångström ÇA VA", "ΟΔΟΣ ΑΣ", "İstanbul ẞ ﬁ"]
    fixed += [
        "今天天气很好。",
        "안녕하세요",
        "مرحبا",
        "नमस्ते",
        "🦊🚀 👩‍👩‍👧",
        "zero\u200bwidth\x00\x07",
        "x" * 300,
        "e\u0301",
    ]
    words = ["river stone device " * count for count in (1, 20, 60, 84, 85, 86, 200)]
    return fixed + words + [_characters(chosen) for _ in range(200 - len(fixed) - len(words))]


def _characters(chosen: random.Random) -> str:
    points = (chosen.choice(chosen.choice(_KINDS)) for _ in range(chosen.choice((1, 5, 30, 200))))
    return "".join(map(chr, points))


def test_each_text_has_the_vector_that_other_devices_give_it(page: ModelPage, engine: EmbeddingEngine):
    texts = texts_of_all_sorts()
    vectors, others = page.embed(texts), engine.run(texts)
    assert vectors.shape == (200, 384)
    assert (vectors * others).sum(axis=1).min() >= 0.99999
    np.testing.assert_allclose(vectors, others, atol=1e-5)


def test_a_text_that_is_no_unicode_is_refused_in_the_words_of_other_devices(page: ModelPage, engine: EmbeddingEngine):
    with pytest.raises(BadInput) as refused:
        engine.run(["fine", "🦊 ab\ud83dc"])
    assert page.fault(r'await host.run(["fine", "🦊 ab\ud83dc"])') == f"BadInput: {refused.value}"


def test_no_texts_have_no_vectors(page: ModelPage):
    assert page.do("return (await host.run([])).rows") == 0


def test_a_run_that_nobody_wants_any_more_ends_after_the_step_that_runs(page: ModelPage):
    alone = page.do("const begin = performance.now(); await host.run([given]); return performance.now() - begin", LONG)
    begin = "const stop = new AbortController(); const begin = performance.now(); setTimeout(() => stop.abort(), 1);"
    cancelled = page.do(
        f"{begin} return [await faultOf(host.run(given, stop.signal)), performance.now() - begin]", [LONG] * 300
    )
    assert cancelled[0] == "Cancelled: A task was cancelled while the model all-minilm-l6-v2 ran it."
    assert cancelled[1] < 100 * alone
    assert page.embed(["hello"]).shape == (1, 384)


LONG = "river stone device " * 90


def test_a_run_that_was_cancelled_before_it_began_is_not_begun(page: ModelPage):
    assert page.fault("await host.run(['hello'], AbortSignal.abort())").startswith("Cancelled: ")


def test_runs_that_wait_together_each_get_their_own(page: ModelPage):
    both = page.do(
        "return Promise.all([host.run(['a cat']), host.run(['a dog'])].map(async (run) => packed(await run)))"
    )
    assert both == [page.embed([text]).tobytes().hex() for text in ("a cat", "a dog")]


def test_a_worker_that_dies_rejects_what_runs_and_the_next_run_has_another(page: ModelPage, minilm: StoredModel):
    page.do("globalThis.running = faultOf(host.run(Array(300).fill(given)))", LONG)
    page.page.workers[-1].evaluate("() => { setTimeout(() => { throw new Error('out of luck'); }); }")
    fault = page.do("return running")
    assert fault.startswith("ModelError: ")
    assert "out of luck" in fault
    assert page.embed(["hello"]).shape == (1, 384)


def test_closing_a_host_ends_what_runs_at_once(page: ModelPage):
    page.do("globalThis.other = await openHost(model, 1)")
    closing = "const running = faultOf(other.run(Array(300).fill(given))); other.close(); return running"
    assert page.do(closing, LONG) == "ModelError: The model all-minilm-l6-v2 was closed while it ran."
    assert "is closed" in page.fault("await other.run(['hello'])")


def test_several_threads_give_the_same_vectors(page: ModelPage):
    page.do("globalThis.other = await openHost(model, 2)")
    rows = page.do("try { return packed(await other.run(given)); } finally { other.close(); }", ["a cat", LONG])
    np.testing.assert_allclose(
        np.frombuffer(bytes.fromhex(rows), "<f4").reshape(2, -1), page.embed(["a cat", LONG]), atol=1e-6
    )


def test_a_phone_measures_itself_in_the_form_of_other_devices(page: ModelPage):
    told = page.do("const told = []; return [await measure(({done, total}) => told.push([done, total])), told]")
    measurement = Measurement.model_validate(told[0])
    assert [speed.threads for speed in measurement.speeds] == sorted({1, measurement.threads})
    assert measurement.provider == "WasmExecutionProvider"
    assert told[1] == sorted(told[1])
    assert told[1][-1][0] == told[1][-1][1]


def test_a_phone_measures_itself_with_the_threads_that_its_owner_lends(page: ModelPage):
    measurement = Measurement.model_validate(page.do("return measure(() => {}, 1)"))
    assert [speed.threads for speed in measurement.speeds] == [1]


def test_a_phone_tries_how_fast_the_model_runs_one_task_at_a_time(page: ModelPage):
    calibration = Calibration.model_validate(page.do("return calibrate(host)"))
    assert calibration.slots == 1
    assert calibration.tasks_per_second > 0.1


def test_a_page_that_is_not_isolated_runs_the_model_with_one_thread(
    assets: Mapping[str, Asset],
    browser: Browser,
    minilm: StoredModel,
    engine: EmbeddingEngine,
):
    line = Line()
    line.lacks = (b"cross-origin-opener-policy", b"cross-origin-embedder-policy")
    with site(assets, ModelStore(minilm.folder.parent), around=line) as url:
        page = ModelPage(browser, url)
        page.load(minilm.entry.name, threads=4)
        assert not page.do("return crossOriginIsolated")
        np.testing.assert_allclose(page.embed(["a cat"]), engine.run(["a cat"]), atol=1e-5)
        assert [speed["threads"] for speed in page.do("return (await measure(() => {})).speeds")] == [1]
        page.close()
