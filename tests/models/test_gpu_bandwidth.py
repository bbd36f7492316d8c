import pytest

from models.gpu_bandwidth import UNKNOWN, gpu_bandwidth


@pytest.mark.parametrize(
    ("name", "gb_per_s"),
    [
        ("NVIDIA A100-SXM4-80GB", 2039),
        ("NVIDIA A100 80GB PCIe", 1935),
        ("NVIDIA A100-PCIE-40GB", 1555),
        ("NVIDIA A10", 600),
        ("NVIDIA H100 PCIe", 2000),
        ("NVIDIA H100 80GB HBM3", 3350),
        ("NVIDIA L4", 300),
        ("NVIDIA L40S", 864),
        ("Tesla T4", 300),
        ("NVIDIA GeForce RTX 3060", 360),
        ("NVIDIA GeForce RTX 3060 Ti", 448),
        ("NVIDIA GeForce RTX 4060 Ti", 272),
        ("AMD Radeon RX 7900 XTX", 960),
        ("AMD Radeon RX 7900 XT", 800),
        ("amd radeon rx 6800 xt", 512),
    ],
)
def test_a_gpu_is_known_by_its_name(name: str, gb_per_s: float) -> None:
    assert gpu_bandwidth(name) == gb_per_s


@pytest.mark.parametrize(
    "name", ["", "NVIDIA T400 4GB", "NVIDIA RTX A4000", "NVIDIA GeForce RTX 4090 Laptop GPU", "AMD Radeon(TM) Graphics"]
)
def test_a_gpu_that_is_not_known_is_taken_to_be_slow(name: str) -> None:
    assert gpu_bandwidth(name) == UNKNOWN
