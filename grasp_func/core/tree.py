"""Trees of tensors and the flat vector behind them.

The agent keeps its parameters as ONE flat vector, of which named parameters are views. Adam, Polyak
averaging, the collective and the checksum are then one operation each for any networks. `jax.tree`
is the only tree library in use, since torch's pytree orders dictionaries differently.
"""

import math
from collections.abc import Callable
from typing import Any

import jax
import torch
from torch import Tensor
from torch.nn.functional import pad

# Each leaf starts at a multiple of this many numbers (64 bytes), where matrix products are fast and
# always give the same bits.
ALIGNMENT = 16


def ravel(tree: Any) -> tuple[Tensor, Callable[[Tensor], Any]]:
    """Flattens a tree of tensors of one dtype into a vector; zeros align the leaves.

    Returns:
        (flat, unravel): the vector [P], and a function that returns views of any vector [P] as a
        tree of the same structure.
    """
    leaves, structure = jax.tree.flatten(tree)
    shapes = [leaf.shape for leaf in leaves]
    sizes = [math.prod(shape) for shape in shapes]
    padded = [size + -size % ALIGNMENT for size in sizes]

    def unravel(flat: Tensor) -> Any:
        if flat.shape != (sum(padded),):
            raise ValueError(
                f"expected a vector of {sum(padded)} numbers, got shape {tuple(flat.shape)}"
            )
        pieces = zip(flat.split(padded), sizes, shapes, strict=True)
        views = [
            (piece if len(piece) == size else piece[:size]).view(shape)
            for piece, size, shape in pieces
        ]
        return jax.tree.unflatten(structure, views)

    return flatten(tree), unravel


def flatten(tree: Any) -> Tensor:
    """Returns the vector [P] of `ravel`."""
    rows = [leaf.reshape(-1) for leaf in jax.tree.leaves(tree)]
    gaps = [-len(row) % ALIGNMENT for row in rows]
    return torch.cat(
        [pad(row, (0, gap)) if gap else row for row, gap in zip(rows, gaps, strict=True)]
    )


def polyak(target: Tensor, online: Tensor, tau: float) -> Tensor:
    """Returns (1 - tau) * target + tau * online."""
    return torch.lerp(target, online, tau)
