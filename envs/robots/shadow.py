"""The Shadow Dexterous Hand: four fingers and a thumb on a wrist.

Modelled from published dimensions with boxes and capsules instead of meshes: 24 joints and 20
actuators. The joint J0 of each fingertip is coupled to J1. Links are named after their joints (WR
wrist, FF first, MF middle, RF ring and LF little finger, TH thumb). In the gripper's frame the
fingers point along z, the thumb is on the side of +x, and the palm faces -y. Lengths in m, masses
in kg, angles in rad.

Simplifications: the forearm is one capsule of 1 kg, wrist and knuckles have no shapes, and the
control range of J1 ends where the coupled J0 reaches its limit.
"""

from ..sim import rotations
from ..sim.rotations import Quaternion, Vector
from ..sim.types import Shape, Stepping
from ..sim.urdf import Link
from .shadow_look import LOOK
from .spec import Actuator, Coupling, RobotSpec, full_control

_X: Vector = (1.0, 0.0, 0.0)
_Y: Vector = (0.0, 1.0, 0.0)
_FLEXION = (0.0, 1.571)
_ABDUCTION = (-0.349, 0.349)
# Middle of the range of WRJ1.
_WRIST_MIDDLE = -0.1745
# Angle of J0 divided by that of J1.
_TIP_RATIO = 1.1418
# Control range of J1, up to where J0 reaches its limit.
_KNUCKLE = (0.0, _FLEXION[1] / _TIP_RATIO)
_NO_SHAPES: tuple[Shape, ...] = ()


def _bone(radius: float, length: float) -> tuple[Shape, ...]:
    """A capsule along z, from one joint to the next."""
    half = length / 2.0
    return (Shape("capsule", (radius, half), (0.0, 0.0, half)),)


def _joint(
    name: str,
    parent: str,
    mass: float,
    shapes: tuple[Shape, ...],
    limits: tuple[float, float],
    axis: Vector = _X,
    origin: Vector = (0.0, 0.0, 0.0),
    rotation: Quaternion = rotations.IDENTITY,
) -> Link:
    return Link(name, mass, shapes, parent, "revolute", origin, rotation, axis, limits)


def _finger(key: str, parent: str, knuckle: Vector) -> tuple[Link, ...]:
    """A finger with the abduction J3 and the flexions J2, J1 and J0."""
    return (
        _joint(f"{key}J3", parent, 0.008, _NO_SHAPES, _ABDUCTION, _Y, knuckle),
        _joint(f"{key}J2", f"{key}J3", 0.014, _bone(0.010, 0.045), _FLEXION),
        _joint(
            f"{key}J1",
            f"{key}J2",
            0.012,
            _bone(0.00805, 0.025),
            _FLEXION,
            origin=(0.0, 0.0, 0.045),
        ),
        _joint(
            f"{key}J0",
            f"{key}J1",
            0.010,
            _bone(0.00705, 0.024),
            _FLEXION,
            origin=(0.0, 0.0, 0.025),
        ),
    )


_WRIST = (
    _joint("WRJ1", "forearm", 0.3, _NO_SHAPES, (-0.489, 0.14), _Y, (0.0, 0.0, -0.024)),
    _joint(
        "WRJ0",
        "WRJ1",
        0.3,
        (
            Shape("box", (0.032, 0.0111, 0.049), (0.011, 0.0, 0.038)),
            Shape("box", (0.011, 0.0111, 0.025), (-0.032, 0.0, 0.014)),
        ),
        (-0.698, 0.489),
        origin=(0.0, 0.0, 0.034),
    ),
)

_METACARPAL = _joint(
    "LFJ4",
    "WRJ0",
    0.075,
    (Shape("box", (0.0095, 0.0111, 0.025), (-0.0165, 0.0, 0.01)),),
    (0.0, 0.785),
    (0.571, 0.0, 0.821),
    (-0.017, 0.0, 0.044),
)

