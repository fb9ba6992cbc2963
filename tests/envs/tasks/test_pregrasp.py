"""Easy starts: the open gripper touches nothing and is close to a grasp, or it holds the object."""

import gymnasium
import numpy as np
import pytest
from gymnasium.wrappers import TimeLimit
from scripted import slices, success_rate

from envs import ENV_IDS
from envs.robots import ROBOTS
from envs.suite import SUITE
from envs.tasks.arenas import ResetError

PREGRASP = {"start": "pregrasp"}
GRASP = {"start": "grasp"}
SIZES = {"object_size_range": (0.5, 1.5)}
ONE_OF_EACH = [
    next(env_id for env_id, row in SUITE.items() if row.robot is robot) for robot in ROBOTS.values()
]


@pytest.mark.parametrize("env_id", ENV_IDS)
def test_the_gripper_is_open_above_the_object_and_touches_nothing(env_id):
    env = gymnasium.make(env_id, **SIZES)
    inner, at = env.unwrapped, slices(env.unwrapped.observation_layout)
    gripper = SUITE[env_id].robot
    for seed in range(15):
        default, default_info = env.reset(seed=seed)
        obs, info = env.reset(seed=seed, options=PREGRASP)
        np.testing.assert_array_equal(obs["desired_goal"], default["desired_goal"])
        np.testing.assert_array_equal(obs["achieved_goal"], default["achieved_goal"])
        assert info == default_info
        see = {name: obs["observation"][where] for name, where in at.items()}
        x, y, height = -see["object_rel_pos"]
        assert abs(x) <= 0.0151 and abs(y) <= 0.0151
        assert height >= gripper.grasp_height - 0.0151
        assert inner._sim.is_clear(inner._robot.body, 0.0009)
        np.testing.assert_array_equal(see["grip_state"], default["observation"][at["grip_state"]])
        # A gripper whose actions cannot rotate it starts in its fixed orientation.
        if not gripper.rotation_action.size:
            np.testing.assert_array_equal(see["grip_rot"], default["observation"][at["grip_rot"]])
        assert not see["grip_velp"].any() and not see["object_velp"].any()
    env.close()


@pytest.mark.parametrize("options", [PREGRASP, GRASP], ids=["pregrasp", "grasp"])
@pytest.mark.parametrize("env_id", ENV_IDS)
def test_seed_and_saved_state_determine_it(env_id, options):
    first, second = gymnasium.make(env_id, **SIZES), gymnasium.make(env_id, **SIZES)

    def play(env, seed, options):
        obs, _ = env.reset(seed=seed, options=options)
        rng = np.random.default_rng(0)
        seen = [obs["observation"]]
        for _ in range(10):
            action = rng.uniform(-1.0, 1.0, env.action_space.shape).astype(np.float32)
            seen.append(env.step(action)[0]["observation"])
        return np.array(seen)

    expected = play(first, 3, options)
    saved = first.unwrapped.save_reset()
    assert not np.array_equal(play(first, 4, options), expected)
    np.testing.assert_array_equal(play(first, 3, options), expected)
    np.testing.assert_array_equal(play(second, 3, options), expected)
    np.testing.assert_array_equal(play(second, None, {"start": saved}), expected)
    for env in (first, second):
        env.close()


@pytest.mark.parametrize("env_id", ENV_IDS)
def test_the_gripper_holds_the_object(env_id):
    env = gymnasium.make(env_id).unwrapped
    held, resting = [], 0
    for seed in range(20):
        default, default_info = env.reset(seed=seed)
        obs, info = env.reset(seed=seed, options=GRASP)
        np.testing.assert_array_equal(obs["desired_goal"], default["desired_goal"])
        assert info["air_goal"] == default_info["air_goal"]
        raised = env.save_reset()["raised"]
        assert 0.0 <= raised <= 0.15
        resting += raised == 0.0
        if raised > 0.03:
            held.append(info["object_lift"] > 0.5 * raised)
    assert 1 <= resting <= 10
    # On uneven ground the fingers meet blocks.
    assert np.mean(held) >= (0.4 if env_id.startswith("Uneven") else 0.75)
    env.close()


@pytest.mark.parametrize("env_id", ONE_OF_EACH)
def test_lowering_closing_and_lifting_succeeds(env_id):
    env = gymnasium.make(env_id, air_goal_share=1.0)
    assert success_rate(env, 20, start="pregrasp") >= 0.9
    env.close()


@pytest.mark.slow
@pytest.mark.parametrize("env_id", ENV_IDS)
def test_lowering_closing_and_lifting_succeeds_in_many_episodes(env_id):
    env = gymnasium.make(env_id, air_goal_share=1.0)
    # The policy perceives neither blocks nor obstacles.
    blind = env_id.startswith(("Uneven", "Obstacle"))
    assert success_rate(env, 100, start="pregrasp") >= (0.4 if blind else 0.8)
    env.close()


@pytest.mark.parametrize("factor", [0.2, 2.0])
@pytest.mark.parametrize("env_id", ONE_OF_EACH)
def test_there_is_room_above_objects_of_extreme_sizes(env_id, factor):
    env = gymnasium.make(env_id, object_size_multiplier=factor).unwrapped
    for seed in range(5):
        env.reset(seed=seed, options=PREGRASP)
        assert env._sim.is_clear(env._robot.body, 0.0009)
    env.close()


def test_missing_room_raises_an_error():
    low = ((0.22, 0.78), (-0.32, 0.32), (0.40, 0.41))
    env = gymnasium.make("FlatPJCube-v0", workspace=low)
    with pytest.raises(ResetError, match="no free place for the gripper above"):
        env.reset(seed=0, options=PREGRASP)
    env.close()


def test_wrappers_forward_the_option():
    env = TimeLimit(gymnasium.make("FlatPJCube-v0"), 3)
    env.reset(seed=0, options=PREGRASP)
    assert env.unwrapped.save_reset()["pregrasp"] is not None
    env.reset(seed=0)
    assert env.unwrapped.save_reset()["pregrasp"] is None
    env.close()
