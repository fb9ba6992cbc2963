"""Searches for stable grasps in simulation, from which eigengrasps are computed.

Without table and gravity, a gripper in a random open posture closes on an object that is held
between its thumb and a finger. Then the object is released, and gravity pulls it in six directions.
Departs from Dext-Gen, whose eigengrasps come from recorded human grasps. Lengths in m, angles in
rad.
"""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

import numpy as np

from ..objects.spec import OBJECTS, ObjectSpec
from ..sim import rotations
from ..sim.rotations import Quaternion, Vector
from ..sim.simulation import Simulation
from ..sim.types import Shape
from .robot import Robot
from .rotation_actions import POINTING_DOWN
from .spec import RobotSpec

_OBJECTS, _SIZES = ("Cube", "Sphere", "Cylinder"), (0.8, 1.0, 1.2)
# Position of the grip frame.
_HOME: Vector = (0.5, 0.0, 0.6)
# Postures sampled per try; about one in 20 puts thumb and finger around an object.
_MAX_DRAWS = 100
# While open, the distance of thumb and finger exceeds the object's width by this much.
_OPENING = 0.02
# Greatest offset of the object from the middle between thumb and finger, along each axis.
_OFF_CENTRE = 0.015
# In N.
_HOLD_FORCE = 50.0
_CLOSING_STEPS, _SETTLING_STEPS, _PULLING_STEPS = 6, 2, 6
_PULLS = 9.81 * np.concatenate([np.eye(3), -np.eye(3)])
# Greatest movement of the object relative to the gripper while gravity pulls.
_MAX_SLIP = 0.03


class Motion(NamedTuple):
    """Actuators that open and close together.

    Attributes:
        joints: names of the actuated joints.
        open: range of the open posture, sampled once for all joints.
        closing: range of the change when closing, sampled once for all joints.
        deviation: greatest deviation of each joint from the common sample, the same in both
            postures.
    """

    joints: tuple[str, ...]
    open: tuple[float, float]
    closing: tuple[float, float] = (0.0, 0.0)
    deviation: float = 0.0


class SearchSpec(NamedTuple):
    """The space of postures in which grasps of a gripper are searched.

    Attributes:
        motions: distributions of the postures; each actuator occurs once.
        thumb: name of the link that opposes the fingers.
        fingers: names of the fingers' last links. In a grasp, the thumb and at least one finger
            touch the object.
    """

    motions: tuple[Motion, ...]
    thumb: str
    fingers: tuple[str, ...]


_KEYS = ("FF", "MF", "RF", "LF")
SEARCHES = {
    "BarrettHand": SearchSpec(
        motions=(
            Motion(("spread1",), (0.0, 3.1)),
            Motion(("medial1", "medial2", "medial3"), (0.6, 1.6), (0.3, 1.4), deviation=0.3),
        ),
        thumb="distal3",
        fingers=("distal1", "distal2"),
    ),
    "ShadowHand": SearchSpec(
        # Wrist and palm stay close to the middle of their ranges, so that the first components do
        # not involve them.
        motions=(
            Motion(("WRJ1",), (-0.2045, -0.1445)),
            Motion(("WRJ0",), (-0.216, -0.116)),
            Motion(("LFJ4",), (0.3225, 0.4625)),
            Motion(tuple(f"{key}J3" for key in _KEYS), (0.0, 0.0), deviation=0.1),
            Motion(tuple(f"{key}J2" for key in _KEYS), (0.2, 1.4), (0.0, 0.6), deviation=0.15),
            Motion(tuple(f"{key}J1" for key in _KEYS), (0.0, 0.6), (0.0, 0.7), deviation=0.1),
            Motion(("THJ4",), (-1.0, 1.0), (-0.5, 0.5)),
            Motion(("THJ3",), (0.4, 1.222), (0.0, 0.3)),
            Motion(("THJ2",), (0.0, 0.2), (-0.1, 0.1)),
            Motion(("THJ1",), (-0.5, 0.5), (-0.3, 0.3)),
            Motion(("THJ0",), (-0.8, 0.0), (-0.6, 0.2)),
        ),
        thumb="THJ0",
        fingers=tuple(f"{key}J0" for key in _KEYS),
    ),
}


class Grasp(NamedTuple):
    """Targets of the actuators before and after closing (rad), each [A]."""

    open: np.ndarray
    closed: np.ndarray


def search(spec: RobotSpec, seed: int, tries: Iterable[int]) -> Iterator[Grasp | None]:
    """Yields the grasp that each try finds, or None.

    Args:
        spec: the gripper.
        seed: of all tries.
        tries: their numbers; the result of a try depends only on its number and the seed.
    """
    stages = [_Stage(spec, OBJECTS[spec.name][name], size) for name in _OBJECTS for size in _SIZES]
    for number in tries:
        rng = np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(number,)))
        yield stages[number % len(stages)].attempt(rng)


