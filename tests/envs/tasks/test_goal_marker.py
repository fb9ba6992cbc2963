"""The visual shapes of goals, regions and paths."""

import gymnasium
import numpy as np
import pybullet as p
import pytest

import envs  # noqa: F401
from envs.objects.spec import OBJECTS
from envs.sim.simulation import Simulation
from envs.sim.surfaces import triangulate
from envs.suite import SUITE
from envs.tasks.goal_marker import GoalMarker, Trace

CUBE = OBJECTS["ParallelJaw"]["Cube"]


@pytest.fixture
def sim():
    made = Simulation(SUITE["FlatPJCube-v0"].robot.stepping, "software")
    yield made
    made.close()


def positions(sim, bodies):
    return [p.getBasePositionAndOrientation(body, sim._client)[0] for body in bodies]


def test_dots_are_evenly_spaced_along_the_path(sim):
    trace = Trace(sim)
    path = [(0.03 * i, 0.0, 0.4 + 0.02 * (i % 2)) for i in range(5)]
    trace.begin(path[0])
    for position in path[1:]:
        trace.extend(position)
    dots = np.array(positions(sim, [body for dot in trace._dots for body in dot]))
    assert len(dots) > 10
    np.testing.assert_allclose(np.linalg.norm(np.diff(dots, axis=0), axis=1), 0.01, atol=1e-3)
    trace.begin(path[0])
    assert all(z < 0.0 for _, _, z in positions(sim, [b for dot in trace._dots for b in dot]))
    trace.extend(path[1])
    # Dots are used again.
    assert len(trace._dots) == len(dots)


def test_an_object_at_rest_leaves_no_path(sim):
    trace = Trace(sim)
    trace.begin((0.5, 0.0, 0.4))
    trace.extend((0.505, 0.0, 0.4))
    assert not trace._dots


def test_a_goal_with_a_rotation_is_a_copy_of_the_object(sim):
    marker = GoalMarker(sim, SUITE["FlatPJOrient-v0"].task, False)
    goal = (0.5, 0.1, 0.6, 0.0, 1.0, 0.0, -1.0, 0.0, 0.0)
    marker.show(goal, CUBE, 1.0, (0.5, 0.0, 0.4))
    bodies = marker._goal
    assert len(bodies) == len(CUBE.look) == 3
    for body in bodies:
        position, rotation = p.getBasePositionAndOrientation(body, sim._client)
        np.testing.assert_allclose(position, goal[:3])
        np.testing.assert_allclose(np.abs(rotation), (0.0, 0.0, 0.5**0.5, 0.5**0.5), atol=1e-9)
    marker.show(goal, CUBE, 1.0, (0.5, 0.0, 0.4))
    assert marker._goal == bodies
    marker.show(goal, CUBE, 1.2, (0.5, 0.0, 0.4))
    assert marker._goal != bodies


def test_the_marks_of_a_cube_are_on_different_faces():
    cube, *marks = (triangulate(hull)[0] for hull in CUBE.look)
    faces = [tuple(np.isclose(mark.max(axis=0), cube.max(axis=0), atol=1e-3)) for mark in marks]
    outside = [np.argmax(mark.max(axis=0)) for mark in marks]
    assert outside == [2, 0], faces
    assert all(mark.max() > cube.max() for mark in marks)


def test_no_marker_exists_without_rendering():
    env = gymnasium.make("ObstacleSHCube-v0", render_trace=True).unwrapped
    env.reset(seed=0)
    # Floor, table, gripper and object.
    assert p.getNumBodies(env._sim._client) == 4
    env.close()
