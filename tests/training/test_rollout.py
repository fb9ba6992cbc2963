"""Episodes of the probe environment: what they hold, and that they can be played again."""

import numpy as np
import pytest

from grasp_func.core.networks import NetworkSpec, make_networks
from grasp_func.core.normalizer import init, scaling
from grasp_func.core.numpy_policy import act, policy_of
from grasp_func.core.rng import Key, fold_in, integer_seed
from grasp_func.errors import UserError
from grasp_func.training.evaluation import evaluate
from grasp_func.training.rollout import run_episode
from helpers import PointReach, assert_same, make_point_env


@pytest.fixture
def env():
    return make_point_env()


@pytest.fixture
def policy(env):
    nets = make_networks(env.spec, NetworkSpec("DDP", 2, 8))
    scalings = scaling(init(env.spec.obs), 9.0), scaling(init(env.spec.goal), 9.0)
    return policy_of(nets, nets.init(Key(0))["actor"], scalings)


def test_episode_records_what_was_seen_and_done(env, policy):
    episode, result = run_episode(env, policy, seed=4)
    assert [field.shape for field in episode] == [(11, 4), (11, 2), (2,), (10, 2), (2,)]
    assert {field.dtype for field in episode} == {np.dtype(np.float32)}
    assert_same(episode.achieved, episode.obs[:, :2])
    assert_same(episode.action[3], act(policy, episode.obs[3], episode.goal))
    # the dynamics tie action t to observations t and t + 1
    expected = np.clip(episode.achieved[:-1] + np.float32(0.2) * episode.action, -1, 1)
    np.testing.assert_allclose(episode.achieved[1:], expected, atol=1e-6)
    distances = np.linalg.norm(episode.achieved - episode.goal, axis=1)
    assert result.seed == 4 and result.air is bool(episode.goal[0] > 0)
    assert result.success is bool(distances[-1] < 0.1)
    assert result.distance == pytest.approx(distances[-1], abs=1e-6)
    assert result.at_goal == (distances[1:] < 0.1).mean() == 1 + result.reward


def test_an_episode_depends_on_its_seed_alone(env, policy):
    first = run_episode(env, policy, seed=4)
    other = run_episode(env, policy, seed=5)
    assert_same(run_episode(env, policy, seed=4), first)
    assert_same(run_episode(make_point_env(), policy, seed=4), first)
    assert not np.array_equal(other[0].goal, first[0].goal)


def test_perturbed_actions_are_taken_and_recorded(env, policy):
    calls = []

    def perturb(action, t):
        calls.append((t, action))
        return np.full_like(action, 0.5)

    episode, _ = run_episode(env, policy, 4, perturb)
    assert [t for t, _ in calls] == list(range(10))
    assert_same(calls[0][1], act(policy, episode.obs[0], episode.goal))
    assert (episode.action == 0.5).all()
    np.testing.assert_allclose(episode.obs[1:, 2:], 0.1)  # velocity 0.2 * 0.5


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_numbers_that_are_not_finite_are_refused(env, policy, bad, monkeypatch):
    monkeypatch.setattr(PointReach, "_observe", spoiled(PointReach._observe, bad))
    with pytest.raises(FloatingPointError, match="seed 4"):
        run_episode(env, policy, 4)


@pytest.mark.parametrize(
    ("rise", "lift", "lifted"),
    [
        # it is carried up by 6 cm
        (0.06, 0.06, 1),
        # it climbs a block of 6 cm
        (0.06, 0.0, 0),
        # it is carried over a hollow of 5 cm, and so rises by 1 cm only
        (0.01, 0.06, 1),
        # the environment does not say
        (0.06, None, 1),
        (0.01, None, 0),
    ],
)
def test_lifted_is_what_the_environment_calls_lifted(rise, lift, lifted, monkeypatch):
    observe, heights = PointReach._observe, [0.0] * 4 + [rise] * 3 + [0.0] * 5

    def observe_height(self):
        observation, info = observe(self)
        height = heights[self.t] if hasattr(self, "t") else 0.0
        observation["achieved_goal"][2] = height
        known = {} if lift is None else {"object_lift": np.float32(lift if height else 0.0)}
        return observation, info | known

    def step(self, action):
        self.t = getattr(self, "t", 0) + 1
        return real_step(self, action)

    real_step = PointReach.step
    monkeypatch.setattr(PointReach, "_observe", observe_height)
    monkeypatch.setattr(PointReach, "step", step)
    episode, _ = run_episode(make_point_env(dims=3), lambda obs, goal: np.ones(3), 0)
    assert_same(episode.flags, np.float32([1, lifted]))


def test_a_lift_that_is_not_finite_is_refused(env, policy, monkeypatch):
    monkeypatch.setattr(PointReach, "_observe", lifting(PointReach._observe, np.nan))
    with pytest.raises(FloatingPointError, match="seed 4"):
        run_episode(env, policy, 4)


def test_a_lift_of_several_numbers_is_refused(env, policy, monkeypatch):
    monkeypatch.setattr(PointReach, "_observe", lifting(PointReach._observe, [0.0, 1.0]))
    with pytest.raises(UserError, match=r"object_lift.* = \[0.0, 1.0\], expected one float"):
        run_episode(env, policy, 4)


def lifting(observe, lift):
    def observe_lift(self):
        observation, info = observe(self)
        return observation, {**info, "object_lift": lift}

    return observe_lift


def spoiled(observe, bad):
    def observe_badly(self):
        observation, info = observe(self)
        observation["observation"][0] = bad
        return observation, info

    return observe_badly


def test_evaluation_plays_numbered_episodes(env, policy):
    """Episode n of a seed is the same, however the numbers are distributed."""
    results = evaluate(env, policy, 7, range(6)).episodes
    assert evaluate(env, policy, 7, [4, 5, 0]).episodes == (*results[4:], results[0])
    alone = run_episode(env, policy, integer_seed(fold_in(Key(7), 5)))[1]
    assert results[5] == alone
    goals = [run_episode(env, policy, integer_seed(fold_in(Key(7), n)))[0].goal for n in range(6)]
    assert len({goal.tobytes() for goal in goals}) == 6
