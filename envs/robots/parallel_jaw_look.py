"""What the parallel jaw looks like, by link: the Franka hand of PyBullet's package pybullet_data.

Lengths in m.
"""

import os

import pybullet_data

from ..sim.colours import JOINT, SHELL, TIP
from ..sim.surfaces import FilePart, Look, cylinder

_FOLDER = os.path.join(pybullet_data.getDataPath(), "franka_panda", "meshes", "visual")
_HAND, _FINGER = os.path.join(_FOLDER, "hand.obj"), os.path.join(_FOLDER, "finger.obj")


def _finger(side: float) -> Look:
    """A finger, stretched to the length and width of the simulated one.

    Args:
        side: 1 for the finger that opens along +y, -1 for the other.
    """
    frame = (1.286 * side, 1.286 * side, 1.486), (0.0, -0.015 * side, -0.0416)
    return FilePart(_FINGER, False, TIP, *frame), FilePart(_FINGER, True, SHELL, *frame)


LOOK: dict[str, Look] = {
    "palm": (
        FilePart(_HAND, False, JOINT),
        # The flange of the arm.
        cylinder((0.0, 0.0, -0.050), (0.0, 0.0, -0.030), 0.0305, JOINT, edge=0.002),
        cylinder((0.0, 0.0, -0.042), (0.0, 0.0, -0.008), 0.0325, SHELL, edge=0.002),
        FilePart(_HAND, True, SHELL),
    ),
    "left_finger": _finger(1.0),
    "right_finger": _finger(-1.0),
}
