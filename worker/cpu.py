"""The name of this machine's processor."""

import platform
import subprocess
import sys
from pathlib import Path


def cpu_model() -> str:
    """Return the name by which the processor was sold, or at least its architecture."""
    named: str | None
    if sys.platform == "linux":
        named = cpu_model_in(Path("/proc/cpuinfo").read_text("utf-8", "replace"))
    elif sys.platform == "darwin":
        command = ["/usr/sbin/sysctl", "-n", "machdep.cpu.brand_string"]
        named = subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip()
    else:
        named = _windows_cpu_model()
    return named or platform.processor() or platform.machine()


def cpu_model_in(cpuinfo: str) -> str | None:
    """Return the processor's name from the text of Linux's ``/proc/cpuinfo``; ARM processors have none there."""
    fields = (line.partition(":") for line in cpuinfo.splitlines())
    return next((value.strip() for key, _, value in fields if key.strip() == "model name" and value.strip()), None)


def _windows_cpu_model() -> str | None:
    if sys.platform == "win32":
        import winreg  # noqa: PLC0415

        with winreg.OpenKey(winreg.HKEY_LOCAL_MACHINE, r"HARDWARE\DESCRIPTION\System\CentralProcessor\0") as key:
            return str(winreg.QueryValueEx(key, "ProcessorNameString")[0]).strip()
    return None
