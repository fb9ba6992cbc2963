"""Measures of an episode by hand."""

import math

import numpy as np
import pytest

from grasp_func.core.types import EnvSpec
from grasp_func.training.episode_result import measure
from grasp_func.training.goal_env import Observation

SPEC = EnvSpec(1, 9, 1, None, {}, 4, goal_position=slice(0, 3), goal_rotation=slice(3, 9))
UPRIGHT = [1, 0, 0, 0, 1, 0]
STEPS = 4


def observed(lifts=(None,) * 5, reached=(False,) * 5, achieved=(0, 0, 0, *UPRIGHT), air=None):
    goal = np.float32([3, 0, 4, *UPRIGHT])
    return [
        Observation(np.zeros(1), np.float32(achieved), goal, there, air, lift)
        for lift, there in zip(lifts, reached, strict=True)
    ]


def result_of(rewards=(-1, -1, 0, 0), name=None, spec=SPEC, **seen):
    return measure(7, observed(**seen), np.float32(rewards), name, spec)


def test_success_is_that_of_the_last_step_and_time_counts_from_the_reset():
    result = result_of(reached=[False, False, True, True, False])
    # at the goal after steps 2 and 3 of 4
    assert (result.success, result.first_success, result.at_goal) == (False, 2, 0.5)
    assert (result.seed, result.reward) == (7, -0.5)
    assert result_of().first_success is None
    # the start is no step
    assert result_of(reached=[True, False, False, False, False]).at_goal == 0.0
    assert result_of(reached=[True] * 5).first_success == 0


def test_distance_is_that_of_the_positions():
    assert result_of().distance == 5.0
    assert result_of(spec=SPEC._replace(goal_position=None)).distance is None


@pytest.mark.parametrize("angle", [0.0, 0.3, math.pi / 2, 3.0, math.pi])
def test_angle_is_that_between_the_rotations(angle):
    c, s = math.cos(angle), math.sin(angle)
    result = result_of(achieved=[0, 0, 0, 1, 0, 0, 0, c, s])
    assert result.angle == pytest.approx(angle, abs=1e-3)
    assert result_of(spec=SPEC._replace(goal_rotation=None)).angle is None


@pytest.mark.parametrize(("air", "goal"), [(True, "air"), (False, "table"), (None, None)])
def test_kind_of_goal_and_object(air, goal):
    result = result_of(air=air, name="Cube")
    assert (result.goal, result.object) == (goal, "Cube")


def play(lifts, reached=()):
    reached = [t in reached for t in range(len(lifts))]
    return result_of(lifts=lifts, reached=reached)


@pytest.mark.parametrize(
    ("lifts", "reached", "drops"),
    [
        # never higher than 4.5 cm
        ([0, 0.04, 0.04, 0.0, 0.0], [], 0),
        ([0, 0.05, 0.1, 0.01, 0.0], [], 1),
        # still 3 cm above the ground
        ([0, 0.05, 0.1, 0.03, 0.03], [], 0),
        # lifted and dropped twice
        ([0, 0.05, 0.0, 0.05, 0.0], [], 2),
        # put down at the goal, and within five steps of it
        ([0, 0.05, 0.1, 0.01, 0.0], [3], 0),
        ([0, 0.05, 0.0, 0, 0, 0, 0, 0], [7], 0),
        ([0, 0.05, 0.0, 0, 0, 0, 0, 0, 0], [8], 1),
        # it was at the goal before, in the air
        ([0, 0.05, 0.1, 0.01, 0.0], [2], 1),
        # the environment does not say at the reset
        ([None, 0.05, 0.1, 0.01, 0.0], [], 1),
    ],
)
def test_drops(lifts, reached, drops):
    assert play(lifts, reached).drops == drops


def test_falling_off_the_table():
    assert play([0, -0.05, -0.09, -0.09, 0.0]).off_table is False
    # it bounces on the floor
    assert play([0, -0.05, -0.4, -0.09, 0.0]).off_table is True


def test_what_the_environment_does_not_say_is_none():
    result = measure(7, observed(), np.zeros(STEPS), None, EnvSpec(1, 9, 1, None, {}, 4))
    unknown = {name for name, value in result._asdict().items() if value is None}
    assert unknown == {
        *("first_success", "air", "object", "distance", "angle", "drops", "off_table"),
    }
