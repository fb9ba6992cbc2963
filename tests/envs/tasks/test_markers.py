"""The visual shapes of goals and regions."""

import numpy as np

from envs.sim import colours, rotations
from envs.tasks.markers import POSE_MARKER, POSITION_MARKER, region_marker


def test_axes_of_a_pose_are_red_green_blue():
    for axis, colour in enumerate(colours.AXES):
        (bar,) = [shape for shape in POSE_MARKER if shape.colour == colour]
        assert int(np.argmax(bar.size)) == int(np.argmax(bar.position)) == axis
        assert int(np.argmax(colour[:3])) == axis
        # The bar starts at the origin.
        assert np.isclose(bar.position[axis], bar.size[axis])


def test_the_marker_of_a_position_is_symmetric():
    assert all(shape.position == (0.0, 0.0, 0.0) for shape in POSITION_MARKER)


def test_the_marker_of_a_region_lies_on_its_surface():
    for bar in region_marker(0.1):
        centre = np.linalg.norm(bar.position)
        x, y, z = rotations.rotate(bar.rotation, (0.0, bar.size[1], 0.0))
        end = np.linalg.norm(np.add(bar.position, (x, y, z)))
        assert np.isclose(centre, 0.1) and abs(end - 0.1) < 0.003
    assert len({tuple(np.round(bar.position, 6)) for bar in region_marker(0.1)}) > 40
