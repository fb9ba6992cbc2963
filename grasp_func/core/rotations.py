"""The six-number representation of rotations, in batched torch.

Six numbers are the first two columns of a rotation matrix before orthonormalisation; the map is
continuous, which angles and quaternions are not. Source: Zhou et al. 2019, arXiv:1812.07035.
Departs from Dext-Gen: degenerate inputs fall back to fixed axes instead of random ones, so that a
forward pass draws no random number.
"""

import torch
from torch import Tensor

EPS = 1e-6


def embedding_to_matrix(embedding: Tensor) -> Tensor:
    """Orthonormalises two columns of three [..., 6] into rotation matrices [..., 3, 3].

    A first column shorter than 1e-6 becomes the x axis; a second one that is parallel to the first
    becomes some fixed unit vector orthogonal to it.
    """
    first, second = embedding[..., :3], embedding[..., 3:]
    x_axis = torch.eye(3, dtype=first.dtype)[0]
    length = first.norm(dim=-1, keepdim=True)
    b1 = torch.where(length > EPS, first / length.clamp(min=EPS), x_axis)
    b2 = _orthogonal_unit(second, b1)
    return torch.stack([b1, b2, torch.linalg.cross(b1, b2, dim=-1)], dim=-1)


def matrix_to_embedding(matrix: Tensor) -> Tensor:
    """Returns the first two columns of [..., 3, 3] as [..., 6]."""
    return torch.cat([matrix[..., 0], matrix[..., 1]], dim=-1)


def _orthogonal_unit(vector: Tensor, axis: Tensor) -> Tensor:
    """Returns the unit vector orthogonal to `axis` (unit) in the plane of both [..., 3]."""
    rest = vector - (vector * axis).sum(-1, keepdim=True) * axis
    length = rest.norm(dim=-1, keepdim=True)
    return torch.where(
        length > EPS, rest / length.clamp(min=EPS), _any_orthogonal_unit(axis.detach())
    )


def _any_orthogonal_unit(axis: Tensor) -> Tensor:
    """Returns a unit vector orthogonal to the unit `axis` [..., 3], a fixed one for each axis."""
    helper = torch.eye(3, dtype=axis.dtype)[axis.abs().argmin(-1)]
    spare = torch.linalg.cross(axis, helper, dim=-1)
    unit: Tensor = spare / spare.norm(dim=-1, keepdim=True)
    return unit
