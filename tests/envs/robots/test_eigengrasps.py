"""Eigengrasps: the arithmetic, the shipped data, and that few of them are enough to grasp."""

import dataclasses

import gymnasium
import numpy as np
import pytest
from scripted import hand_action, success_rate

from envs.robots import ROBOTS, eigengrasps
from envs.robots.robot import Robot
from envs.sim.simulation import Simulation

ENOUGH = {"Barrett": 4, "SH": 7}
LEAST = {"Cube": 0.95, "Sphere": 0.95, "Cylinder": 0.95, "Mesh": 0.85, "All": 0.9}


@pytest.fixture(params=ENOUGH)
def spec(request):
    return ROBOTS[request.param]


def test_synergies_by_hand():
    """Sums of squares: 0.8 + 0.2 along (1, 0.5), 0.05 along (-0.5, 1)."""
    postures = np.array([[0.8, 0.4], [0.4, 0.2], [0.1, -0.2]])
    components, explained = eigengrasps.synergies(postures)
    np.testing.assert_allclose(components, [[1.0, 0.5], [-0.5, 1.0]], atol=1e-12)
    np.testing.assert_allclose(explained, [1.0 / 1.05, 0.05 / 1.05])


def test_a_posture_that_all_grasps_share_is_a_component():
    components, explained = eigengrasps.synergies(np.array([[-0.2, 0.4]] * 3))
    np.testing.assert_allclose(components[0], [-0.5, 1.0], atol=1e-12)
    np.testing.assert_allclose(explained, [1.0, 0.0], atol=1e-12)


def test_postures_are_relative_to_the_middle_of_the_ranges(spec):
    low, high = np.array([actuator.control for actuator in spec.actuators]).T
    ends = np.array([low, high, (low + high) / 2.0])
    expected = np.outer([-1.0, 1.0, 0.0], np.ones(len(low)))
    np.testing.assert_allclose(eigengrasps.normalise(spec, ends), expected, atol=1e-12)


def test_shipped_components(spec):
    data, n = eigengrasps.load(spec.name), len(spec.actuators)
    assert data.hand_version == eigengrasps.version(spec), "the hand changed: compute them again"
    assert f"--hand {spec.name} --tries" in data.source and "--seed" in data.source
    assert data.n_grasps > 10 * n
    rows = np.array(data.components)
    assert rows.shape == (n, n)
    assert np.all(np.abs(rows).max(axis=1) == 1.0)
    lengths = np.linalg.norm(rows, axis=1)
    np.testing.assert_allclose(rows @ rows.T / np.outer(lengths, lengths), np.eye(n), atol=1e-4)
    assert np.linalg.matrix_rank(rows) == n  # all of them: full control
    shares = np.array(data.explained_variance)
    assert shares.shape == (n,) and np.all(np.diff(shares) <= 0.0) and shares[-1] >= 0.0
    assert shares.sum() == pytest.approx(1.0, abs=1e-3)


def test_few_components_explain_most(spec):
    shares = eigengrasps.load(spec.name).explained_variance
    assert sum(shares[:7]) > 0.9


def test_the_version_notices_another_hand(spec):
    turned = [link._replace(limits=(-9.0, 9.0)) for link in spec.links]
    changed = dataclasses.replace(spec, links=tuple(turned))
    assert eigengrasps.version(changed) != eigengrasps.version(spec)


def test_text_is_read_back(spec, monkeypatch, tmp_path):
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


def test_hand_actions_of_the_scripted_policy_are_the_nearest_ones(spec):
    rows = eigengrasps.with_eigengrasps(spec, 3).basis
    posture = np.array([0.5, -0.25, 1.0]) @ rows
    np.testing.assert_allclose(hand_action(rows, posture), [0.5, -0.25, 1.0], atol=1e-3)


@pytest.mark.parametrize(
    ("env_id", "all_of_them"), [("FlatBarrettCube-v0", 4), ("FlatSHCube-v0", 20)]
)
def test_action_spaces(env_id, all_of_them):
    for n in (0, 1, all_of_them):
        env = gymnasium.make(env_id, n_eigengrasps=n)
        size = n or all_of_them
        assert env.unwrapped.action_layout[-1] == ("grip_joints", size, "-")
        assert env.action_space.shape == (12 + size,)
        env.close()


@pytest.mark.parametrize("n", [-1, 21, 7.0, True, "7", None])
def test_numbers_out_of_range(n):
    with pytest.raises(ValueError, match=r"n_eigengrasps = .* for ShadowHand.* \[0, 20\]"):
        gymnasium.make("FlatSHCube-v0", n_eigengrasps=n)


def test_the_parallel_jaw_has_none():
    gymnasium.make("FlatPJCube-v0", n_eigengrasps=0).close()
    with pytest.raises(ValueError, match=r"n_eigengrasps = 1 for ParallelJaw, expected 0"):
        gymnasium.make("FlatPJCube-v0", n_eigengrasps=1)


@pytest.mark.parametrize("thing", LEAST)
@pytest.mark.parametrize("hand", ENOUGH)
def test_few_are_enough_to_lift(hand, thing):
    assert lifts(hand, thing, 20) >= LEAST[thing]


@pytest.mark.slow
@pytest.mark.parametrize("thing", LEAST)
@pytest.mark.parametrize("hand", ENOUGH)
def test_few_are_enough_to_lift_often(hand, thing):
    assert lifts(hand, thing, 100) >= LEAST[thing]


def lifts(hand, thing, n_episodes):
    n = ENOUGH[hand]
    env = gymnasium.make(f"Flat{hand}{thing}-v0", air_goal_share=1.0, n_eigengrasps=n)
    rate = success_rate(env, n_episodes, first_seed=2000)
    env.close()
    return rate
