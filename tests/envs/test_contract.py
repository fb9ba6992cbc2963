"""The interface that Gymnasium, learners and users rely on, for every id."""

import re

import gymnasium
import numpy as np
import pytest
from gymnasium.error import ClosedEnvironmentError, ResetNeeded

from envs import ENV_IDS, register_envs
from envs.grasp_env import GraspEnv
from envs.suite import SUITE
from envs.tasks.arenas import ResetError

# Number of joints, number of joint actions.
SIZES = {
    "ParallelJaw": (2, 1),
    "BarrettHand": (8, 4),
    "ShadowHand": (24, 20),
}
# Blocks of rotation actions other than the matrix.
ROTATION_BLOCKS = {
    "FlatPJOrientEuler-v0": ("grip_rot_euler", 3, "-"),
    "FlatPJOrientQuat-v0": ("grip_rot_quat", 4, "-"),
    "FlatPJOrientAxisAngle-v0": ("grip_rot_axis_angle", 4, "-"),
    "UnevenPJFixedCube-v0": None,
}


@pytest.fixture(params=ENV_IDS)
def env(request):
    made = gymnasium.make(request.param)
    yield made
    made.close()


@pytest.fixture
def cube():
    made = gymnasium.make("FlatPJCube-v0")
    yield made
    made.close()


def test_ids_say_what_they_are():
    assert len(set(ENV_IDS)) == len(ENV_IDS) == 27
    grippers = {"PJ": "ParallelJaw", "Barrett": "BarrettHand", "SH": "ShadowHand"}
    for env_id in ENV_IDS:
        found = re.fullmatch(r"(Flat|Uneven|Obstacle)(PJ|Barrett|SH)(\w+)-v0", env_id)
        row = SUITE[env_id]
        assert row.robot.name == grippers[found[2]]
        assert bool(row.arena.bed) == (found[1] == "Uneven")
        named = {name for name in ("Cube", "Sphere", "Cylinder", "Mesh") if name in found[3]}
        assert named in (set(), set(row.objects))


def test_registering_twice_changes_nothing():
    before = {env_id: gymnasium.spec(env_id) for env_id in ENV_IDS}
    register_envs()
    assert {env_id: gymnasium.spec(env_id) for env_id in ENV_IDS} == before
    assert {spec.max_episode_steps for spec in before.values()} == {50}


def test_layouts_describe_the_spaces(env):
    inner = env.unwrapped
    n_joints, n_actions = SIZES[inner.gripper_type]
    rotation = ROTATION_BLOCKS.get(env.spec.id, ("grip_rot_matrix", 9, "-"))
    assert inner.action_layout == (
        ("grip_pos", 3, "0.05 m"),
        *([rotation] if rotation else []),
        ("grip_joints", n_actions, "-"),
    )
    assert [(name, size) for name, size, _ in inner.observation_layout] == [
        ("grip_pos", 3),
        ("grip_rot", 6),
        ("grip_state", n_joints),
        ("grip_velp", 3),
        ("object_pos", 3),
        ("object_rel_pos", 3),
        ("object_rot", 6),
        ("object_rel_rot", 6),
        ("object_velp", 3),
        ("object_velr", 3),
    ]
    spaces = env.observation_space.spaces
    assert env.action_space.shape == (3 + (rotation[1] if rotation else 0) + n_actions,)
    assert spaces["observation"].shape == (36 + n_joints,)
    goals = 9 if "Orient" in env.spec.id else 6 if "Obstacle" in env.spec.id else 3
    names = {3: ["object_pos"], 6: ["object_pos", "obstacle_pos"], 9: ["object_pos", "object_rot"]}
    assert [name for name, _, _ in inner.goal_layout] == names[goals]
    assert sum(size for _, size, _ in inner.goal_layout) == goals
    assert spaces["achieved_goal"].shape == spaces["desired_goal"].shape == (goals,)
    assert all(np.isfinite([s.low, s.high]).all() for s in spaces.values())


def test_reward_is_a_pure_function_of_goals(env):
    env.reset(seed=3)
    env.action_space.seed(3)
    achieved, desired, rewards = [], [], []
    for _ in range(50):
        obs, reward, terminated, truncated, info = env.step(env.action_space.sample())
        one = env.unwrapped.compute_reward(obs["achieved_goal"], obs["desired_goal"], info)
        assert one == reward and np.ndim(one) == 0 and isinstance(reward, float)
        if env.unwrapped.lowest_reward == -1.0:
            assert reward == (0.0 if info["is_success"] else -1.0)
        assert env.unwrapped.lowest_reward <= reward <= 0.0
        assert not terminated
        assert set(info) >= {"is_success", "air_goal", "object_lift"}
        achieved.append(obs["achieved_goal"])
        desired.append(obs["desired_goal"])
        rewards.append(reward)
    assert truncated
    batch = env.unwrapped.compute_reward(np.array(achieved), np.array(desired), [{}] * 50)
    assert batch.shape == (50,) and batch.dtype == np.float32
    np.testing.assert_array_equal(batch, rewards)


