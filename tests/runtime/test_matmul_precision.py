"""The choice of the matrix library: by the CPU alone, never less precise than float32."""

import pytest
import torch

from grasp_func.errors import ConfigError
from grasp_func.runtime import machine, matmul_precision

CPU = "processor\t: 0\nvendor_id\t: {vendor}\ncpu family\t: {family}\nflags\t\t: fpu {flags}\n"


@pytest.fixture
def cpu(monkeypatch, tmp_path):
    """Returns a function that replaces this machine's CPU by another."""

    def install(vendor, family, flags="avx2 avx512f", error=1e-7):
        path = tmp_path / "cpuinfo"
        first = CPU.format(vendor=vendor, family=family, flags=flags)
        path.write_text(f"{first}\nprocessor\t: 1\nvendor_id\t: other\n")
        monkeypatch.setattr(machine, "CPU_FACTS", path)
        monkeypatch.setattr(matmul_precision, "error_of", lambda precision: error)

    return install


@pytest.mark.parametrize(
    ("facts", "choice"),
    [
        (("AuthenticAMD", 26), "medium"),
        (("AuthenticAMD", 25), "highest"),
        (("AuthenticAMD", 26, "avx2"), "highest"),
        (("AuthenticAMD", 26, "avx512f", 1e-3), "highest"),
        (("GenuineIntel", 6), "highest"),
        (("GenuineIntel", 30), "highest"),
    ],
)
def test_choice_by_cpu(cpu, facts, choice):
    cpu(*facts)
    assert matmul_precision.choose() == choice


def test_an_unknown_machine_uses_the_safe_choice(monkeypatch, tmp_path):
    monkeypatch.setattr(machine, "CPU_FACTS", tmp_path / "missing")
    assert matmul_precision.choose() == "highest"


def test_highest_is_float32_and_the_measurement_changes_nothing():
    before = torch.get_float32_matmul_precision()
    assert 1e-8 < matmul_precision.error_of("highest") < matmul_precision.MAX_ERROR
    assert matmul_precision.error_of("medium") == matmul_precision.error_of("medium")
    assert torch.get_float32_matmul_precision() == before


def test_imprecise_products_are_refused(cpu, monkeypatch):
    calls = []
    monkeypatch.setattr(torch, "set_float32_matmul_precision", calls.append)
    cpu("GenuineIntel", 6, error=1e-3)
    with pytest.raises(ConfigError, match=r"matmul = medium: .* off by 1e-03, expected < 2e-06"):
        matmul_precision.use("medium")
    assert calls == []
    cpu("GenuineIntel", 6)
    matmul_precision.use("medium")
    assert calls == ["medium"]
