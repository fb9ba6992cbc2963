"""Episodes of the probe environment: what they hold, that they can be played again, their score."""

import gymnasium
import numpy as np
import pytest

from grasp_func.core.networks import NetworkSpec, make_networks
from grasp_func.core.normalizer import init, scaling
from grasp_func.core.numpy_policy import act, policy_of
from grasp_func.core.rng import Key, fold_in, integer_seed
from grasp_func.core.types import EnvSpec
from grasp_func.training.rollout import (
    EpisodeResult,
    EvalResult,
    Rate,
    env_spec_of,
    evaluate,
    run_episode,
    score,
)
from helpers import POINT_REACH, PointReach, assert_same


@pytest.fixture
def env():
    return gymnasium.make(POINT_REACH)


@pytest.fixture
def policy(env):
    env_spec = env_spec_of(env)
    nets = make_networks(env_spec, NetworkSpec("DDP", 2, 8))
    scalings = scaling(init(env_spec.obs), 9.0), scaling(init(env_spec.goal), 9.0)
    return policy_of(nets, nets.init(Key(0))["actor"], scalings)


def test_layout_of(env):
    blocks = {"position": slice(0, 2), "velocity": slice(2, 4)}
    assert env_spec_of(env) == EnvSpec(4, 2, 2, None, blocks, 10)
    assert env_spec_of(gymnasium.make(POINT_REACH, rotation=True)).rotation == slice(2, 11)


def test_layout_needs_goals_and_a_fixed_length():
    with pytest.raises(ValueError, match="has no goals"):
        env_spec_of(gymnasium.make("CartPole-v1"))
    with pytest.raises(ValueError, match="no max_episode_steps"):
        env_spec_of(PointReach())


def test_episode_records_what_was_seen_and_done(env, policy):
    episode, outcome = run_episode(env, policy, seed=4)
    assert [field.shape for field in episode] == [(11, 4), (11, 2), (2,), (10, 2)]
    assert {field.dtype for field in episode} == {np.dtype(np.float32)}
    assert_same(episode.achieved, episode.obs[:, :2])
    assert_same(episode.action[3], act(policy, episode.obs[3], episode.goal))
    # the dynamics tie action t to observations t and t + 1
    expected = np.clip(episode.achieved[:-1] + np.float32(0.2) * episode.action, -1, 1)
    np.testing.assert_allclose(episode.achieved[1:], expected, atol=1e-6)
    distance = np.linalg.norm(episode.achieved[-1] - episode.goal)
    assert outcome == EpisodeResult(success=bool(distance < 0.1), air=bool(episode.goal[0] > 0))


def test_an_episode_depends_on_its_seed_alone(env, policy):
    first = run_episode(env, policy, seed=4)
    other = run_episode(env, policy, seed=5)
    assert_same(run_episode(env, policy, seed=4), first)
    assert_same(run_episode(gymnasium.make(POINT_REACH), policy, seed=4), first)
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


@pytest.mark.parametrize("when", [3, 9])
def test_termination_is_refused(env, policy, when, monkeypatch):
    step = PointReach.step

    def ends(self, action):
        self.t = getattr(self, "t", -1) + 1
        observation, reward, _, truncated, info = step(self, action)
        return observation, reward, self.t == when, truncated, info

    monkeypatch.setattr(PointReach, "step", ends)
    with pytest.raises(RuntimeError, match=f"ended an episode at step {when + 1} of 10"):
        run_episode(env, policy, 4)


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_numbers_that_are_not_finite_are_refused(env, policy, bad, monkeypatch):
    monkeypatch.setattr(PointReach, "_observe", spoiled(PointReach._observe, bad))
    with pytest.raises(FloatingPointError, match="seed 4"):
        run_episode(env, policy, 4)


def spoiled(update_normalizers, bad):
    def observe_badly(self):
        observation, info = update_normalizers(self)
        observation["observation"][0] = bad
        return observation, info

    return observe_badly


def test_evaluation_plays_numbered_episodes(env, policy):
    """However the numbers are shared out, episode n of a seed is the same."""
    outcomes = evaluate(env, policy, 7, range(6))
    assert evaluate(env, policy, 7, [4, 5]) + evaluate(env, policy, 7, [0]) == [
        *outcomes[4:],
        outcomes[0],
    ]
    alone = run_episode(env, policy, integer_seed(fold_in(Key(7), 5)))[1]
    assert outcomes[5] == alone
    goals = [run_episode(env, policy, integer_seed(fold_in(Key(7), n)))[0].goal for n in range(6)]
    assert len({goal.tobytes() for goal in goals}) == 6


def test_score_by_hand():
    outcomes = [
        EpisodeResult(success=True, air=True),
        EpisodeResult(success=False, air=True),
        EpisodeResult(success=True, air=False),
        EpisodeResult(success=True, air=False),
        EpisodeResult(success=False, air=None),
    ]
    found = score(outcomes)
    # 3 of 5 in all; 2 of 2 on the table, 1 of 2 in the air; the last one counts in neither
    assert found == EvalResult(overall=Rate(3, 5), table=Rate(2, 2), air=Rate(1, 2))
    assert (found.success, found.table.value, found.air.value) == (0.6, 1.0, 0.5)


def test_score_of_nothing():
    assert score([]) == EvalResult(Rate(0, 0), Rate(0, 0), Rate(0, 0))
    assert (score([]).success, score([]).table.value) == (0.0, None)
