"""The mathematics of a gradient step in JAX, compiled as a whole by XLA, for comparison."""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

import jax
import jax.numpy as jnp

GAMMA, TAU, CLIP, RATE, BOUND = 0.98, 0.05, 5.0, 1e-3, 200.0
# Outputs of the actor that are the rotation embedding.
ROTATION = slice(3, 9)


def make_step(widths: Mapping[str, Sequence[int]]) -> tuple[Any, Any]:
    """Returns the compiled step, (state, scales, batch) -> state, and an initial state."""
    keys = iter(jax.random.split(jax.random.key(0), 8))
    params = {
        name: [
            (jax.random.uniform(next(keys), (a, b), minval=-1, maxval=1) * a**-0.5, jnp.zeros(b))
            for a, b in pairwise(sizes)
        ]
        for name, sizes in widths.items()
    }
    zeros = jax.tree.map(jnp.zeros_like, params)
    state = (params, jax.tree.map(jnp.copy, params), zeros, jax.tree.map(jnp.copy, zeros), 0.0)
    return jax.jit(step, donate_argnums=0), state


def step(state: Any, scales: Any, batch: Any) -> Any:
    """Returns the state after a gradient step and a target update."""
    params, target, mean, square, count = state
    goal = normalize(batch[1], scales[1])
    x = jnp.concatenate([normalize(batch[0], scales[0]), goal], 1)
    next_x = jnp.concatenate([normalize(batch[4], scales[0]), goal], 1)
    next_q = critic(target["critic"], next_x, actor(target["actor"], next_x)[0])
    target_q = jnp.clip(batch[3] + GAMMA * next_q, -1 / (1 - GAMMA), 0)
    grads = jax.grad(loss)(params, params["critic"], target_q, x, batch[2])
    grads = {name: clip(part) for name, part in grads.items()}
    count = count + 1
    mean = jax.tree.map(lambda m, g: 0.9 * m + 0.1 * g, mean, grads)
    square = jax.tree.map(lambda v, g: 0.999 * v + 0.001 * g * g, square, grads)
    c1, c2 = 1 - 0.9**count, 1 - 0.999**count
    params = jax.tree.map(
        lambda p, m, v: p - RATE * (m / c1) / (jnp.sqrt(v / c2) + 1e-8), params, mean, square
    )
    target = jax.tree.map(lambda t, p: (1 - TAU) * t + TAU * p, target, params)
    return params, target, mean, square, count


def loss(params: Any, frozen: Any, target_q: Any, x: Any, action: Any) -> Any:
    """Returns the sum of both losses; `frozen` is the constant critic of the actor's loss."""
    chosen, embedding = actor(params["actor"], x)
    actor_loss = (embedding**2).mean() - critic(frozen, x, chosen).mean()
    return actor_loss + ((critic(params["critic"], x, action) - target_q) ** 2).mean()


def actor(params: Any, x: Any) -> tuple[Any, Any]:
    """Returns actions and the embedding of their rotations."""
    out = jnp.tanh(mlp(params, x))
    embedding = out[:, ROTATION]
    b1 = unit(embedding[:, :3])
    b2 = unit(embedding[:, 3:] - (b1 * embedding[:, 3:]).sum(-1, keepdims=True) * b1)
    matrix = jnp.stack([b1, b2, jnp.cross(b1, b2)], -1).reshape(len(x), 9)
    parts = [out[:, : ROTATION.start], matrix, out[:, ROTATION.stop :]]
    return jnp.concatenate(parts, 1), embedding


def critic(params: Any, x: Any, action: Any) -> Any:
    """Returns Q [B, 1]."""
    return mlp(params, jnp.concatenate([x, action], 1))


def mlp(params: Any, x: Any) -> Any:
    """Linear layers with ReLU between them."""
    for weight, bias in params[:-1]:
        x = jax.nn.relu(x @ weight + bias)
    return x @ params[-1][0] + params[-1][1]


def unit(x: Any) -> Any:
    """Returns vectors [..., n] scaled to length one."""
    return x / jnp.maximum(jnp.sqrt((x * x).sum(-1, keepdims=True) + 1e-12), 1e-6)


def normalize(x: Any, scale: Any) -> Any:
    """Returns values normalised by (mean, std) and clipped."""
    return jnp.clip((x - scale[0]) / scale[1], -BOUND, BOUND)


def clip(grads: Any) -> Any:
    """Scales a network's gradients down to a norm of at most CLIP."""
    norm = jnp.sqrt(sum((leaf**2).sum() for leaf in jax.tree.leaves(grads)))
    return jax.tree.map(lambda leaf: leaf * (CLIP / jnp.maximum(norm, CLIP)), grads)
