"""Exploration noise, drawn for a whole episode at once and applied by a pure function.

With probability `eps` a step takes a random action from the noise process. Otherwise Gaussian noise
is added to the greedy action. Source: Andrychowicz et al. 2017, arXiv:1707.01495, appendix A; for
the Ornstein-Uhlenbeck process Lillicrap et al. 2015, arXiv:1509.02971.
"""

from collections.abc import Callable, Mapping
from typing import NamedTuple

import numpy as np

from grasp_func.core.rng import Key, fold_in, numpy_rng
from grasp_func.core.types import Array

# (generator, T, A) -> random actions [T, A].
NoiseProcess = Callable[[np.random.Generator, int, int], Array]


class Exploration(NamedTuple):
    """Amount of noise in training episodes.

    Attributes:
        eps: probability of a random action at each step.
        action_noise: standard deviation of the Gaussian noise.
        p_low_noise: probability that an episode uses the two low-noise values instead.
        low_noise_eps: `eps` of low-noise episodes.
        low_noise_action_noise: `action_noise` of low-noise episodes.
    """

    eps: float = 0.3
    action_noise: float = 0.2
    p_low_noise: float = 0.0
    low_noise_eps: float = 0.1
    low_noise_action_noise: float = 0.1


class Noise(NamedTuple):
    """The noise of one episode.

    Attributes:
        replace: steps that take the random action, bool [T].
        random: random actions, float32 [T, A].
        added: Gaussian noise for all other steps, float32 [T, A].
    """

    replace: Array
    random: Array
    added: Array


def make_noise_process(name: str, params: Mapping[str, float]) -> NoiseProcess:
    """Builds the process that draws random actions.

    Args:
        name: Uniform (in [-1, 1], no parameters), Gaussian (mu, sigma) or OrnsteinUhlenbeck (mu,
            sigma, theta, dt).
        params: values of mu (default 0), sigma (a standard deviation, default 1), theta (default
            0.15) and dt (default 0.01).

    Raises:
        ValueError: the name is unknown.
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
    """Draws the noise of one episode.

    Args:
        key: names the draw.
        horizon: steps T.
        size: entries A of an action.
        exploration: amount of noise.
        process: draws the random actions.
    """
    rng = numpy_rng(fold_in(key, 0))
    low_noise = rng.random() < exploration.p_low_noise
    eps, sigma = (
        (exploration.low_noise_eps, exploration.low_noise_action_noise)
        if low_noise
        else (exploration.eps, exploration.action_noise)
    )
    replace = rng.random(horizon) < eps
    added = rng.normal(0.0, sigma, (horizon, size)).astype(np.float32)
    return Noise(replace, process(rng, horizon, size).astype(np.float32), added)


def explore(action: Array, noise: Noise, t: int, clip: float) -> Array:
    """Returns the noisy action of step `t`.

    Args:
        action: greedy action [A].
        noise: of the episode.
        t: step.
        clip: bound; the result lies in [-clip, clip].
    """
    chosen = noise.random[t] if noise.replace[t] else action + noise.added[t]
    noisy: Array = np.minimum(np.maximum(chosen, -clip), clip)
    return noisy
