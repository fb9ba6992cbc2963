"""Tasks: the meaning of goals, their distribution, and rewards.

Rewards are pure NumPy functions over any leading dimensions. They use float64 and element-wise
operations only, so that a batch gives the same bits as its single goals. Departs from Dext-Gen:
target rotations are limited to what a gripper can reach, and the obstacle is a region in which the
reward is lower.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from ..robots.spec import ObservationLayout
from ..sim import rotations
from ..sim.rotations import IDENTITY, Quaternion, Vector
from .arenas import ArenaSpec, ResetError

# A sample is rejected with probability < 0.7, so this limit is never reached in practice.
_MAX_SAMPLES = 1000
# Initial position and goal may be too close together for an obstacle between them.
_MAX_SAMPLES_BETWEEN = 100
# Greatest cost of a violation.
_MAX_COST = 100.0


@dataclass(frozen=True)
class Task:
    """Move the object's centre to a position.

    Attributes:
        goal_size: length G of a goal; its first three numbers are the position (world, m).
        tolerance: greatest distance (m) at which a goal counts as achieved.
        forbidden: radius of the obstacle (m); inside it, the object's centre is a violation; 0:
            there is none.
        violation_cost: what a step with a violation takes from the reward; None: there is no
            obstacle.
        angle_tolerance: greatest angle (rad) at which a goal counts as achieved; None if goals have
            no rotation.
        goal_layout: blocks (name, size, unit) of a goal.
    """

    goal_size: int = 3
    tolerance: float = 0.05
    forbidden: float = 0.0
    violation_cost: float | None = None
    angle_tolerance: float | None = None
    goal_layout: ObservationLayout = (("object_pos", 3, "m"),)

    @property
    def lowest_reward(self) -> float:
        """Least reward of a step."""
        return -1.0 - (self.violation_cost or 0.0)

    def with_violation_cost(self, cost: float) -> "Task":
        """Returns the task with another cost of a violation.

        Raises:
            ValueError: the cost is not in [0, 100], or there is no obstacle.
        """
        if self.violation_cost is None:
            raise ValueError(f"violation_cost = {cost!r}, expected None: there is no obstacle")
        if not (isinstance(cost, int | float) and 0.0 <= cost <= _MAX_COST):
            raise ValueError(f"violation_cost = {cost!r}, expected a value in [0, {_MAX_COST:g}]")
        return replace(self, violation_cost=float(cost))

    def with_angle_tolerance(self, angle: float) -> "Task":
        """Returns the task with another angle tolerance.

        Raises:
            ValueError: the angle is not in (0, pi], or goals have no rotation.
        """
        if self.angle_tolerance is None:
            raise ValueError(f"angle_tolerance = {angle!r}, expected None: goals have no rotation")
        if not (isinstance(angle, int | float) and 0.0 < angle <= math.pi):
            raise ValueError(f"angle_tolerance = {angle!r}, expected a value in (0, pi]")
        return replace(self, angle_tolerance=float(angle))

    def sample_goal(
        self,
        rng: np.random.Generator,
        arena: ArenaSpec,
        resting: Vector,
        rotation: Quaternion,
        p_air: float,
    ) -> tuple[float, ...]:
        """Samples a goal.

        Args:
            rng: random generator.
            arena: the arena.
            resting: the object's initial position (world, m).
            rotation: the object's initial rotation (world), quaternion xyzw.
            p_air: probability of a goal above the ground.

        Returns:
            The goal, G numbers.

        Raises:
            ResetError: there is no room.
        """
        return arena.sample_goal(rng, resting, p_air)

    def achieved(self, position: np.ndarray, columns: np.ndarray, goal: np.ndarray) -> np.ndarray:
        """Returns the achieved goal [G].

        Args:
            position: of the object's centre (world, m), [3].
            columns: first two columns of the object's rotation matrix (world), [6].
            goal: the desired goal [G].
        """
        return position.copy()

    def goal_rotation(self, goal: Sequence[float]) -> Quaternion:
        """Returns the rotation in which a goal is displayed, quaternion xyzw."""
        return IDENTITY

    def success(
        self, achieved_goal: ArrayLike, desired_goal: ArrayLike, tolerance_share: float = 1.0
    ) -> Any:
        """Returns whether goals [..., G] are achieved, within a share of the tolerance: [...]."""
        tolerance = tolerance_share * self.tolerance
        gap = np.subtract(achieved_goal, desired_goal, dtype=np.float64)
        gap *= gap
        return gap[..., 0] + gap[..., 1] + gap[..., 2] <= tolerance * tolerance

    def violation(
        self, achieved_goal: ArrayLike, desired_goal: ArrayLike, tolerance_share: float = 1.0
    ) -> Any:
        """Returns whether the object is in a forbidden region: bool [...], or False for all.

        What a share takes from the radius of the goal is added to that of the forbidden region.
        """
        return False

    def reward(
        self, achieved_goal: ArrayLike, desired_goal: ArrayLike, tolerance_share: float = 1.0
    ) -> Any:
        """Returns rewards of goals [..., G]: float32 [...], a NumPy scalar for single goals.

        The reward is 0 within a share of the tolerance, else -1; a violation costs more.
        """
        success = self.success(achieved_goal, desired_goal, tolerance_share)
        violation = self.violation(achieved_goal, desired_goal, tolerance_share)
        cost = np.float32(self.violation_cost or 0.0)
        return np.float32(success) - np.float32(1.0) - cost * np.float32(violation)


@dataclass(frozen=True)
class Orient(Task):
    """Move the object to a position and rotate it.

    Goals hold the position and the first two columns of the rotation matrix. As in Dext-Gen, the
    symmetry of the object is ignored: a cube rotated by 90 degrees is a different goal.

    Attributes:
        yaw: greatest rotation (rad) of a goal about the vertical, from the initial rotation.
        tilt: greatest further rotation (rad) about a random horizontal axis, for goals that require
            lifting.
    """

    goal_size: int = 9
    angle_tolerance: float | None = 0.2
    goal_layout: ObservationLayout = (("object_pos", 3, "m"), ("object_rot", 6, "-"))
    yaw: float = 1.5
    tilt: float = 0.0

    def sample_goal(
        self,
        rng: np.random.Generator,
        arena: ArenaSpec,
        resting: Vector,
        rotation: Quaternion,
        p_air: float,
    ) -> tuple[float, ...]:
        """Samples a goal; its rotation is relative to the initial rotation."""
        position = arena.sample_goal(rng, resting, p_air)
        u, v, w = rng.random(3).tolist()
        goal = rotations.multiply(rotations.about_z(self.yaw * (2.0 * u - 1.0)), rotation)
        if arena.lift(position, resting) > self.tolerance:
            axis, half = 2.0 * math.pi * v, 0.5 * self.tilt * w
            s = math.sin(half)
            tilt = (s * math.cos(axis), s * math.sin(axis), 0.0, math.cos(half))
            goal = rotations.multiply(tilt, goal)
        return *position, *rotations.rotation_6d(rotations.matrix(goal))

    def achieved(self, position: np.ndarray, columns: np.ndarray, goal: np.ndarray) -> np.ndarray:
        """Returns position and rotation of the object."""
        return np.concatenate([position, columns])

    def goal_rotation(self, goal: Sequence[float]) -> Quaternion:
        """Returns the rotation of the goal, quaternion xyzw."""
        (ax, ay, az), (bx, by, bz) = goal[3:6], goal[6:9]
        matrix = rotations.orthonormalise((ax, bx, 0.0, ay, by, 0.0, az, bz, 0.0))
        assert matrix is not None
        return rotations.quaternion(matrix)

    def success(
        self, achieved_goal: ArrayLike, desired_goal: ArrayLike, tolerance_share: float = 1.0
    ) -> Any:
        """Returns whether position and rotation are within their tolerances: bool [...].

        The share is that of the position's tolerance.
        """
        assert self.angle_tolerance is not None
        near = super().success(achieved_goal, desired_goal, tolerance_share)
        if self.angle_tolerance >= math.pi:
            return near
        return near & (_cosine(achieved_goal, desired_goal) >= math.cos(self.angle_tolerance))


@dataclass(frozen=True)
class Avoid(Task):
    """Move the object to a position while avoiding an obstacle, a spherical region.

    Goals hold the position and the centre of the obstacle. Achieved goals repeat the obstacle, so
    that goals in hindsight keep the obstacle of their episode.

    Attributes:
        p_between: probability of an obstacle about half way to the goal, if there is room.
    """

    goal_size: int = 6
    goal_layout: ObservationLayout = (("object_pos", 3, "m"), ("obstacle_pos", 3, "m"))
    forbidden: float = 0.1
    violation_cost: float | None = 1.0
    p_between: float = 0.5

    def sample_goal(
        self,
        rng: np.random.Generator,
        arena: ArenaSpec,
        resting: Vector,
        rotation: Quaternion,
        p_air: float,
    ) -> tuple[float, ...]:
        """Samples a goal; the obstacle keeps a distance from the object and the goal."""
        goal = arena.sample_goal(rng, resting, p_air)
        distance = self.forbidden + self.tolerance
        samples_between = _MAX_SAMPLES_BETWEEN if rng.random() < self.p_between else 0
        for sample in range(_MAX_SAMPLES):
            offset = (2.0 * rng.random(3) - 1.0).tolist()
            if sample < samples_between:
                offset = [self.forbidden * d / max(1.0, math.hypot(*offset)) for d in offset]
                x, y, z = (0.5 * (a + b) + d for a, b, d in zip(resting, goal, offset, strict=True))
                z = max(z, resting[2])
            else:
                (x, y), (dx, dy) = arena.centre, arena.goal_region
                x, y = x + dx * offset[0], y + dy * offset[1]
                z = resting[2] + 0.5 * arena.lift_height * (1.0 + offset[2])
            if min(math.dist((x, y, z), resting), math.dist((x, y, z), goal)) >= distance:
                return *goal, x, y, z
        raise ResetError(
            f"no obstacle is {distance} m away from {resting} and {goal}:"
            f" {_MAX_SAMPLES} samples were rejected"
        )

    def achieved(self, position: np.ndarray, columns: np.ndarray, goal: np.ndarray) -> np.ndarray:
        """Returns the positions of object and obstacle."""
        return np.concatenate([position, goal[3:6]])

    def violation(
        self, achieved_goal: ArrayLike, desired_goal: ArrayLike, tolerance_share: float = 1.0
    ) -> Any:
        """Returns whether the object's centre is inside the obstacle: bool [...].

        With a share of the tolerance the obstacle is as much larger as the goal is smaller.
        """
        radius = self.forbidden + (1.0 - tolerance_share) * self.tolerance
        gap = np.asarray(achieved_goal, np.float64)[..., :3]
        gap = gap - np.asarray(desired_goal, np.float64)[..., 3:6]
        gap *= gap
        return gap[..., 0] + gap[..., 1] + gap[..., 2] < radius * radius


def _cosine(a: ArrayLike, b: ArrayLike) -> Any:
    """Returns the cosine of the angle between the rotations of goals [..., 9]: (trace - 1) / 2.

    The third columns are cross products; their dot product follows from the Binet-Cauchy identity.
    """
    p, q = np.asarray(a, np.float64)[..., 3:], np.asarray(b, np.float64)[..., 3:]

    def dot(i: int, j: int) -> Any:
        return p[..., i] * q[..., j] + p[..., i + 1] * q[..., j + 1] + p[..., i + 2] * q[..., j + 2]

    xx, yy = dot(0, 0), dot(3, 3)
    return 0.5 * (xx + yy + xx * yy - dot(0, 3) * dot(3, 0) - 1.0)


LIFT = Task()
ORIENT = Orient()
AVOID = Avoid()