def draw_grasp(spec: RobotSpec, rng: np.random.Generator) -> Grasp:
    """Samples an open and a closed posture within the control ranges."""
    index = {actuator.joint: i for i, actuator in enumerate(spec.actuators)}
    opened, closed = np.zeros((2, len(index)))
    for motion in SEARCHES[spec.name].motions:
        at = [index[joint] for joint in motion.joints]
        deviation = rng.uniform(-motion.deviation, motion.deviation, len(at))
        opened[at] = rng.uniform(*motion.open) + deviation
        closed[at] = opened[at] + rng.uniform(*motion.closing)
    low, high = np.array([actuator.control for actuator in spec.actuators]).T
    return Grasp(np.clip(opened, low, high), np.clip(closed, low, high))


class _Stage:
    """A world with a gripper and an object."""

    def __init__(self, spec: RobotSpec, obj: ObjectSpec, size: float) -> None:
        self._spec, self._search = spec, SEARCHES[spec.name]
        self._sim = Simulation(spec.stepping, None)
        self._robot = Robot(spec, self._sim, spec.workspace)
        shape = obj.shape.scaled(size)
        assert isinstance(shape, Shape)
        self._width = 2.0 * shape.size[0]
        self._object = self._sim.add_body(shape, obj.mass)
        self._hold = self._sim.weld(self._object)

    def attempt(self, rng: np.random.Generator) -> Grasp | None:
        """Samples a grasp and returns it if it is stable."""
        sim, robot, body = self._sim, self._robot, self._object
        drawn, rotation = self._draw(rng), _draw_rotation(rng)
        if drawn is None:
            return None
        grasp, centre = drawn
        sim.set_gravity((0.0, 0.0, 0.0))
        sim.flush([robot.body, body])
        robot.reset(_HOME, targets=grasp.open.tolist())
        sim.reset_body(body, centre, rotation)
        sim.drive_weld(self._hold, centre, rotation, _HOLD_FORCE)
        if not sim.is_clear(robot.body, 0.0):
            return None
        robot.drive(_HOME, POINTING_DOWN, grasp.closed.tolist())
        self._steps(_CLOSING_STEPS)
        touched = {contact.link for contact in robot.contacts(body)}
        if self._search.thumb not in touched or touched.isdisjoint(self._search.fingers):
            return None
        sim.drive_weld(self._hold, centre, rotation, 0.0)
        return grasp if self._holds() else None

    def _draw(self, rng: np.random.Generator) -> tuple[Grasp, Vector] | None:
        """Samples a grasp, and a position of the object between thumb and a finger."""
        for _ in range(_MAX_DRAWS):
            grasp = draw_grasp(self._spec, rng)
            finger = self._search.fingers[rng.integers(len(self._search.fingers))]
            thumb_closed, finger_closed = self._tips(grasp.closed, finger)
            if np.linalg.norm(thumb_closed - finger_closed) > self._width:
                continue
            thumb_open, finger_open = self._tips(grasp.open, finger)
            if np.linalg.norm(thumb_open - finger_open) > self._width + _OPENING:
                off_centre = rng.uniform(-_OFF_CENTRE, _OFF_CENTRE, 3)
                x, y, z = ((thumb_closed + finger_closed) / 2.0 + off_centre).tolist()
                return grasp, (x, y, z)
        return None

    def _tips(self, posture: np.ndarray, finger: str) -> tuple[np.ndarray, np.ndarray]:
        """Returns the centres of the last links of thumb and finger (world) in a posture."""
        self._robot.reset(_HOME, targets=posture.tolist())
        thumb = self._centre(self._search.thumb)
        return thumb, self._centre(finger)

    def _centre(self, name: str) -> np.ndarray:
        index, link = next((i, a) for i, a in enumerate(self._spec.links, -1) if a.name == name)
        position, rotation = self._sim.link_pose(self._robot.body, index)
        return np.add(position, rotations.rotate(rotation, link.shapes[0].position))

    def _holds(self) -> bool:
        """Whether the object stays in the gripper in whichever direction gravity pulls."""
        self._steps(_SETTLING_STEPS)
        start = self._relative_position()
        for x, y, z in _PULLS.tolist():
            self._sim.set_gravity((x, y, z))
            self._steps(_PULLING_STEPS)
            if np.linalg.norm(self._relative_position() - start) > _MAX_SLIP:
                return False
        return True

    def _steps(self, n: int) -> None:
        for _ in range(n):
            self._sim.step()

    def _relative_position(self) -> np.ndarray:
        obj, grip = self._sim.state(self._object), self._robot.state()
        return np.subtract(obj.position, grip.position)


def _draw_rotation(rng: np.random.Generator) -> Quaternion:
    x, y, z, w = rng.normal(size=4)
    norm = float(np.sqrt(x * x + y * y + z * z + w * w))
    return x / norm, y / norm, z / norm, w / norm
