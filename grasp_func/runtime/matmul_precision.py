"""Chooses the library that multiplies float32 matrices: MKL ("highest") or oneDNN ("medium").

By default PyTorch multiplies with MKL, which reaches half of the peak speed of AMD CPUs with
full-width AVX-512 units. With its precision "medium", PyTorch calls oneDNN, which reaches all of it
and keeps float32's precision on these CPUs. The bits of training depend on the choice. So it
depends on the CPU alone, never on timings; rank 0 makes it, and it is stored with the run. Source:
PyTorch's documentation of `set_float32_matmul_precision`.
"""

from typing import Literal

import torch

from grasp_func.errors import ConfigError
from grasp_func.runtime.machine import cpu_facts

# Relative to the largest entry of a product. Products in bfloat16 are off by 1e-3.
MAX_ERROR = 2e-6
# First CPU family of AMD whose AVX-512 units are 512 bits wide (Zen 5).
FULL_WIDTH_AMD = 26


def choose() -> Literal["highest", "medium"]:
    """Returns the precision that `auto` stands for on this CPU."""
    facts = cpu_facts()
    amd = facts.get("vendor_id") == "AuthenticAMD"
    wide = int(facts.get("cpu family", 0)) >= FULL_WIDTH_AMD and "avx512f" in facts["flags"].split()
    return "medium" if amd and wide and error_of("medium") < MAX_ERROR else "highest"


def use(precision: str) -> None:
    """Sets the precision of all matrix products in this process.

    Args:
        precision: "highest" or "medium".

    Raises:
        ConfigError: products on this CPU would be less precise than float32.
    """
    error = error_of(precision)
    if error >= MAX_ERROR:
        raise ConfigError(
            f"matmul = {precision}: products on this CPU ({cpu_facts().get('model name', '?')}) "
            f"are off by {error:.0e}, expected < {MAX_ERROR:.0e}; "
            "start a new run with matmul = highest"
        )
    torch.set_float32_matmul_precision(precision)


def error_of(precision: str) -> float:
    """Returns the largest error of a product with this precision, relative to its largest entry."""
    before = torch.get_float32_matmul_precision()
    rng = torch.Generator().manual_seed(0)
    a, b = (torch.randn(256, 256, generator=rng) for _ in range(2))
    exact = a.double() @ b.double()
    try:
        torch.set_float32_matmul_precision(precision)
        return float((a @ b - exact).abs().max() / exact.abs().max())
    finally:
        torch.set_float32_matmul_precision(before)