def test_rewards_of_a_batch_equal_those_of_its_goals(cube):
    rng = np.random.default_rng(0)
    desired = rng.uniform(-0.2, 0.2, (2000, 3)).astype(np.float32)
    achieved = desired + rng.uniform(-0.05, 0.05, (2000, 3)).astype(np.float32)
    batch = cube.unwrapped.compute_reward(achieved, desired, {})
    single = [
        cube.unwrapped.compute_reward(*pair, {}) for pair in zip(achieved, desired, strict=True)
    ]
    np.testing.assert_array_equal(batch, single)
    assert 0.2 < batch.mean() + 1.0 < 0.8


def test_observations_stay_in_the_space_under_rough_actions(env):
    rng = np.random.default_rng(5)
    for seed in range(6):
        obs, _ = env.reset(seed=seed)
        for _ in range(50):
            action = rng.choice([-1.0, 1.0], env.action_space.shape).astype(np.float32)
            action[:3] = np.clip(20 * (obs["achieved_goal"][:3] - obs["observation"][:3]), -1, 1)
            obs, *_ = env.step(action)
            assert env.observation_space.contains(obs)


def test_blocks_of_an_observation_are_consistent(cube):
    cube.reset(seed=1)
    cube.action_space.seed(1)
    for _ in range(10):
        obs, *_ = cube.step(cube.action_space.sample())
    v = obs["observation"].astype(float)
    grip, obj = (np.stack([v[i : i + 3], v[i + 3 : i + 6]], 1) for i in (3, 20))
    np.testing.assert_allclose(v[17:20], v[14:17] - v[:3], atol=1e-6)
    np.testing.assert_array_equal(obs["achieved_goal"], obs["observation"][14:17])
    full = np.column_stack([grip, np.cross(grip[:, 0], grip[:, 1])])
    np.testing.assert_allclose(v[26:32], (full.T @ obj).T.ravel(), atol=1e-6)


def test_velocities_are_per_step(cube):
    before, _ = cube.reset(seed=0)
    # In steady motion, the distance covered by a step is close to the velocity at its end.
    for _ in range(3):
        before = cube.step(_still(up=1.0))[0]
    after = cube.step(_still(up=1.0))[0]
    distance = after["observation"][2] - before["observation"][2]
    # The soft weld covers 60% of 0.05 m.
    assert distance == pytest.approx(0.03, abs=0.004)
    assert after["observation"][13] == pytest.approx(distance, rel=0.35)


def test_the_gripper_rotates_towards_the_matrix_of_the_action(cube):
    obs, _ = cube.reset(seed=0)
    down = obs["observation"][3:9].reshape(2, 3).T
    np.testing.assert_allclose(down, [[0, 0], [0, 1], [-1, 0]], atol=1e-6)
    # Rotated by 90 degrees about z.
    target = np.array([[0, -1, 0], [0, 0, 1], [-1, 0, 0]], np.float32)
    action = np.concatenate([np.zeros(3), target.ravel(), [1.0]]).astype(np.float32)
    angles = []
    for _ in range(50):
        obs = cube.step(action)[0]
        angles.append(np.arctan2(-obs["observation"][6], obs["observation"][7]))
    assert 0.02 < angles[0] < 0.1
    assert np.all(np.diff(angles) > 0.0) and angles[-1] > 1.0


def test_a_matrix_that_defines_no_orientation_keeps_the_present_one(cube):
    start, _ = cube.reset(seed=0)
    for _ in range(20):
        obs = cube.step(np.zeros(13, np.float32))[0]
    np.testing.assert_allclose(obs["observation"][:9], start["observation"][:9], atol=2e-3)


def test_fingers_cover_their_range(cube):
    start, _ = cube.reset(seed=0)
    np.testing.assert_allclose(start["observation"][9:11], 0.05, atol=1e-6)
    for joints, opening in ((-1.0, 0.0), (0.0, 0.025), (1.0, 0.05)):
        for _ in range(10):
            obs = cube.step(_still(joints=joints))[0]
        np.testing.assert_allclose(obs["observation"][9:11], opening, atol=1e-3)


def test_the_workspace_limits_the_grip_frame():
    box = ((0.4, 0.6), (-0.1, 0.1), (0.5, 0.7))
    env = gymnasium.make("FlatPJCube-v0", workspace=box)
    for sign in (-1.0, 1.0):
        env.reset(seed=0)
        for _ in range(30):
            obs = env.step(np.r_[[sign] * 3, np.zeros(10)].astype(np.float32))[0]
        side = 0 if sign < 0 else 1
        np.testing.assert_allclose(obs["observation"][:3], [pair[side] for pair in box], atol=5e-3)
    env.close()


