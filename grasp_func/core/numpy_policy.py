"""The greedy policy for one observation at a time, in NumPy.

A batch of one through torch costs ten times its arithmetic. Layers are computed in float64: a short
rotation embedding blows float32's rounding up to 4e-5 of an action, which would differ between CPUs
and from an exported policy. The torch functions in `networks` stay the reference: a test holds both
together.
"""

from typing import NamedTuple

import numpy as np

from grasp_func.core.networks import EMBEDDING, Networks
from grasp_func.core.normalizer import Scaling
from grasp_func.core.rotations import EPS
from grasp_func.core.types import Array, Params


class Policy(NamedTuple):
    """An actor and its normalizers, as a function of one observation [S] and goal [G]."""

    layers: tuple[tuple[Array, Array], ...]  # (weight [out, in], bias [out]); float64
    scale: tuple[Array, Array, Array]  # mean, std, clip of both, joined [S + G]; float32
    rotation: slice | None

    def __call__(self, obs: Array, goal: Array) -> Array:
        """Returns the greedy action [A]; see `act`."""
        return act(self, obs, goal)


def make_policy(actor: Params, obs: Scaling, goal: Scaling, rotation: slice | None) -> Policy:
    """Copies an actor and its normalizers into a policy."""
    wide = {name: tensor.double().numpy() for name, tensor in actor.items()}
    layers = tuple(
        (wide[f"layers.{2 * i}.weight"], wide[f"layers.{2 * i}.bias"])
        for i in range(len(actor) // 2)
    )
    mean = np.concatenate([obs.mean.numpy(), goal.mean.numpy()])
    std = np.concatenate([obs.std.numpy(), goal.std.numpy()])
    clip = np.repeat(np.array([obs.clip, goal.clip], np.float32), [len(obs.mean), len(goal.mean)])
    return Policy(layers, (mean, std, clip), rotation)


def policy_of(nets: Networks, actor: Params, scalings: tuple[Scaling, Scaling]) -> Policy:
    """Makes a policy of an actor of `nets`."""
    return make_policy(actor, *scalings, nets.rotation)


def act(policy: Policy, obs: Array, goal: Array) -> Array:
    """Returns the greedy action.

    Args:
        policy: actor and normalizers.
        obs: one observation [S].
        goal: one goal [G].

    Returns:
        action [A] in [-1, 1], float32; a rotation comes as an orthonormal matrix, row by row.
    """
    mean, std, clip = policy.scale
    x = np.concatenate([obs, goal], dtype=np.float32)
    x -= mean
    x /= std
    np.minimum(np.maximum(x, -clip, out=x), clip, out=x)
    x = x.astype(np.float64)
    for weight, bias in policy.layers[:-1]:
        x = weight @ x
        x += bias
        np.maximum(x, 0.0, out=x)
    weight, bias = policy.layers[-1]
    x = np.tanh(weight @ x + bias)
    if policy.rotation is None:
        return x.astype(np.float32)
    start = policy.rotation.start
    matrix = _matrix(x[start : start + EMBEDDING])
    return np.concatenate([x[:start], matrix, x[start + EMBEDDING :]], dtype=np.float32)


def _matrix(embedding: Array) -> Array:
    """Scalar Gram-Schmidt of six numbers into nine; see `rotations.embedding_to_matrix`."""
    ax, ay, az, bx, by, bz = embedding.tolist()
    norm = (ax * ax + ay * ay + az * az) ** 0.5
    ax, ay, az = (ax / norm, ay / norm, az / norm) if norm > EPS else (1.0, 0.0, 0.0)
    dot = ax * bx + ay * by + az * bz
    bx, by, bz = bx - dot * ax, by - dot * ay, bz - dot * az
    norm = (bx * bx + by * by + bz * bz) ** 0.5
    if norm <= EPS:
        bx, by, bz = _any_orthogonal(ax, ay, az)
        norm = (bx * bx + by * by + bz * bz) ** 0.5
    bx, by, bz = bx / norm, by / norm, bz / norm
    cx, cy, cz = ay * bz - az * by, az * bx - ax * bz, ax * by - ay * bx
    return np.array((ax, bx, cx, ay, by, cy, az, bz, cz))


def _any_orthogonal(x: float, y: float, z: float) -> tuple[float, float, float]:
    """Returns the cross product of (x, y, z) with the axis on which it has its smallest part."""
    smallest = min(abs(x), abs(y), abs(z))
    if abs(x) == smallest:
        return 0.0, z, -y
    if abs(y) == smallest:
        return -z, 0.0, x
    return y, -x, 0.0
