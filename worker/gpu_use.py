"""How much of this machine's NVIDIA GPUs is used, as their driver tells it."""

import pynvml


class NvidiaGpus:
    """All GPUs of the machine, with the driver held open; none where it is not installed.

    Raises:
        pynvml.NVMLError: the driver is there and cannot tell. So do the methods.
    """

    def __init__(self) -> None:
        try:
            pynvml.nvmlInit()
        except pynvml.NVMLError_LibraryNotFound:
            self._handles = []
            return
        self._handles = [pynvml.nvmlDeviceGetHandleByIndex(index) for index in range(pynvml.nvmlDeviceGetCount())]

    def use(self) -> tuple[float, float]:
        """Return two shares: of all GPUs' time, as for processors; and of the memory of the fullest GPU."""
        if not self._handles:
            return 0.0, 0.0
        busy = [pynvml.nvmlDeviceGetUtilizationRates(handle).gpu / 100 for handle in self._handles]
        memory = [pynvml.nvmlDeviceGetMemoryInfo(handle) for handle in self._handles]
        return sum(busy) / len(busy), max(gpu.used / gpu.total for gpu in memory)

    def close(self) -> None:
        """Let go of the driver."""
        if self._handles:
            pynvml.nvmlShutdown()
