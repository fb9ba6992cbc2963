"""Exploration noise: arithmetic by hand, statistics, processes against plain loops."""

import numpy as np
import pytest

from grasp_func.core.noise import Exploration, Noise, draw_noise, explore, make_noise_process
from grasp_func.core.rng import Key, fold_in
from helpers import assert_same

UNIFORM = make_noise_process("Uniform", {})
N = 20_000


def test_explore_by_hand():
    noise = Noise(
        replace=np.array([False, True]),
        random=np.float32([[9.0, 9.0], [0.3, -2.0]]),
        added=np.float32([[0.25, 1.0], [9.0, 9.0]]),
    )
    greedy = np.float32([0.5, -0.5])
    # step 0 adds: 0.5 + 0.25 = 0.75, -0.5 + 1 = 0.5; step 1 replaces, and -2 is clipped to -1
    assert_same(explore(greedy, noise, 0, 1.0), np.float32([0.75, 0.5]))
    assert_same(explore(greedy, noise, 1, 1.0), np.float32([0.3, -1.0]))
    assert_same(explore(greedy, noise, 0, 0.6), np.float32([0.6, 0.5]))


def test_frequency_and_size_of_the_noise():
    noise = draw_noise(Key(0), N, 2, Exploration(eps=0.3, action_noise=0.2), UNIFORM)
    assert noise.replace.mean() == pytest.approx(0.3, abs=0.013)  # 4 sqrt(0.3 * 0.7 / N)
    assert noise.added.mean() == pytest.approx(0.0, abs=0.005)
    assert noise.added.std() == pytest.approx(0.2, rel=0.02)
    assert abs(np.corrcoef(noise.added.T)[0, 1]) < 0.03
    assert (noise.added.dtype, noise.random.dtype) == (np.float32, np.float32)


def test_no_noise_is_no_noise():
    noise = draw_noise(Key(0), 50, 3, Exploration(eps=0.0, action_noise=0.0), UNIFORM)
    assert not noise.replace.any()
    assert not noise.added.any()


def test_low_noise_episodes_have_their_frequency_and_their_noise():
    exploration = Exploration(
        eps=1.0, action_noise=0.5, p_low_noise=0.25, low_noise_eps=0.0, low_noise_action_noise=0.01
    )
    noises = [draw_noise(fold_in(Key(0), i), 50, 4, exploration, UNIFORM) for i in range(2000)]
    low_noise = np.array([not noise.replace.any() for noise in noises])
    assert low_noise.mean() == pytest.approx(0.25, abs=0.039)
    for noise, is_low in zip(noises, low_noise, strict=True):
        # All steps of an episode have the same amount of noise.
        assert noise.replace.all() != is_low
        assert noise.added.std() == pytest.approx(0.01 if is_low else 0.5, rel=0.35)


def test_episodes_differ():
    first, second = (draw_noise(Key(0, (i,)), 5, 2, Exploration(), UNIFORM) for i in range(2))
    assert not np.array_equal(first.added, second.added)
    assert not np.array_equal(first.random, second.random)


def test_uniform_actions_fill_the_box():
    actions = UNIFORM(np.random.default_rng(0), N, 3)
    assert actions.shape == (N, 3)
    assert np.abs(actions).max() <= 1.0
    np.testing.assert_allclose(actions.mean(0), 0.0, atol=0.02)
    np.testing.assert_allclose(actions.std(0), 3**-0.5, rtol=0.02)


def test_gaussian_actions_have_the_given_mean_and_standard_deviation():
    process = make_noise_process("Gaussian", {"mu": 0.5, "sigma": 2.0})
    actions = process(np.random.default_rng(0), N, 3)
    np.testing.assert_allclose(actions.mean(0), 0.5, atol=0.06)
    np.testing.assert_allclose(actions.std(0), 2.0, rtol=0.02)


def test_gaussian_defaults_to_the_standard_normal():
    actions = make_noise_process("Gaussian", {})(np.random.default_rng(0), N, 1)
    assert actions.mean() == pytest.approx(0.0, abs=0.03)
    assert actions.std() == pytest.approx(1.0, rel=0.02)


@pytest.mark.parametrize("params", [{}, {"mu": 0.3, "sigma": 0.5, "theta": 2.0, "dt": 0.1}])
def test_ornstein_uhlenbeck_is_its_difference_equation(params):
    mu, sigma, theta, dt = ({"mu": 0.0, "sigma": 1.0, "theta": 0.15, "dt": 0.01} | params).values()
    found = make_noise_process("OrnsteinUhlenbeck", params)(np.random.default_rng(7), 30, 2)
    rng = np.random.default_rng(7)
    x = [mu, mu]
    for t in range(30):
        for i in range(2):
            x[i] += theta * (mu - x[i]) * dt + sigma * dt**0.5 * rng.normal()
        np.testing.assert_allclose(found[t], x, rtol=1e-12)


def test_ornstein_uhlenbeck_settles_at_its_stationary_distribution():
    process = make_noise_process(
        "OrnsteinUhlenbeck", {"mu": 0.3, "sigma": 0.5, "theta": 2.0, "dt": 0.1}
    )
    path = process(np.random.default_rng(0), N, 4)[100:]
    # x' = 0.8 x + noise of variance 0.025: variance 0.025 / (1 - 0.64), correlation 0.8 a step
    assert path.mean() == pytest.approx(0.3, abs=0.02)
    assert path.std() == pytest.approx((0.025 / 0.36) ** 0.5, rel=0.05)
    lagged = np.corrcoef(path[:-1, 0], path[1:, 0])[0, 1]
    assert lagged == pytest.approx(0.8, abs=0.03)


def test_unknown_process():
    with pytest.raises(ValueError, match="'Pink' is not one of Uniform, Gaussian"):
        make_noise_process("Pink", {})
