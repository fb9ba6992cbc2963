"""Episodes whose goals have a rotation or an obstacle."""

import gymnasium
import numpy as np
import pytest
from scripted import LiftPolicy, success_rate

from envs.grasp_env import GraspEnv
from envs.suite import SUITE

ORIENT_IDS = [env_id for env_id, row in SUITE.items() if row.task.angle_tolerance]
FAST_IDS = [env_id for env_id in ORIENT_IDS if "PJ" in env_id]


@pytest.mark.parametrize("env_id", FAST_IDS)
def test_goals_with_rotations_can_be_reached(env_id):
    env = gymnasium.make(env_id)
    assert success_rate(env, 20) >= 0.95
    env.close()


@pytest.mark.slow
@pytest.mark.parametrize("env_id", ORIENT_IDS)
def test_goals_with_rotations_can_be_reached_in_many_episodes(env_id):
    env = gymnasium.make(env_id)
    assert success_rate(env, 100, first_seed=500) >= 0.9
    env.close()


def test_goals_have_various_rotations():
    env = gymnasium.make("FlatPJOrient-v0")
    angles = []
    for seed in range(100):
        obs, _ = env.reset(seed=seed)
        a, b = obs["achieved_goal"][3:], obs["desired_goal"][3:]
        np.testing.assert_allclose(obs["achieved_goal"][3:], obs["observation"][20:26])
        # The angle about the vertical.
        angles.append(np.arccos(np.clip(a[:3] @ b[:3], -1, 1)))
    assert max(angles) <= 1.5 + 1e-3 and min(angles) < 0.2 and np.mean(angles) > 0.5
    env.close()


def test_the_angle_tolerance_may_change_between_episodes():
    env = GraspEnv("FlatPJOrient-v0")
    assert env.angle_tolerance == 0.2
    obs, _ = env.reset(seed=0)
    rotated = np.concatenate([obs["desired_goal"][:3], obs["desired_goal"][6:], [0.0, 0.0, 1.0]])
    assert env.compute_reward(rotated, obs["desired_goal"]) == -1.0
    env.angle_tolerance = np.pi
    assert env.compute_reward(rotated, obs["desired_goal"]) == 0.0
    with pytest.raises(ValueError, match=r"angle_tolerance = 4.*\(0, pi\]"):
        env.angle_tolerance = 4
    env.close()


@pytest.mark.parametrize("env_id", ["FlatPJCube-v0", "FlatPJOrient-v0", "ObstacleSHCube-v0"])
def test_a_reward_may_be_bound_to_a_share_of_the_tolerance(env_id):
    env = GraspEnv(env_id)
    goal = env.reset(seed=0)[0]["desired_goal"]
    for gap, rewards in {0.034: [0, 0], 0.036: [0, -1], 0.051: [-1, -1]}.items():
        achieved = goal.copy()
        achieved[0] += gap
        assert [env.compute_reward(achieved, goal, {}, share) for share in (1.0, 0.7)] == rewards
    env.close()


def test_the_angle_tolerance_is_an_argument():
    env = gymnasium.make("FlatSHOrient-v0", angle_tolerance=0.5)
    assert env.unwrapped.angle_tolerance == 0.5
    env.close()
    assert GraspEnv("FlatPJCube-v0").angle_tolerance is None
    with pytest.raises(
        ValueError, match=r"angle_tolerance = 0.5, expected None: goals have no rotation"
    ):
        GraspEnv("FlatPJCube-v0", angle_tolerance=0.5)
    with pytest.raises(ValueError, match="angle_tolerance = -1"):
        GraspEnv("FlatPJOrient-v0", angle_tolerance=-1)


def test_the_cost_of_a_violation_is_an_argument():
    env = GraspEnv("ObstacleSHCube-v0", violation_cost=5)
    goal = env.reset(seed=0)[0]["desired_goal"]
    inside, outside = np.tile(goal, (2, 1))
    inside[:3] = goal[3:]
    assert env.compute_reward(np.stack([inside, outside]), goal).tolist() == [-6.0, 0.0]
    assert env.lowest_reward == -6.0
    env.close()
    with pytest.raises(ValueError, match="violation_cost = 2, expected None: there is no obst"):
        GraspEnv("FlatPJCube-v0", violation_cost=2)
    for cost in (-1, 101, float("nan"), "2"):
        with pytest.raises(
            ValueError, match=r"violation_cost = .*, expected a value in \[0, 100\]"
        ):
            GraspEnv("ObstacleSHCube-v0", violation_cost=cost)


def test_a_violation_excludes_success():
    env = gymnasium.make("ObstacleSHCube-v0", air_goal_share=0.0)
    env.reset(seed=0)
    saved = env.unwrapped.save_reset()
    start, goal = np.array(saved["object_position"]), np.array(saved["goal"][:3])

    def play(obstacle):
        start = {**saved, "goal": (*goal.tolist(), *obstacle.tolist())}
        obs, info = env.reset(options={"start": start})
        policy, rewards = LiftPolicy(env.unwrapped), []
        np.testing.assert_allclose(obs["achieved_goal"][3:], obstacle, atol=1e-6)
        for _ in range(50):
            obs, reward, _, _, info = env.step(policy(obs))
            rewards.append(reward)
            assert reward == env.unwrapped.compute_reward(
                obs["achieved_goal"], obs["desired_goal"], info
            )
        return rewards, info["is_success"]

    # Far from the path.
    rewards, success = play(start + np.array([0.0, 0.0, 0.6]))
    assert success and rewards[-1] == 0.0 and min(rewards) == -1.0
    # 5 cm beside the middle of the path.
    direction = (goal - start) / np.linalg.norm(goal - start)
    rewards, success = play((start + goal) / 2 + 0.05 * np.cross(direction, [0, 0, 1]))
    assert not success and min(rewards) == -2.0 == env.unwrapped.lowest_reward
    env.close()
