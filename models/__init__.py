"""Models on this device: catalogue, store, engines. No broker, no database."""

import os

# ONNX Runtime reports to its maker by default, and reads this only when it is imported.
os.environ["ORT_DISABLE_TELEMETRY"] = "1"
# NVML, which finds GPUs, counts them in this order; CUDA would begin with the fastest one.
os.environ.setdefault("CUDA_DEVICE_ORDER", "PCI_BUS_ID")
