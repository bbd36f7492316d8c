"""A device that is a page in a browser, as a phone is: by what it is known, and which models run there."""

from broker_config.tiers import Tier
from models.entry import CatalogueEntry, Kind

#: The execution provider that a page measures: ONNX Runtime in WebAssembly.
BROWSER = "WasmExecutionProvider"
#: Bytes that the page takes beside a model's weights: the engine, its working memory, the tokenizer. Measured in
#: Chromium with all-minilm-l6-v2: 111 MB beside its weights without a tokenizer, once it has run; twice the weights
#: for the seconds in which it is loaded.
OVERHEAD = 2 * 10**8
#: Tasks that a page runs at once, over all its models: one worker of it computes.
SLOTS = 1


def runs_in_browser(entry: CatalogueEntry) -> bool:
    """Tell whether a page has an engine for such a model, and would fetch it."""
    return entry.kind is Kind.EMBED and entry.tier is Tier.TINY
