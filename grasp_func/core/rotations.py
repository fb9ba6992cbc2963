"""The six-number representation of rotations, in batched torch.

The six numbers are the first two columns of a rotation matrix before orthonormalisation. The map to
rotations is continuous, unlike that of Euler angles or quaternions. Source: Zhou et al. 2019,
arXiv:1812.07035. Departs from Dext-Gen: degenerate inputs fall back to fixed axes instead of random
ones, so that a forward pass draws no random numbers. All functions can be compiled by
`torch.jit.script`.
"""

import torch
from torch import Tensor

EPS = 1e-6


def embedding_to_matrix(embedding: Tensor, eps: float = EPS) -> Tensor:
    """Orthonormalises two columns of three numbers into rotation matrices (Gram-Schmidt).

    A first column shorter than `eps` is replaced by the x axis. A second column that is parallel to
    the first (up to `eps`) is replaced by a fixed unit vector orthogonal to it.

    Args:
        embedding: first column and second column [..., 6].
        eps: length below which a vector has no direction.

    Returns:
        rotation matrices [..., 3, 3].
    """
    first, second = embedding[..., :3], embedding[..., 3:]
    x_axis = torch.eye(3, dtype=embedding.dtype, device=embedding.device)[0]
    length = torch.linalg.vector_norm(first, dim=-1, keepdim=True)
    b1 = torch.where(length > eps, first / length.clamp(min=eps), x_axis)
    b2 = _orthogonal_unit(second, b1, eps)
    return torch.stack([b1, b2, torch.linalg.cross(b1, b2, dim=-1)], dim=-1)


def matrix_to_embedding(matrix: Tensor) -> Tensor:
    """Returns the first two columns of matrices [..., 3, 3] as [..., 6]."""
    return torch.cat([matrix[..., 0], matrix[..., 1]], dim=-1)


def _orthogonal_unit(vector: Tensor, axis: Tensor, eps: float) -> Tensor:
    """Returns the unit vector orthogonal to the unit `axis` in the plane of both [..., 3]."""
    rest = vector - (vector * axis).sum(-1, keepdim=True) * axis
    length = torch.linalg.vector_norm(rest, dim=-1, keepdim=True)
    fallback = _any_orthogonal_unit(axis.detach())
    return torch.where(length > eps, rest / length.clamp(min=eps), fallback)


def _any_orthogonal_unit(axis: Tensor) -> Tensor:
    """Returns a unit vector orthogonal to the unit `axis` [..., 3], a fixed one for each axis."""
    helper = torch.eye(3, dtype=axis.dtype, device=axis.device)[axis.abs().argmin(-1)]
    normal = torch.linalg.cross(axis, helper, dim=-1)
    unit: Tensor = normal / torch.linalg.vector_norm(normal, dim=-1, keepdim=True)
    return unit
