"""Eigengrasps: the computation, the shipped data, and that a few of them suffice to grasp."""

import dataclasses

import gymnasium
import numpy as np
import pytest
from scripted import joint_action, success_rate

from envs.robots import ROBOTS, eigengrasps
from envs.robots.robot import Robot
from envs.sim.simulation import Simulation

# Numbers of eigengrasps.
ENOUGH = {"Barrett": 4, "SH": 7}
# Success rates.
LEAST = {"Cube": 0.95, "Sphere": 0.95, "Cylinder": 0.95, "Mesh": 0.85, "All": 0.9}


@pytest.fixture(params=ENOUGH)
def spec(request):
    return ROBOTS[request.param]


def test_synergies_are_ordered_by_variance():
    """Sums of squares: 0.8 + 0.2 along (1, 0.5), 0.05 along (-0.5, 1)."""
    postures = np.array([[0.8, 0.4], [0.4, 0.2], [0.1, -0.2]])
    components, explained = eigengrasps.synergies(postures)
    np.testing.assert_allclose(components, [[1.0, 0.5], [-0.5, 1.0]], atol=1e-12)
    np.testing.assert_allclose(explained, [1.0 / 1.05, 0.05 / 1.05])


def test_a_posture_common_to_all_grasps_is_a_component():
    components, explained = eigengrasps.synergies(np.array([[-0.2, 0.4]] * 3))
    np.testing.assert_allclose(components[0], [-0.5, 1.0], atol=1e-12)
    np.testing.assert_allclose(explained, [1.0, 0.0], atol=1e-12)


def test_postures_are_relative_to_the_middle_of_the_ranges(spec):
    low, high = np.array([actuator.control for actuator in spec.actuators]).T
    ends = np.array([low, high, (low + high) / 2.0])
    expected = np.outer([-1.0, 1.0, 0.0], np.ones(len(low)))
    np.testing.assert_allclose(eigengrasps.normalise(spec, ends), expected, atol=1e-12)


def test_shipped_components_are_valid(spec):
    data, n = eigengrasps.load(spec.name), len(spec.actuators)
    assert data.gripper_version == eigengrasps.version(spec), "run make_eigengrasps.py again"
    assert f"--gripper {spec.name} --tries" in data.source and "--seed" in data.source
    assert data.n_grasps > 10 * n
    rows = np.array(data.components)
    assert rows.shape == (n, n)
    assert np.all(np.abs(rows).max(axis=1) == 1.0)
    lengths = np.linalg.norm(rows, axis=1)
    np.testing.assert_allclose(rows @ rows.T / np.outer(lengths, lengths), np.eye(n), atol=1e-4)
    # All components together span all postures.
    assert np.linalg.matrix_rank(rows) == n
    variance = np.array(data.explained_variance)
    assert variance.shape == (n,) and np.all(np.diff(variance) <= 0.0) and variance[-1] >= 0.0
    assert variance.sum() == pytest.approx(1.0, abs=1e-3)


def test_seven_components_explain_most_of_the_variance(spec):
    assert sum(eigengrasps.load(spec.name).explained_variance[:7]) > 0.9


def test_the_version_depends_on_the_limits(spec):
    links = [link._replace(limits=(-9.0, 9.0)) for link in spec.links]
    changed = dataclasses.replace(spec, links=tuple(links))
    assert eigengrasps.version(changed) != eigengrasps.version(spec)


def test_text_can_be_loaded(spec, monkeypatch, tmp_path):
    data = eigengrasps.load(spec.name)
    monkeypatch.setattr(eigengrasps, "_DATA", tmp_path)
    eigengrasps.path("Another").write_text(eigengrasps.text(data), encoding="utf-8")
    assert eigengrasps.load("Another") == data
    eigengrasps.load.cache_clear()


def test_targets_stay_within_the_ranges(spec):
    low, high = np.array([actuator.control for actuator in spec.actuators]).T
    rng = np.random.default_rng(0)
    for n in (1, 3, len(low)):
        reduced = eigengrasps.with_eigengrasps(spec, n)
        robot = Robot(reduced, Simulation(spec.stepping, None), spec.workspace)
        targets = [robot.joint_targets(rng.uniform(-1, 1, n).tolist()) for _ in range(100)]
        assert np.all(targets >= low - 1e-9) and np.all(targets <= high + 1e-9)
        assert np.std(targets, axis=0).max() > 0.1
        np.testing.assert_allclose(robot.joint_targets([0.0] * n), (low + high) / 2.0)


def test_joint_actions_of_the_scripted_policy_reproduce_postures(spec):
    rows = eigengrasps.with_eigengrasps(spec, 3).basis
    posture = np.array([0.5, -0.25, 1.0]) @ rows
    np.testing.assert_allclose(joint_action(rows, posture), [0.5, -0.25, 1.0], atol=1e-3)


@pytest.mark.parametrize(
    ("env_id", "n_actuators"), [("FlatBarrettCube-v0", 4), ("FlatSHCube-v0", 20)]
)
def test_their_number_determines_the_action_space(env_id, n_actuators):
    for n in (0, 1, n_actuators):
        env = gymnasium.make(env_id, n_eigengrasps=n)
        size = n or n_actuators
        assert env.unwrapped.action_layout[-1] == ("grip_joints", size, "-")
        assert env.action_space.shape == (12 + size,)
        env.close()


@pytest.mark.parametrize("n", [-1, 21, 7.0, True, "7", None])
def test_invalid_numbers_are_refused(n):
    with pytest.raises(ValueError, match=r"n_eigengrasps = .* for ShadowHand.* \[0, 20\]"):
        gymnasium.make("FlatSHCube-v0", n_eigengrasps=n)


def test_the_parallel_jaw_has_no_eigengrasps():
    gymnasium.make("FlatPJCube-v0", n_eigengrasps=0).close()
    with pytest.raises(ValueError, match=r"n_eigengrasps = 1 for ParallelJaw, expected 0"):
        gymnasium.make("FlatPJCube-v0", n_eigengrasps=1)


@pytest.mark.parametrize("name", LEAST)
@pytest.mark.parametrize("gripper", ENOUGH)
def test_a_few_suffice_to_lift(gripper, name):
    assert lift_rate(gripper, name, 20) >= LEAST[name]


@pytest.mark.slow
@pytest.mark.parametrize("name", LEAST)
@pytest.mark.parametrize("gripper", ENOUGH)
def test_a_few_suffice_to_lift_in_many_episodes(gripper, name):
    assert lift_rate(gripper, name, 100) >= LEAST[name]


def lift_rate(gripper, name, n_episodes):
    n = ENOUGH[gripper]
    env = gymnasium.make(f"Flat{gripper}{name}-v0", air_goal_share=1.0, n_eigengrasps=n)
    rate = success_rate(env, n_episodes, first_seed=2000)
    env.close()
    return rate