def test_an_initial_position_outside_the_workspace_is_clipped():
    env = gymnasium.make("FlatPJCube-v0", workspace=((0.3, 0.7), (-0.3, 0.3), (0.7, 0.8)))
    obs, _ = env.reset(seed=0)
    assert obs["observation"][2] == pytest.approx(0.7)
    env.close()


def test_actions_outside_of_their_range_are_clipped(cube):
    cube.reset(seed=0)
    wild = cube.unwrapped.step(np.full(13, 7.0, np.float32))[0]
    cube.reset(seed=0)
    clipped = cube.unwrapped.step(np.ones(13, np.float32))[0]
    np.testing.assert_array_equal(wild["observation"], clipped["observation"])


@pytest.mark.parametrize(
    ("action", "words"),
    [
        (np.zeros(12, np.float32), r"\(12,\).*\(13,\)"),
        (np.zeros((1, 13), np.float32), r"\(1, 13\)"),
        (np.r_[np.zeros(12), np.nan], r"nan.*\[-1, 1\]"),
        (np.r_[np.zeros(12), np.inf], r"inf.*\[-1, 1\]"),
    ],
)
def test_invalid_actions_are_refused(cube, action, words):
    cube.reset(seed=0)
    with pytest.raises(ValueError, match=words):
        cube.unwrapped.step(action)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"render_mode": "ascii"}, "render_mode = 'ascii'"),
        ({"object_size_multiplier": 0.0}, r"object_size_multiplier = 0.0.*\[0.2, 2.0\]"),
        ({"object_size_multiplier": "big"}, "object_size_multiplier = 'big'"),
        ({"object_size_multiplier": float("nan")}, "nan"),
        ({"object_size_range": (1.2, 0.8)}, r"object_size_range = \(1.2, 0.8\)"),
        ({"object_size_range": 1.0}, "object_size_range = 1.0"),
        ({"object_size_range": (0.5, 3.0)}, r"= 3.0.*\[0.2, 2.0\]"),
        ({"air_goal_share": 1.5}, r"air_goal_share = 1.5.*\[0.0, 1.0\]"),
        ({"objects": ["Banana"]}, "Banana.*Cube"),
        ({"objects": ["Mugg"]}, "'Mugg' .did you mean 'mug'"),
        ({"objects": "Cube"}, "'Cube', expected a list"),
        ({"objects": []}, "objects"),
        ({"objects": 3}, "objects = 3, expected a list"),
        ({"objects": [None]}, "objects: 'None'"),
        ({"objects": ["no/such.stl"]}, "no/such.stl: no such file"),
        ({"workspace": ((0, 1), (0, 1))}, "workspace"),
        ({"workspace": ((0, 1), (0, 1), (1, 0))}, "workspace z"),
        ({"render_width": 0}, "render_width = 0"),
        ({"render_trace": 1}, "render_trace = 1, expected True or False"),
        ({"render_height": 1.5}, "render_height = 1.5"),
    ],
)
def test_invalid_options_are_refused(options, words):
    with pytest.raises(ValueError, match=words):
        GraspEnv("FlatPJCube-v0", **options)


def test_after_a_failed_reset_there_is_no_episode():
    low = ((0.22, 0.78), (-0.32, 0.32), (0.40, 0.41))
    env = gymnasium.make("FlatPJCube-v0", workspace=low).unwrapped
    action = np.zeros(13, np.float32)
    for _ in range(2):
        with pytest.raises(ResetError):
            env.reset(seed=0, options={"start": "pregrasp"})
        with pytest.raises(ResetNeeded):
            env.step(action)
        env.reset(seed=0)
        env.step(action)
    env.close()


def test_a_closed_environment_refuses_use():
    env = gymnasium.make("FlatPJCube-v0").unwrapped
    with pytest.raises(ResetNeeded):
        env.step(np.zeros(13, np.float32))
    env.reset(seed=0)
    env.close()
    env.close()
    for use in (env.reset, env.render, lambda: env.step(np.zeros(13, np.float32))):
        with pytest.raises(ClosedEnvironmentError, match="closed"):
            use()


def test_worlds_are_freed():
    clients = set()
    for closes in [True, False] * 10:
        env = gymnasium.make("FlatPJCube-v0")
        clients.add(env.unwrapped._sim._client)
        if closes:
            env.close()
        del env
    # PyBullet reuses the ids of closed worlds.
    assert len(clients) <= 2


def _still(up=0.0, joints=0.0):
    return np.r_[0.0, 0.0, up, np.zeros(9), joints].astype(np.float32)
