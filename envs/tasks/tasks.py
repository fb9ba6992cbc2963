"""What a goal is, how it is drawn, and what counts as done.

Rewards are pure NumPy over any leading dimensions, computed in float64 from element-wise operations
only, so a batch gives the bits of its single goals. Departs from Dext-Gen: rotations that goals
name are bounded to what a gripper can reach, and the obstacle's penalty is for being near to it.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from ..sim import rotations
from ..sim.rotations import IDENTITY, Quaternion, Vector
from ..sim.types import Shape
from .arenas import ArenaSpec, ResetError
from .markers import POSE_MARKER, POSITION_MARKER, region_marker

_TRIES = 1000  # a draw fails with probability < 0.7, so in practice never all of them
_TRIES_BETWEEN = 100  # start and goal may be too near to each other


@dataclass(frozen=True)
class Task:
    """Bring the object's centre to a position.

    Attributes:
        goal_size: numbers in a goal; the first three are the position (world, m).
        tolerance: greatest distance (m) that counts as there.
        lowest_reward: of a step.
        marker: what shows a goal, in its frame.
        region: what shows a region to be kept clear, around its centre.
        angle_tolerance: greatest angle (rad) that counts as turned; None: turns do not matter.
    """

    goal_size: int = 3
    tolerance: float = 0.05
    lowest_reward: float = -1.0
    marker: tuple[Shape, ...] = POSITION_MARKER
    region: tuple[Shape, ...] = ()
    angle_tolerance: float | None = None
    goal_blocks: tuple[tuple[str, int], ...] = (("point", 3),)

    def with_angle_tolerance(self, angle: float) -> "Task":
        """The same task with another angle tolerance.

        Raises:
            ValueError: not in (0, pi], or the goals name no rotation.
        """
        if self.angle_tolerance is None:
            raise ValueError(f"angle_tolerance = {angle!r}: goals name no rotation, expected None")
        if not (isinstance(angle, int | float) and 0.0 < angle <= math.pi):
            raise ValueError(f"angle_tolerance = {angle!r}, expected a value in (0, pi]")
        return replace(self, angle_tolerance=float(angle))

    def sample_goal(
        self,
        rng: np.random.Generator,
        arena: ArenaSpec,
        resting: Vector,
        rotation: Quaternion,
        air_share: float,
    ) -> tuple[float, ...]:
        """Draws a goal for an object that rests at a position with a rotation.

        Raises:
            ResetError: there is no room.
        """
        return arena.sample_goal(rng, resting, air_share)

    def achieved(self, position: np.ndarray, columns: np.ndarray, goal: np.ndarray) -> np.ndarray:
        """The goal that is achieved: from the object's position and two columns of its rotation."""
        return position.copy()

    def goal_rotation(self, goal: Sequence[float]) -> Quaternion:
        """In which a goal is shown, quaternion xyzw."""
        return IDENTITY

    def success(self, achieved_goal: ArrayLike, desired_goal: ArrayLike) -> Any:
        """Whether goals are achieved: bool [...] from goals [..., G]."""
        gap = np.subtract(achieved_goal, desired_goal, dtype=np.float64)
        gap *= gap
        return gap[..., 0] + gap[..., 1] + gap[..., 2] <= self.tolerance * self.tolerance

    def violation(self, achieved_goal: ArrayLike, desired_goal: ArrayLike) -> Any:
        """Whether the object is where it must not be: bool [...], or False for all."""
        return False

    def reward(self, achieved_goal: ArrayLike, desired_goal: ArrayLike) -> Any:
        """0 where `success`, else -1; another -1 where `violation`: float32 [...].

        A NumPy scalar for single goals.
        """
        success = self.success(achieved_goal, desired_goal)
        violation = self.violation(achieved_goal, desired_goal)
        return np.float32(success) - np.float32(1.0) - np.float32(violation)


