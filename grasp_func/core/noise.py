"""Exploration noise, drawn for a whole episode at once and added by a pure function.

With probability `eps` an action is replaced by a random one from the noise process, otherwise
Gaussian noise of standard deviation `sigma` is added. Source: Andrychowicz et al. 2017,
arXiv:1707.01495, appendix A; the Ornstein-Uhlenbeck process: Lillicrap et al. 2015,
arXiv:1509.02971.
"""

from collections.abc import Callable, Mapping
from typing import NamedTuple

import numpy as np

from grasp_func.core.rng import Key, fold_in, numpy_rng
from grasp_func.core.types import Array

NoiseProcess = Callable[[np.random.Generator, int, int], Array]  # (rng, T, A) -> [T, A]


class Exploration(NamedTuple):
    """How much noise training episodes carry; a share `p_low_noise` carries the quiet amounts."""

    eps: float = 0.3
    action_noise: float = 0.2
    p_low_noise: float = 0.0
    low_noise_eps: float = 0.1
    low_noise_action_noise: float = 0.1


class Noise(NamedTuple):
    """The noise of one episode."""

    replace: Array  # bool [T], where the random action is taken
    random: Array  # float32 [T, A]
    added: Array  # float32 [T, A]


def make_noise_process(name: str, params: Mapping[str, float]) -> NoiseProcess:
    """Builds the process of the random actions.

    Args:
        name: Uniform (in [-1, 1], no parameters), Gaussian (mu, sigma) or OrnsteinUhlenbeck (mu,
            sigma, theta, dt).
        params: overrides of mu 0, sigma 1, theta 0.15, dt 0.01; sigma is a standard deviation.

    Raises:
        ValueError: unknown name.
    """
    mu, sigma = params.get("mu", 0.0), params.get("sigma", 1.0)
    theta, dt = params.get("theta", 0.15), params.get("dt", 1e-2)

    def uniform(rng: np.random.Generator, horizon: int, size: int) -> Array:
        return rng.uniform(-1.0, 1.0, (horizon, size))

    def gaussian(rng: np.random.Generator, horizon: int, size: int) -> Array:
        return rng.normal(mu, sigma, (horizon, size))

    def ornstein_uhlenbeck(rng: np.random.Generator, horizon: int, size: int) -> Array:
        steps = rng.normal(0.0, sigma * dt**0.5, (horizon, size))
        path = np.empty_like(steps)
        x = np.full(size, mu)
        for t, step in enumerate(steps):
            x = path[t] = x + theta * (mu - x) * dt + step
        return path

    processes = {"Uniform": uniform, "Gaussian": gaussian, "OrnsteinUhlenbeck": ornstein_uhlenbeck}
    if name not in processes:
        raise ValueError(f"noise_process {name!r} is not one of {', '.join(processes)}")
    return processes[name]


def draw_noise(
    key: Key, horizon: int, size: int, exploration: Exploration, process: NoiseProcess
) -> Noise:
    """Draws the noise of one episode of `horizon` actions with `size` entries."""
    rng = numpy_rng(fold_in(key, 0))
    quiet = rng.random() < exploration.p_low_noise
    eps, sigma = (
        (exploration.low_noise_eps, exploration.low_noise_action_noise)
        if quiet
        else (exploration.eps, exploration.action_noise)
    )
    replace = rng.random(horizon) < eps
    added = rng.normal(0.0, sigma, (horizon, size)).astype(np.float32)
    return Noise(replace, process(rng, horizon, size).astype(np.float32), added)


def explore(action: Array, noise: Noise, t: int, clip: float) -> Array:
    """Returns the action [A] that step `t` takes instead of the greedy `action` [A]."""
    chosen = noise.random[t] if noise.replace[t] else action + noise.added[t]
    noisy: Array = np.minimum(np.maximum(chosen, -clip), clip)
    return noisy
