"""The greedy policy for one observation at a time, in NumPy.

Running a batch of one through torch costs ten times its arithmetic. Layers are computed in float64:
a short rotation embedding amplifies float32 rounding to 4e-5 of an action, which would then differ
between CPUs and from an exported policy. The torch functions in `networks` are the reference; a
test compares both.
"""

from typing import NamedTuple

import numpy as np

from grasp_func.core.networks import EMBEDDING, Networks, layers_of
from grasp_func.core.normalizer import Scaling
from grasp_func.core.rotations import EPS
from grasp_func.core.types import Array, Params


class Policy(NamedTuple):
    """An actor and its normalizers, as a function of one observation [S] and goal [G].

    Attributes:
        layers: (weight [out, in], bias [out]) of each linear layer, float64.
        scale: mean, std and clip of observation and goal, joined [S + G], float32.
        rotation: entries of the action that hold a rotation matrix, or None.
        products: see `networks.with_products`.
    """

    layers: tuple[tuple[Array, Array], ...]
    scale: tuple[Array, Array, Array]
    rotation: slice | None
    products: tuple[int, ...] = ()

    def __call__(self, obs: Array, goal: Array) -> Array:
        """Returns the greedy action [A]; see `act`."""
        return act(self, obs, goal)


def make_policy(
    actor: Params,
    obs: Scaling,
    goal: Scaling,
    rotation: slice | None,
    products: tuple[int, ...] = (),
) -> Policy:
    """Copies an actor and its normalizers into a policy."""
    layers = tuple(
        (np.array(weight.numpy(), np.float64), np.array(bias.numpy(), np.float64))
        for weight, bias in layers_of(actor)
    )
    mean = np.concatenate([obs.mean.numpy(), goal.mean.numpy()])
    std = np.concatenate([obs.std.numpy(), goal.std.numpy()])
    clip = np.repeat(np.array([obs.clip, goal.clip], np.float32), [len(obs.mean), len(goal.mean)])
    return Policy(layers, (mean, std, clip), rotation, products)


def policy_of(nets: Networks, actor: Params, scalings: tuple[Scaling, Scaling]) -> Policy:
    """Builds the policy of an actor of `nets`; `scalings` are of observations and of goals."""
    return make_policy(actor, *scalings, nets.rotation, nets.products)


def act(policy: Policy, obs: Array, goal: Array) -> Array:
    """Returns the greedy action.

    Args:
        policy: actor and normalizers.
        obs: one observation [S].
        goal: one goal [G].

    Returns:
        action [A] in [-1, 1], float32; a rotation is an orthonormal matrix, row by row.
    """
    mean, std, clip = policy.scale
    x = np.concatenate([obs, goal], dtype=np.float32)
    x -= mean
    x /= std
    np.minimum(np.maximum(x, -clip, out=x), clip, out=x)
    x = x.astype(np.float64)
    if policy.products:
        a, b, c, d = policy.products
        x = np.concatenate([x, np.outer(x[a:b], x[c:d]).ravel()])
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
    """Returns `rotations.embedding_to_matrix` of one embedding [6], row by row [9].

    Plain floats are ten times as fast here as arrays of three.
    """
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