_THUMB = (
    _joint(
        "THJ4",
        "WRJ0",
        0.010,
        _NO_SHAPES,
        (-1.047, 1.047),
        (0.0, 0.0, -1.0),
        (0.034, -0.009, 0.029),
        rotations.about_y(0.785),
    ),
    _joint("THJ3", "THJ4", 0.016, _bone(0.013, 0.038), (0.0, 1.222)),
    _joint("THJ2", "THJ3", 0.010, _NO_SHAPES, (-0.209, 0.209), origin=(0.0, 0.0, 0.038)),
    _joint("THJ1", "THJ2", 0.016, _bone(0.011, 0.032), (-0.524, 0.524), _Y),
    _joint(
        "THJ0",
        "THJ1",
        0.016,
        _bone(0.00918, 0.026),
        (-1.571, 0.0),
        _Y,
        (0.0, 0.0, 0.032),
    ),
)

_FINGERS = ("FF", "MF", "RF", "LF")
_LINKS = (
    Link("forearm", 1.0, (Shape("capsule", (0.055, 0.06), (0.0, 0.0, -0.14)),)),
    *_WRIST,
    *_finger("FF", "WRJ0", (0.033, 0.0, 0.095)),
    *_finger("MF", "WRJ0", (0.011, 0.0, 0.099)),
    *_finger("RF", "WRJ0", (-0.011, 0.0, 0.095)),
    _METACARPAL,
    *_finger("LF", "LFJ4", (-0.017, 0.0, 0.044)),
    *_THUMB,
)
_LIMITS = {link.name: link.limits for link in _LINKS}


def _motor(joint: str, force: float) -> Actuator:
    control = _KNUCKLE if joint in {f"{key}J1" for key in _FINGERS} else _LIMITS[joint]
    return Actuator(joint, control, force, 0.3)


SHADOW_HAND = RobotSpec(
    name="ShadowHand",
    links=_LINKS,
    actuators=(
        _motor("WRJ1", 4.785),
        _motor("WRJ0", 2.175),
        *(
            _motor(f"{key}J{i}", force)
            for key in ("FF", "MF", "RF")
            for i, force in ((3, 0.9), (2, 0.9), (1, 0.7245))
        ),
        *(_motor(f"LFJ{i}", force) for i, force in ((4, 0.9), (3, 0.9), (2, 0.9), (1, 0.7245))),
        _motor("THJ4", 2.3722),
        _motor("THJ3", 1.45),
        _motor("THJ2", 0.99),
        _motor("THJ1", 0.99),
        _motor("THJ0", 0.81),
    ),
    couplings=tuple(Coupling(f"{key}J0", f"{key}J1", _TIP_RATIO, erp=0.8) for key in _FINGERS),
    touching=(
        *(("THJ0", other) for other in ("FFJ0", "FFJ1", "FFJ2", "MFJ2", "MFJ0", "RFJ0", "LFJ0")),
        ("THJ0", "WRJ0"),
        *(("MFJ0", "FFJ0"), ("RFJ0", "MFJ0"), ("LFJ0", "RFJ0"), ("LFJ0", "MFJ0")),
        *(("MFJ2", "FFJ2"), ("RFJ2", "MFJ2"), ("LFJ2", "MFJ2")),
        *(("LFJ0", "RFJ1"), ("LFJ1", "RFJ0"), ("LFJ1", "MFJ1")),
    ),
    basis=full_control(20),
    start_joints=(
        *(_WRIST_MIDDLE, -0.166),
        *(0.0, 1.26, 0.0) * 3,
        *(0.3925, 0.0, 1.26, 0.0),
        *(-0.187, 1.222, 0.2, 0.186, -0.076),
    ),
    grasp_joints=(
        *(-0.1745, -0.166),
        *(0.0, 1.5, 0.337) * 3,
        *(0.3925, 0.0, 1.5, 0.337),
        *(0.311, 1.222, -0.004, 0.102, -0.332),
    ),
    # Between thumb and fingers and square to the palm when the wrist is in the middle of its range,
    # where eigengrasps leave it.
    grip_position=(0.0192, -0.083, 0.1033),
    grip_rotation=rotations.multiply(rotations.about_y(_WRIST_MIDDLE), (-0.5, -0.5, -0.5, 0.5)),
    start_height=0.2,
    grasp_height=-0.008,
    grasp_tilt=-1.311,
    workspace=((0.22, 0.78), (-0.32, 0.32), (0.405, 0.85)),
    joint_unit="rad",
    weld_force=45.0,
    stepping=Stepping(substeps=2, time_step=0.02, iterations=40, erp=0.35, contact_erp=0.3),
    look=LOOK,
)
