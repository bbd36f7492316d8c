"""NVIDIA's GPUs, by NVML, the library of their driver."""

import pynvml

from models.measurement import Gpu, Maker, plain


def nvidia_gpus() -> tuple[Gpu, ...]:
    """Return NVIDIA's GPUs, in the order of their places on the bus; none where no driver is installed.

    A driver that is there and does not work is a GPU with a fault: how many there are, it cannot tell.
    """
    try:
        pynvml.nvmlInit()
    except pynvml.NVMLError_LibraryNotFound:
        return ()
    except pynvml.NVMLError as error:
        return (_faulty("NVIDIA GPU", error),)
    try:
        return tuple(_gpu(place) for place in range(pynvml.nvmlDeviceGetCount()))
    except pynvml.NVMLError as error:
        return (_faulty("NVIDIA GPU", error),)
    finally:
        pynvml.nvmlShutdown()


def _gpu(place: int) -> Gpu:
    try:
        handle = pynvml.nvmlDeviceGetHandleByIndex(place)
        return Gpu(
            maker=Maker.NVIDIA,
            name=plain(pynvml.nvmlDeviceGetName(handle)),
            memory_bytes=pynvml.nvmlDeviceGetMemoryInfo(handle).total,
            driver=plain(pynvml.nvmlSystemGetDriverVersion()),
        )
    except pynvml.NVMLError as error:
        return _faulty(f"NVIDIA GPU {place}", error)


def _faulty(name: str, error: Exception) -> Gpu:
    return Gpu(maker=Maker.NVIDIA, name=name, memory_bytes=0, fault=plain(f"Its driver does not work: {error}"))
