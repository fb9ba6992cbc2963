"""Surfaces made by code: sizes, normals and files."""

import os
from pathlib import Path

import numpy as np
import pybullet_data
import pytest

from envs.sim.surfaces import (
    Ball,
    FilePart,
    Hull,
    bone,
    cylinder,
    default_look,
    rounded,
    surface_file,
    triangulate,
)
from envs.sim.types import Mesh, Piece, Shape

GREY = (0.5, 0.5, 0.5, 1.0)
FINGER = os.path.join(pybullet_data.getDataPath(), "franka_panda", "meshes", "visual", "finger.obj")
HULLS = {
    "ball": Hull((Ball(0.1, 0.2, 0.3, 0.02),), GREY),
    "bone": bone(Ball(0.0, 0.0, 0.0, 0.01), Ball(0.01, 0.02, 0.04, 0.008), GREY),
    "cylinder": cylinder((0.0, 0.1, 0.0), (0.0, 0.2, 0.05), 0.02, GREY),
    "box": rounded(Shape("box", (0.01, 0.02, 0.03))),
    "disc": rounded(Shape("cylinder", (0.05, 0.01))),
}


def normals_of_triangles(points, triangles):
    a, b, c = (points[triangles[:, i]] for i in range(3))
    crosses = np.cross(b - a, c - a)
    return crosses / np.linalg.norm(crosses, axis=1, keepdims=True)


@pytest.mark.parametrize("name", HULLS)
def test_a_hull_is_closed_and_its_normals_point_outwards(name):
    points, normals, triangles = triangulate(HULLS[name])
    edges = {tuple(edge) for t in triangles for edge in zip(t, np.roll(t, -1), strict=True)}
    assert len(edges) == 3 * len(triangles) and {edge[::-1] for edge in edges} == edges
    np.testing.assert_allclose(np.linalg.norm(normals, axis=1), 1.0, atol=1e-12)
    flat = normals_of_triangles(points, triangles)
    middles = points[triangles].mean(axis=1) - points.mean(axis=0)
    assert ((flat * middles).sum(axis=1) > 0.0).all()
    # Shading follows the shape.
    assert all(((normals[triangles[:, i]] * flat).sum(axis=1) > 0.3).all() for i in range(3))


def test_an_inverted_hull_is_seen_from_inside():
    ball = HULLS["ball"]
    points, normals, triangles = triangulate(ball)
    inner = triangulate(Hull(ball.balls, GREY, inverted=True))
    np.testing.assert_array_equal(inner[0], points)
    np.testing.assert_array_equal(inner[1], -normals)
    np.testing.assert_allclose(
        normals_of_triangles(points, inner[2]), -normals_of_triangles(points, triangles)
    )


@pytest.mark.parametrize(
    ("shape", "half"),
    [
        (Shape("box", (0.01, 0.02, 0.03)), (0.01, 0.02, 0.03)),
        (Shape("sphere", (0.035,)), (0.035,) * 3),
        (Shape("cylinder", (0.025, 0.04)), (0.025, 0.025, 0.04)),
        (Shape("capsule", (0.01, 0.02)), (0.01, 0.01, 0.03)),
    ],
)
def test_a_rounded_shape_has_the_size_of_the_shape(shape, half):
    points = triangulate(rounded(shape))[0]
    np.testing.assert_allclose(points.max(axis=0), half, atol=1e-9)
    np.testing.assert_allclose(points.min(axis=0), -np.array(half), atol=1e-9)


def test_a_rounded_box_has_no_sharp_corner():
    points = triangulate(rounded(Shape("box", (0.02,) * 3)))[0]
    assert np.abs(points).sum(axis=1).max() < 0.058


def test_a_cylinder_lies_between_its_ends():
    a, b = np.array((0.0, 0.1, 0.0)), np.array((0.0, 0.2, 0.05))
    points = triangulate(HULLS["cylinder"])[0]
    axis = (b - a) / np.linalg.norm(b - a)
    along = (points - a) @ axis
    across = np.linalg.norm(points - a - along[:, None] * axis, axis=1)
    np.testing.assert_allclose((along.min(), along.max()), (0.0, np.linalg.norm(b - a)), atol=1e-9)
    assert np.isclose(across.max(), 0.02)


def test_scaling_a_hull_scales_its_points():
    points, larger = (triangulate(h)[0] for h in (HULLS["box"], HULLS["box"].scaled(1.1)))
    np.testing.assert_allclose(larger, 1.1 * points)


def test_light_and_dark_parts_of_a_file_are_told_apart():
    light, dark = (triangulate(FilePart(FINGER, is_light, GREY))[0] for is_light in (True, False))
    # The pad at the tip is dark, the rest is light.
    assert dark[:, 2].min() > 0.035 and light[:, 2].min() < 0.001
    turned = triangulate(FilePart(FINGER, False, GREY, (-2.0, -2.0, 1.0), (0.0, 0.1, 0.0)))
    expected = dark * (-2.0, -2.0, 1.0) + (0.0, 0.1, 0.0)
    for bound in (np.min, np.max):
        np.testing.assert_allclose(bound(turned[0], axis=0), bound(expected, axis=0))
    # Turned, not mirrored: triangles keep their orientation.
    assert ((normals_of_triangles(*turned[::2]) * turned[1][turned[2][:, 0]]).sum(axis=1) > 0).all()


def test_a_mesh_looks_like_its_surface():
    corners = np.array([(0.0, 0.0, 0.0), (1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0)])
    piece = Piece(corners, np.array([(0, 2, 1), (0, 1, 3), (0, 3, 2), (1, 2, 3)]))
    (look,) = default_look(Mesh("tetrahedron", (piece,), corners, piece, scale=0.1))
    points = triangulate(look)[0]
    np.testing.assert_allclose(points.max(axis=0), 0.1)


def test_equal_surfaces_share_a_file():
    first = Path(surface_file(HULLS["bone"]))
    lines = first.read_text().splitlines()
    points, _, triangles = triangulate(HULLS["bone"])
    assert surface_file(bone(*HULLS["bone"].balls, GREY)) == str(first)
    assert surface_file(HULLS["ball"]) != str(first)
    assert [sum(line.startswith(f"{key} ") for line in lines) for key in ("v", "vn", "f")] == [
        *(len(points), len(points), len(triangles))
    ]
