"""Rotations that turn only as quaternions: Euler angles, and axis and angle, in batched torch.

No linear map of their entries turns them, so symmetric replay writes them as quaternions xyzw,
turns these, and goes back. Entries are those of an action, in [-1, 1]. Not in Dext-Gen.
"""

import math
from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor

_TINY = 1e-12


class RotationForm(NamedTuple):
    """A form of rotations.

    Attributes:
        size: number of entries n.
        to_quaternion: entries [..., n] -> quaternions xyzw [..., 4].
        from_quaternion: (unit quaternions xyzw [..., 4], the entries before they turned [..., n])
            -> entries [..., n]. Of several that mean the same it returns those nearest to the
            entries before, if these choose.
    """

    size: int
    to_quaternion: Callable[[Tensor], Tensor]
    from_quaternion: Callable[[Tensor, Tensor], Tensor]


def _from_euler(entries: Tensor) -> Tensor:
    a, b, c = (entries * torch.tensor([0.5, 0.25, 0.5]) * math.pi).unbind(-1)
    return torch.stack(
        [
            a.sin() * b.cos() * c.cos() + a.cos() * b.sin() * c.sin(),
            a.cos() * b.sin() * c.cos() - a.sin() * b.cos() * c.sin(),
            a.cos() * b.cos() * c.sin() + a.sin() * b.sin() * c.cos(),
            a.cos() * b.cos() * c.cos() - a.sin() * b.sin() * c.sin(),
        ],
        dim=-1,
    )


def _to_euler(quaternion: Tensor, before: Tensor) -> Tensor:
    """Half the sum and half the difference of the outer angles are angles in two planes.

    So the sum is exact even where the middle angle is +-pi/2 and only the sum counts.
    """
    x, y, z, w = quaternion.unbind(-1)
    half_sum, half_difference = torch.atan2(x + z, w + y), torch.atan2(x - z, w - y)
    plus, minus = torch.hypot(x + z, w + y), torch.hypot(x - z, w - y)
    middle = 2 * torch.atan2(plus - minus, plus + minus)
    outer = [half_sum + half_difference, half_sum - half_difference]
    first, last = (torch.remainder(angle / math.pi + 1, 2) - 1 for angle in outer)
    return torch.stack([first, 2 * middle / math.pi, last], dim=-1)


def _from_axis_angle(entries: Tensor) -> Tensor:
    axis, half = entries[..., :3], 0.5 * math.pi * entries[..., 3:]
    unit = axis / torch.linalg.vector_norm(axis, dim=-1, keepdim=True).clamp(min=_TINY)
    return torch.cat([unit * half.sin(), half.cos()], dim=-1)


def _to_axis_angle(quaternion: Tensor, before: Tensor) -> Tensor:
    """Keeps what a quaternion does not have: the axis's length, and the sign of the angle."""
    vector, w = quaternion[..., :3], quaternion[..., 3:]
    axis, angle = before[..., :3], before[..., 3:]
    sine, length = (torch.linalg.vector_norm(v, dim=-1, keepdim=True) for v in (vector, axis))
    sign = torch.where(angle < 0, -1.0, 1.0)
    unit = torch.where(w < 0, -sign, sign) * vector / sine.clamp(min=_TINY)
    return torch.cat(
        [
            torch.where(sine > _TINY, length * unit, axis),
            sign * torch.atan2(sine, w.abs()) * 2 / math.pi,
        ],
        dim=-1,
    )


# Intrinsic angles about x, y and z, divided by pi, pi/2 and pi.
EULER = RotationForm(3, _from_euler, _to_euler)
# An axis of any length, and an angle divided by pi.
AXIS_ANGLE = RotationForm(4, _from_axis_angle, _to_axis_angle)