@dataclass(frozen=True)
class Orient(Task):
    """Bring the object to a position and turn it: goals hold two columns of the rotation.

    The object's symmetry is not used: a cube turned by 90 degrees is another goal, as published.

    Attributes:
        yaw: greatest turn (rad) about the vertical of a goal from the object's start.
        tilt: then, greatest turn about a random level axis, of goals that need lifting.
    """

    goal_size: int = 9
    marker: tuple[Shape, ...] = POSE_MARKER
    angle_tolerance: float | None = 0.2
    goal_blocks: tuple[tuple[str, int], ...] = (("point", 3), ("rotation", 6))
    yaw: float = 1.5
    tilt: float = 0.0

    def sample_goal(
        self,
        rng: np.random.Generator,
        arena: ArenaSpec,
        resting: Vector,
        rotation: Quaternion,
        air_share: float,
    ) -> tuple[float, ...]:
        """As `Task.sample_goal`; turned from `rotation`."""
        position = arena.sample_goal(rng, resting, air_share)
        u, v, w = rng.random(3).tolist()
        goal = rotations.multiply(rotations.about_z(self.yaw * (2.0 * u - 1.0)), rotation)
        if arena.lift(position, resting) > self.tolerance:
            axis, half = 2.0 * math.pi * v, 0.5 * self.tilt * w
            s = math.sin(half)
            tilt = (s * math.cos(axis), s * math.sin(axis), 0.0, math.cos(half))
            goal = rotations.multiply(tilt, goal)
        return *position, *rotations.rotation_6d(rotations.matrix(goal))

    def achieved(self, position: np.ndarray, columns: np.ndarray, goal: np.ndarray) -> np.ndarray:
        """Position and rotation."""
        return np.concatenate([position, columns])

    def goal_rotation(self, goal: Sequence[float]) -> Quaternion:
        """The goal's own."""
        (ax, ay, az), (bx, by, bz) = goal[3:6], goal[6:9]
        matrix = rotations.orthonormalise((ax, bx, 0.0, ay, by, 0.0, az, bz, 0.0))
        assert matrix is not None
        return rotations.quaternion(matrix)

    def success(self, achieved_goal: ArrayLike, desired_goal: ArrayLike) -> Any:
        """Near enough and turned enough."""
        assert self.angle_tolerance is not None
        there = super().success(achieved_goal, desired_goal)
        if self.angle_tolerance >= math.pi:
            return there
        return there & (_cosine(achieved_goal, desired_goal) >= math.cos(self.angle_tolerance))


@dataclass(frozen=True)
class Avoid(Task):
    """Bring the object to a position without coming near to a point, the goal's last three numbers.

    An achieved goal repeats that point, so that goals in hindsight keep the episode's obstacle.

    Attributes:
        forbidden: distance (m) of the object's centre from the point within which it is a
            violation.
        between_share: probability of a point about half way to the goal, where there is room.
    """

    goal_size: int = 6
    lowest_reward: float = -2.0
    goal_blocks: tuple[tuple[str, int], ...] = (("point", 3), ("point", 3))
    forbidden: float = 0.1
    region: tuple[Shape, ...] = region_marker(0.1)
    between_share: float = 0.5

    def sample_goal(
        self,
        rng: np.random.Generator,
        arena: ArenaSpec,
        resting: Vector,
        rotation: Quaternion,
        air_share: float,
    ) -> tuple[float, ...]:
        """As `Task.sample_goal`; object and goal, with its tolerance, are clear of the region."""
        goal = arena.sample_goal(rng, resting, air_share)
        keep = self.forbidden + self.tolerance
        tries_between = _TRIES_BETWEEN if rng.random() < self.between_share else 0
        for attempt in range(_TRIES):
            offset = (2.0 * rng.random(3) - 1.0).tolist()
            if attempt < tries_between:
                offset = [self.forbidden * d / max(1.0, math.hypot(*offset)) for d in offset]
                x, y, z = (0.5 * (a + b) + d for a, b, d in zip(resting, goal, offset, strict=True))
                z = max(z, resting[2])
            else:
                (x, y), (dx, dy) = arena.centre, arena.goal_region
                x, y = x + dx * offset[0], y + dy * offset[1]
                z = resting[2] + 0.5 * arena.lift_height * (1.0 + offset[2])
            if min(math.dist((x, y, z), resting), math.dist((x, y, z), goal)) >= keep:
                return *goal, x, y, z
        raise ResetError(f"no obstacle is {keep} m away from {resting} and {goal}")

    def achieved(self, position: np.ndarray, columns: np.ndarray, goal: np.ndarray) -> np.ndarray:
        """The object's position and the obstacle's."""
        return np.concatenate([position, goal[3:6]])

    def violation(self, achieved_goal: ArrayLike, desired_goal: ArrayLike) -> Any:
        """Whether the object's centre is within the forbidden distance."""
        gap = np.asarray(achieved_goal, np.float64)[..., :3]
        gap = gap - np.asarray(desired_goal, np.float64)[..., 3:6]
        gap *= gap
        return gap[..., 0] + gap[..., 1] + gap[..., 2] < self.forbidden * self.forbidden


def _cosine(a: ArrayLike, b: ArrayLike) -> Any:
    """Cosine of the angle between the rotations of goals [..., 9]: (trace - 1) / 2.

    The third columns are cross products, whose dot product is that of Binet and Cauchy.
    """
    p, q = np.asarray(a, np.float64)[..., 3:], np.asarray(b, np.float64)[..., 3:]

    def dot(i: int, j: int) -> Any:
        return p[..., i] * q[..., j] + p[..., i + 1] * q[..., j + 1] + p[..., i + 2] * q[..., j + 2]

    xx, yy = dot(0, 0), dot(3, 3)
    return 0.5 * (xx + yy + xx * yy - dot(0, 3) * dot(3, 0) - 1.0)


LIFT = Task()
ORIENT = Orient()
AVOID = Avoid()
