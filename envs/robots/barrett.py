"""The BarrettHand BH8: three fingers, two of which spread around the palm.

Modelled from published dimensions with primitive shapes instead of meshes: 8 joints and 4 actuators
(spread and the three medial joints). The spread of the second finger is coupled to that of the
first, and each distal joint to its medial joint. Lengths in m, masses in kg, angles in rad.
"""

import math

from ..sim import rotations
from ..sim.rotations import Quaternion, Vector
from ..sim.types import Shape, Stepping
from ..sim.urdf import Link
from .barrett_look import LOOK
from .spec import Actuator, BodySymmetry, Coupling, RobotSpec, full_control

_QUARTER = math.sqrt(0.5)
# +90 degrees about x and y.
_ABOUT_X: Quaternion = (_QUARTER, 0.0, 0.0, _QUARTER)
_ABOUT_Y: Quaternion = (0.0, _QUARTER, 0.0, _QUARTER)
_SPREAD, _MEDIAL, _DISTAL = (0.0, 3.1406), (0.0, 2.44346), (0.0, 0.8377)


def _spread(name: str, x: float, axis: Vector) -> Link:
    """The link that moves a finger around the palm; its axis is parallel to the approach axis."""
    return Link(
        name,
        0.141,
        (Shape("box", (0.037, 0.0123, 0.0245), (0.028, 0.0, 0.024)),),
        parent="palm",
        joint="revolute",
        origin=(x, 0.0, 0.0415),
        rotation=rotations.about_z(-math.pi / 2.0),
        axis=axis,
        limits=_SPREAD,
    )


def _medial(name: str, parent: str, origin: Vector, rotation: Quaternion) -> Link:
    """The link next to the palm; at 0 it lies along x, and it closes by rotating about z."""
    return Link(
        name,
        0.062,
        (Shape("capsule", (0.010, 0.035), (0.035, 0.0, 0.0), _ABOUT_Y),),
        parent=parent,
        joint="revolute",
        origin=origin,
        rotation=rotation,
        limits=_MEDIAL,
    )


def _distal(name: str, parent: str) -> Link:
    """The bent fingertip."""
    along = rotations.multiply(rotations.about_z(0.55), _ABOUT_Y)
    return Link(
        name,
        0.041,
        (Shape("capsule", (0.0085, 0.0225), (0.0195, 0.0120, 0.0), along),),
        parent=parent,
        joint="revolute",
        origin=(0.06994, 0.003, 0.0),
        rotation=rotations.about_z(-math.pi / 4.0),
        limits=_DISTAL,
    )


_PALM = (
    Shape("cylinder", (0.0445, 0.0205), (0.0, 0.0, 0.02)),
    Shape("box", (0.0445, 0.0307, 0.0065), (0.0, -0.0043, 0.0728)),
    Shape("box", (0.0123, 0.019, 0.024), (0.0, 0.046, 0.066)),
)
_ON_SPREAD: Vector = (0.05, 0.0, 0.0339)

BARRETT = RobotSpec(
    name="BarrettHand",
    links=(
        Link("palm", 0.9, _PALM),
        _spread("spread1", -0.025, (0.0, 0.0, -1.0)),
        _spread("spread2", 0.025, (0.0, 0.0, 1.0)),
        _medial("medial1", "spread1", _ON_SPREAD, _ABOUT_X),
        _medial("medial2", "spread2", _ON_SPREAD, _ABOUT_X),
        _medial(
            "medial3",
            "palm",
            (0.0, 0.05, 0.0754),
            rotations.multiply(_ABOUT_Y, rotations.about_z(math.pi / 2.0)),
        ),
        _distal("distal1", "medial1"),
        _distal("distal2", "medial2"),
        _distal("distal3", "medial3"),
    ),
    actuators=(
        Actuator("spread1", _SPREAD, 10.0, 0.1),
        Actuator("medial1", _MEDIAL, 5.0, 0.1),
        Actuator("medial2", _MEDIAL, 5.0, 0.1),
        Actuator("medial3", _MEDIAL, 5.0, 0.1),
    ),
    couplings=(
        Coupling("spread2", "spread1", 1.0),
        Coupling("distal1", "medial1", 1.0 / 3.0),
        Coupling("distal2", "medial2", 1.0 / 3.0),
        Coupling("distal3", "medial3", 1.0 / 3.0),
    ),
    basis=full_control(4),
    start_joints=(0.0, 1.1, 1.1, 1.1),
    grasp_joints=(0.0, 2.2, 2.2, 2.2),
    grip_position=(0.0, 0.0, 0.165),
    grip_rotation=(0.0, -_QUARTER, 0.0, _QUARTER),
    start_height=0.2,
    grasp_height=0.0,
    grasp_tilt=0.0,
    workspace=((0.22, 0.78), (-0.32, 0.32), (0.405, 0.85)),
    joint_unit="rad",
    weld_force=100.0,
    symmetries=(
        BodySymmetry(
            (1.0, 1.0, -1.0),
            (("spread1", "spread2"), ("medial1", "medial2"), ("distal1", "distal2")),
        ),
    ),
    stepping=Stepping(substeps=6, time_step=1.0 / 150.0, iterations=20, erp=0.16),
    look=LOOK,
)
