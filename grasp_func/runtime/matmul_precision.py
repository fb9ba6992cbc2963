"""Which library multiplies float32 matrices: MKL ("highest") or oneDNN ("medium").

PyTorch multiplies with MKL, which on AMD's CPUs uses half of what those with AVX-512 units of full
width can do; its precision "medium" hands products to oneDNN, which uses all of it and stays within
float32 there. The bits of training depend on the choice, so it follows from the CPU alone and never
from a clock, is made on one process and is kept with the run. Source: PyTorch's documentation of
`set_float32_matmul_precision`.
"""

from pathlib import Path
from typing import Literal

import torch

from grasp_func.errors import ConfigError

MAX_ERROR = 2e-6  # of the largest entry; products in bfloat16 are off by 1e-3
FULL_WIDTH_AMD = 26  # CPU family from which AVX-512 units are 512 bits wide (Zen 5)
CPU_FACTS = Path("/proc/cpuinfo")


def choose() -> Literal["highest", "medium"]:
    """Returns what `auto` stands for on this machine, always the same."""
    facts = cpu_facts()
    amd = facts.get("vendor_id") == "AuthenticAMD"
    wide = int(facts.get("cpu family", 0)) >= FULL_WIDTH_AMD and "avx512f" in facts["flags"].split()
    return "medium" if amd and wide and error_of("medium") < MAX_ERROR else "highest"


def use(precision: str) -> None:
    """Makes all products of this process use it.

    Raises:
        ConfigError: this CPU's products would be less precise than float32.
    """
    error = error_of(precision)
    if error >= MAX_ERROR:
        raise ConfigError(
            f"matmul = {precision}: products on this CPU ({cpu_facts().get('model name', '?')}) "
            f"are off by {error:.0e}, expected < {MAX_ERROR:.0e}; start with matmul = highest"
        )
    torch.set_float32_matmul_precision(precision)


def error_of(precision: str) -> float:
    """Returns the largest error of a product, relative to its largest entry."""
    before = torch.get_float32_matmul_precision()
    rng = torch.Generator().manual_seed(0)
    a, b = (torch.randn(256, 256, generator=rng) for _ in range(2))
    exact = a.double() @ b.double()
    try:
        torch.set_float32_matmul_precision(precision)
        return float((a @ b - exact).abs().max() / exact.abs().max())
    finally:
        torch.set_float32_matmul_precision(before)


def cpu_facts() -> dict[str, str]:
    """Returns what Linux tells of the first CPU; empty elsewhere."""
    if not CPU_FACTS.is_file():
        return {}
    lines = CPU_FACTS.read_text().split("\n\n")[0].splitlines()
    return {key.strip(): value.strip() for key, _, value in (line.partition(":") for line in lines)}
