"""Symmetric replay: recorded transitions, turned and mirrored into others that are just as true.

Where a task looks the same from all sides, a transition also tells what would have happened if
gripper, object, goal and action had all been turned about the vertical axis, or mirrored. Such
copies cost little and multiply the experience. Source: Lin et al. 2020, "Invariant transform
experience replay", arXiv:1909.10707. Not in Dext-Gen.
"""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from grasp_func.core.rng import Key, numpy_rng
from grasp_func.core.types import Array, Pairs, Symmetry, Transition, VectorSymmetry

Blocks = Sequence[tuple[str, int]]
Involution = tuple[Sequence[int], Sequence[float]]


def make_vector_symmetry(
    blocks: Blocks, center: tuple[float, float], involutions: Sequence[Involution] = ()
) -> VectorSymmetry:
    """Finds the entries that turn, from what the blocks of a vector are.

    Args:
        blocks: (kind, size) of each block, in order. "point" and "vector": triples x, y, z;
            "rotation": six numbers, the first two columns of a matrix, or nine, a matrix row by
            row, or four, a quaternion xyzw; "invariant": any numbers that do not change.
        center: x and y of the vertical axis.
        involutions: (source entry [n], sign [n]) of each; applied twice it changes nothing but the
            sign of a quaternion.

    Raises:
        ValueError: unknown kind, a size that does not suit it, or an involution of another size.
    """
    places: dict[float, list[tuple[int, int]]] = {}
    middle: list[float] = []
    for kind, size in blocks:
        start = len(middle)
        share, pairs = _turning(kind, size)
        places.setdefault(share, []).extend((start + x, start + y) for x, y in pairs)
        middle += [*center, 0.0] * (size // 3) if kind == "point" else [0.0] * size
    for source, sign in involutions:
        if sorted(source) != list(range(len(middle))) or len(sign) != len(middle):
            raise ValueError(f"an involution of {len(source)} entries, expected {len(middle)}")
    return VectorSymmetry(
        np.array(middle, np.float32),
        tuple(Pairs(np.array(p, int), share) for share, p in places.items() if p),
        tuple((np.array(source), np.array(sign, np.float32)) for source, sign in involutions),
    )


def transform(batch: Transition, key: Key, symmetry: Symmetry, p: float) -> Transition:
    """Replaces a part of the transitions by random symmetric copies; rewards stay.

    Args:
        batch: transitions [B, ...].
        key: names the draw.
        symmetry: of the environment.
        p: probability that a transition is replaced. Its copy is turned by a uniform angle, and
            each involution is applied with probability 1/2.
    """
    rng = numpy_rng(key)
    rows = torch.from_numpy(np.flatnonzero(rng.random(len(batch.obs)) < p))
    angle = rng.uniform(-np.pi, np.pi, (len(rows), 1))
    flips = rng.random((len(rows), len(symmetry.obs.involutions), 1)) < 0.5
    fields = {
        "obs": symmetry.obs,
        "goal": symmetry.goal,
        "action": symmetry.action,
        "next_obs": symmetry.obs,
    }
    copies = {
        name: getattr(batch, name).index_copy(
            0, rows, apply(getattr(batch, name)[rows], angle, flips, part)
        )
        for name, part in fields.items()
    }
    return batch._replace(**copies)


def apply(values: Tensor, angle: Array, flips: Array, symmetry: VectorSymmetry) -> Tensor:
    """Flips and turns vectors.

    Args:
        values: [B, n].
        angle: of the turn [B, 1] (rad).
        flips: bool [B, I, 1], which involutions are applied.
        symmetry: of these vectors.
    """
    center = torch.from_numpy(symmetry.center)
    out = values - center
    for i, (source, sign) in enumerate(symmetry.involutions):
        flipped = out[:, torch.from_numpy(source)] * torch.from_numpy(sign)
        out = torch.where(torch.from_numpy(flips[:, i]), flipped, out)
    for pairs in symmetry.pairs:
        turn = pairs.share * angle
        cos, sin = (torch.from_numpy(f(turn).astype(np.float32)) for f in (np.cos, np.sin))
        at_x, at_y = torch.from_numpy(pairs.entries).unbind(1)
        x, y = out[:, at_x], out[:, at_y]
        out = out.index_copy(1, at_x, cos * x - sin * y).index_copy(1, at_y, sin * x + cos * y)
    return out + center


def _turning(kind: str, size: int) -> tuple[float, list[tuple[int, int]]]:
    """Returns the share of the angle by which a block turns, and its pairs of entries (x, y)."""
    if kind == "invariant":
        return 1.0, []
    if (kind in ("point", "vector") and size % 3 == 0) or (kind, size) == ("rotation", 6):
        return 1.0, [(i, i + 1) for i in range(0, size, 3)]
    if (kind, size) == ("rotation", 9):
        return 1.0, [(0, 3), (1, 4), (2, 5)]
    if (kind, size) == ("rotation", 4):
        return 0.5, [(0, 1), (3, 2)]  # (x, y) and (w, z)
    raise ValueError(
        f"a block of kind {kind!r} with {size} entries, expected point or vector with a multiple "
        "of 3, rotation with 4, 6 or 9, or invariant"
    )
