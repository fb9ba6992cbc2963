"""What grippers look like: not like their collision shapes, but close where they touch."""

import gymnasium
import numpy as np
import pybullet as p
import pytest

import envs  # noqa: F401
from envs.robots import ROBOTS
from envs.sim.surfaces import triangulate
from envs.sim.urdf import urdf

ENVS = {"PJ": "FlatPJCube-v0", "Barrett": "FlatBarrettCube-v0", "SH": "FlatSHCube-v0"}
# Links that touch the object, and the greatest distance (m) between their look and their shape.
TOUCHING = {
    "PJ": {"left_finger": 0.001, "right_finger": 0.001},
    "Barrett": {f"distal{i}": 0.002 for i in (1, 2, 3)},
    "SH": {name: 0.002 for name in ("FFJ0", "MFJ0", "RFJ0", "LFJ0", "THJ0")},
}


def shapes(key, render_mode):
    """Returns the collision shapes and the visual shapes of a gripper, by link."""
    env = gymnasium.make(ENVS[key], render_mode=render_mode).unwrapped
    body, client = env._robot.body, env._sim._client
    links = range(-1, p.getNumJoints(body, physicsClientId=client))
    solid = {link: p.getCollisionShapeData(body, link, client) for link in links}
    seen = p.getVisualShapeData(body, physicsClientId=client)
    dynamics = [p.getDynamicsInfo(body, link, client) for link in links]
    joints = [p.getJointInfo(body, joint, client) for joint in links[1:]]
    env.close()
    return solid, seen, (dynamics, joints)


@pytest.mark.parametrize("key", ROBOTS)
def test_visual_shapes_differ_from_collision_shapes(key):
    solid, seen, _ = shapes(key, "rgb_array")
    assert {shape[2] for shape in seen} == {p.GEOM_MESH}
    assert all(shape[4].endswith(b".obj") for shape in seen)
    files = [shape[4] for link in solid.values() for shape in link]
    assert files and not any(b".obj" in file for file in files)
    assert {shape[1] for shape in seen} == set(solid)


@pytest.mark.parametrize("key", ROBOTS)
def test_looks_change_no_part_of_the_simulation(key):
    (solid, _, facts), (plain, unseen, plain_facts) = shapes(key, "rgb_array"), shapes(key, None)
    assert not any(shape[4].endswith(b".obj") for shape in unseen)
    assert (solid, facts) == (plain, plain_facts)


@pytest.mark.parametrize("key", ROBOTS)
def test_every_link_has_a_look(key):
    assert set(ROBOTS[key].look) == {link.name for link in ROBOTS[key].links}


@pytest.mark.parametrize("key", ROBOTS)
def test_links_without_a_look_look_like_their_shapes(key):
    spec = ROBOTS[key]
    frame = spec.name, spec.links, spec.grip_position, spec.grip_rotation
    shapes = sum(len(link.shapes) for link in spec.links)
    assert urdf(*frame, {}).count("<visual>") == urdf(*frame, {}).count("<collision>") == shapes
    assert urdf(*frame, None).count("<visual>") == 0


def reach(link, look):
    """Returns how far shape and look of a link reach along directions that touch objects (m)."""
    points = np.concatenate([triangulate(surface)[0] for surface in look])
    (shape,) = link.shapes
    if shape.kind == "box":
        # The inner side of a jaw, and its end.
        side = np.sign(shape.position[1])
        directions = np.array([(0.0, side, 0.0), (0.0, 0.0, 1.0)])
        reached = directions @ shape.position + np.abs(directions) @ shape.size
        return reached, (points @ directions.T).max(axis=0)
    from scipy.spatial.transform import Rotation

    radius, half = shape.size
    axis = Rotation.from_quat(shape.rotation).apply((0.0, 0.0, 1.0))
    axis *= np.sign(axis @ shape.position)
    sideways = np.cross(axis, np.roll(axis, 1))
    directions = np.array([axis, sideways / np.linalg.norm(sideways)])
    reached = directions @ shape.position + radius + half * np.array([1.0, 0.0])
    return reached, (points @ directions.T).max(axis=0)


@pytest.mark.parametrize(
    ("key", "name"), [(key, name) for key, links in TOUCHING.items() for name in links]
)
def test_fingers_end_where_they_seem_to_end(key, name):
    (link,) = [link for link in ROBOTS[key].links if link.name == name]
    solid, seen = reach(link, ROBOTS[key].look[name])
    np.testing.assert_allclose(seen, solid, atol=TOUCHING[key][name])
