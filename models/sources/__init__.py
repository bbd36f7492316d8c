"""Where models come from: a module for each kind of source, all of one shape."""

from pathlib import Path

from models.entry import CatalogueEntry, HttpFolder, HuggingFaceRepository, LocalBuild, LocalFolder, PyPIPackage
from models.sources.build import unbuilt
from models.sources.folder import FolderSource
from models.sources.http import HttpSource
from models.sources.hub import HubSource
from models.sources.pypi import PyPISource
from models.sources.source import Offer, OfferedFile, OnBytes, Source

__all__ = ["Offer", "OfferedFile", "OnBytes", "Source", "source_of"]


def source_of(entry: CatalogueEntry, work: Path) -> Source:
    """Return the source of a model.

    Args:
        entry: the model.
        work: a folder for what the source needs meanwhile.

    Raises:
        ModelUnavailable: there is none: the model has to be built.
    """
    match entry.source:
        case PyPIPackage() as package:
            return PyPISource(entry, package, work)
        case HuggingFaceRepository() as repository:
            return HubSource(entry, repository)
        case HttpFolder() as folder:
            return HttpSource(entry, folder)
        case LocalFolder() as folder:
            return FolderSource(entry, folder)
        case LocalBuild() as build:
            raise unbuilt(entry, build)
