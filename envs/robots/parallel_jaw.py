"""The parallel jaw: the gripper of a Franka Panda, with two fingers that move together.

Modelled from published dimensions with boxes instead of meshes. Lengths in m, masses in kg.
"""

import math

from ..sim.types import Shape, Stepping
from ..sim.urdf import Link
from .parallel_jaw_look import LOOK
from .spec import Actuator, BodySymmetry, RobotSpec

_FINGER = (0.0135, 0.007, 0.0385)

PARALLEL_JAW = RobotSpec(
    name="ParallelJaw",
    links=(
        Link("palm", 0.68, (Shape("box", (0.0316, 0.102, 0.046), (0.0, 0.0, 0.02)),)),
        Link(
            "left_finger",
            1.0,
            (Shape("box", _FINGER, (0.0, -0.008, 0.0)),),
            parent="palm",
            joint="prismatic",
            origin=(0.0, 0.0159, 0.1),
            axis=(0.0, 1.0, 0.0),
            limits=(0.0, 0.05),
        ),
        Link(
            "right_finger",
            1.0,
            (Shape("box", _FINGER, (0.0, 0.008, 0.0)),),
            parent="palm",
            joint="prismatic",
            origin=(0.0, -0.0159, 0.1),
            axis=(0.0, -1.0, 0.0),
            limits=(0.0, 0.05),
        ),
    ),
    actuators=(
        Actuator("left_finger", (0.0, 0.05), 200.0, 0.1),
        Actuator("right_finger", (0.0, 0.05), 200.0, 0.1),
    ),
    basis=((1.0, 1.0),),
    start_joints=(0.05, 0.05),
    grasp_joints=(0.0, 0.0),
    grip_position=(0.0, 0.0, 0.1),
    grip_rotation=(0.0, -math.sqrt(0.5), 0.0, math.sqrt(0.5)),
    start_height=0.2,
    grasp_height=0.016,
    grasp_tilt=0.0,
    workspace=((0.22, 0.78), (-0.32, 0.32), (0.405, 0.85)),
    joint_unit="m",
    weld_force=150.0,
    symmetries=(
        BodySymmetry((1.0, -1.0, 1.0), (("left_finger", "right_finger"),)),
        BodySymmetry((1.0, -1.0, -1.0), (("left_finger", "right_finger"),)),
    ),
    stepping=Stepping(substeps=8, time_step=0.005, iterations=20, erp=0.12),
    look=LOOK,
)
