"""The search for stable grasps samples valid postures, finds grasps and is repeatable."""

import json
from pathlib import Path

import numpy as np
import pytest

from command_line import call
from envs.robots import ROBOTS
from envs.robots.grasp_search import SEARCHES, draw_grasp, search

SCRIPT = Path(__file__).parents[3] / "examples" / "make_eigengrasps.py"
GRIPPERS = [spec for spec in ROBOTS.values() if spec.name in SEARCHES]


@pytest.fixture(params=GRIPPERS, ids=lambda spec: spec.name)
def spec(request):
    return request.param


def test_each_actuator_is_sampled_once(spec):
    joints = [joint for motion in SEARCHES[spec.name].motions for joint in motion.joints]
    assert sorted(joints) == sorted(actuator.joint for actuator in spec.actuators)


def test_sampled_postures_are_within_the_ranges(spec):
    low, high = np.array([actuator.control for actuator in spec.actuators]).T
    rng = np.random.default_rng(0)
    grasps = np.array([draw_grasp(spec, rng) for _ in range(200)])
    assert np.all(grasps >= low) and np.all(grasps <= high)
    assert np.all(np.ptp(grasps, axis=(0, 1)) > 0.0)


def test_tries_are_independent_and_repeatable(spec):
    tries = range(36, 54)
    found = list(search(spec, 0, tries))
    assert any(found) and not all(found)
    backwards = list(search(spec, 0, reversed(tries)))
    np.testing.assert_equal(backwards[::-1], found)
    assert [g is None for g in search(spec, 1, tries)] != [g is None for g in found]


def test_the_script_gives_the_same_file_on_any_number_of_processes(tmp_path):
    command = ["--gripper", "BarrettHand", "--tries", "120", "--out"]
    for n in ("1", "2"):
        assert call(SCRIPT, *command, n, "--processes", n, cwd=tmp_path).returncode == 0
    assert (tmp_path / "1").read_bytes() == (tmp_path / "2").read_bytes()
    data = json.loads((tmp_path / "1").read_text(encoding="utf-8"))
    assert data["n_grasps"] > 20 and np.shape(data["components"]) == (4, 4)


def test_the_script_refuses_too_few_tries(tmp_path):
    for tries, message in (("0", "expected N >= 1"), ("1", "too few for 20 components")):
        done = call(SCRIPT, "--gripper", "ShadowHand", "--tries", tries, cwd=tmp_path)
        assert done.returncode == 2 and message in done.stderr
