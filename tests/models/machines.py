"""Machines of the world, as a device would describe them; sizes as their makers count (GiB), speeds as published."""

from models.measurement import Gpu, MachineClass, Maker, Measurement, Speed

GIB = 2**30

A100 = Gpu(maker=Maker.NVIDIA, name="NVIDIA A100-SXM4-80GB", memory_bytes=80 * GIB, driver="580.82")
RTX_3060 = Gpu(maker=Maker.NVIDIA, name="NVIDIA GeForce RTX 3060", memory_bytes=12 * GIB, driver="580.82")
RTX_3090 = Gpu(maker=Maker.NVIDIA, name="NVIDIA GeForce RTX 3090", memory_bytes=24 * GIB, driver="580.82")
RX_7900 = Gpu(maker=Maker.AMD, name="AMD Radeon RX 7900 XTX", memory_bytes=24 * GIB, driver="31.0.24019.1006")
RADEON_IN_PROCESSOR = Gpu(maker=Maker.AMD, name="AMD Radeon(TM) Graphics", memory_bytes=GIB // 2)
M2 = Gpu(maker=Maker.APPLE, name="Apple M2", memory_bytes=16 * GIB)


def machine(
    machine_class: MachineClass = MachineClass.PERSONAL,
    *,
    gpus: tuple[Gpu, ...] = (),
    provider: str = "CPUExecutionProvider",
    gib: float = 32,
    cores: int = 8,
    gb_per_s: float = 40.0,
    not_loaded: str | None = None,
    generates_on: tuple[str, ...] | None = None,
) -> Measurement:
    """Return a machine of which three quarters of the memory are free, with two threads on each core.

    Unless told otherwise it has the engine for language models that there is for its provider.
    """
    engine = {"CPUExecutionProvider": (provider,), "CUDAExecutionProvider": (provider, "CPUExecutionProvider")}
    alone = Speed(threads=1, gflops=100, gb_per_s=gb_per_s / 1.5)
    return Measurement(
        operating_system="some system",
        machine_class=machine_class,
        cpu_model="some processor",
        physical_cores=cores,
        threads=2 * cores,
        memory_bytes=int(gib * GIB),
        memory_available_bytes=int(gib * GIB * 0.75),
        gpus=gpus,
        provider=provider,
        not_loaded=not_loaded,
        generates_on=engine.get(provider, ()) if generates_on is None else generates_on,
        speeds=(alone, Speed(threads=cores, gflops=100 * cores, gb_per_s=gb_per_s)) if cores > 1 else (alone,),
    )
