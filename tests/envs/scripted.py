"""A scripted policy for every gripper, which shows that the environments allow grasping.

Like a learned policy, it maps observations to actions in [-1, 1].
"""

import math
from typing import NamedTuple

import numpy as np
from scipy.spatial.transform import Rotation

from envs.robots import ROBOTS
from envs.robots.eigengrasps import normalise, with_eigengrasps

# Fraction of a commanded movement that the soft weld achieves within a step.
REACHED = 0.6
# Movement (m) for a position action of 1.
STEP = 0.05
# After this many steps of descent the ground is in the way, and the gripper closes.
LONGEST_DESCENT = 8
# Height (m) above the goal at which the object is carried while it is far from the goal.
CARRY_HEIGHT = 0.08

# Entries of an action for a target rotation, by block.
ENTRIES = {
    "grip_rot_matrix": lambda rotation: rotation.as_matrix().ravel(),
    "grip_rot_euler": lambda rotation: rotation.as_euler("XYZ") / np.pi * [1.0, 2.0, 1.0],
    "grip_rot_quat": lambda rotation: rotation.as_quat(),
    "grip_rot_axis_angle": lambda rotation: [
        *(rotation.as_rotvec() / max(rotation.magnitude(), 1e-9)),
        rotation.magnitude() / np.pi,
    ],
}


class Grasp(NamedTuple):
    """Parameters of a gripper's grasp.

    Attributes:
        hover: height of the grip frame above the grasp while it moves above the object (m).
        steps: number of closing steps before lifting.
    """

    hover: float
    steps: int


GRASPS = {
    "ParallelJaw": Grasp(0.075, 4),
    "BarrettHand": Grasp(0.1, 5),
    "ShadowHand": Grasp(0.1, 5),
}


class LiftPolicy:
    """Moves above the object, descends, closes, and carries it to the goal; for one episode."""

    def __init__(self, env, hovers=True):
        """Reads the gripper's name and the layouts from an unwrapped environment."""
        self._at = slices(env.observation_layout)
        self._grasp = GRASPS[env.gripper_type]
        self._gripper = gripper = next(r for r in ROBOTS.values() if r.name == env.gripper_type)
        basis = with_eigengrasps(gripper, env.spec.kwargs.get("n_eigengrasps", 0)).basis
        self._open = joint_action(basis, normalise(gripper, np.array(gripper.start_joints)))
        self._closed = joint_action(basis, normalise(gripper, np.array(gripper.grasp_joints)))
        blocks = (name for name, *_ in env.action_layout if name in ENTRIES)
        self._entries = ENTRIES.get(next(blocks, ""))
        self._above = hovers
        self._closing = self._descending = 0

    def __call__(self, obs):
        """Returns the action for an observation."""
        see = {name: obs["observation"][where].astype(float) for name, where in self._at.items()}
        offset = see["object_rel_pos"] + np.array([0.0, 0.0, self._gripper.grasp_height])
        far = np.hypot(*offset[:2])
        if not self._closing:
            self._wanted = _square(see["object_rot"], see["grip_rot"], self._gripper.grasp_tilt)
        rotvec = _rotvec(see["grip_rot"], self._wanted) if self._entries else np.zeros(3)
        self._above = self._above and (far > 0.012 or np.linalg.norm(rotvec) > 0.15)
        if self._above:
            move = offset + np.array([0.0, 0.0, self._grasp.hover])
            if far > 0.05:
                move[2] = max(move[2], 0.0)
        elif not self._closing and abs(offset[2]) > 0.012 and self._descending < LONGEST_DESCENT:
            self._descending += 1
            move = offset
        else:
            self._closing += 1
            lifts = self._closing > self._grasp.steps
            move = (
                self._carry(obs["desired_goal"][:3] - see["object_pos"]) if lifts else np.zeros(3)
            )
            if lifts and len(obs["desired_goal"]) == 9:
                goal, obj, grip = map(
                    _matrix, (obs["desired_goal"][3:], see["object_rot"], see["grip_rot"])
                )
                self._wanted = goal @ obj.T @ grip
                rotvec = _rotvec(see["grip_rot"], self._wanted)
        joints = self._closed if self._closing else self._open
        position = np.clip(move / (REACHED * STEP), -1.0, 1.0)
        ahead = _overshoot(rotvec, self._wanted)
        rotation = self._entries(Rotation.from_matrix(ahead)) if self._entries else ()
        return np.array([*position, *rotation, *joints], np.float32)

    def _carry(self, to_goal):
        """Returns the next movement towards the goal, above obstacles."""
        far = np.hypot(*to_goal[:2])
        return to_goal + np.array([0.0, 0.0, min(CARRY_HEIGHT, far)])


def joint_action(basis, posture):
    """Returns the action in [-1, 1] nearest to a posture; the rows of the basis are orthogonal."""
    rows = np.array(basis)
    return np.clip(rows @ posture / np.sum(rows * rows, axis=1), -1.0, 1.0)


def slices(layout):
    """Returns the position of each block of a layout by name."""
    at, start = {}, 0
    for name, size, _ in layout:
        at[name] = slice(start, start + size)
        start += size
    return at


def _square(object_rot, grip_rot, tilt):
    """Returns the target rotation of a grasp.

    Without tilt, x points down; y is aligned with the most level axis of the object, and among
    equally level axes with the one that needs the smallest rotation.
    """
    x, y = object_rot[:3], object_rot[3:]
    axes = [sign * axis for axis in (x, y, np.cross(x, y)) for sign in (1.0, -1.0)]
    level = min(abs(axis[2]) for axis in axes)
    side = max((a for a in axes if abs(a[2]) < level + 0.1), key=lambda a: a @ grip_rot[3:])
    yaw = math.atan2(-side[0], side[1])
    return _rotation([0.0, 0.0, yaw]) @ _rotation([0.0, math.pi / 2 + tilt, 0.0])


def _rotvec(grip_rot, wanted):
    """Returns the rotation vector (rad, world) from the present orientation to the wanted one."""
    m = wanted @ _matrix(grip_rot).T
    axis = np.array([m[2, 1] - m[1, 2], m[0, 2] - m[2, 0], m[1, 0] - m[0, 1]]) / 2.0
    sine = np.linalg.norm(axis)
    return axis / max(sine, 1e-9) * math.atan2(sine, (np.trace(m) - 1.0) / 2.0)


def _overshoot(rotvec, wanted):
    """Returns an orientation beyond the wanted one, because a step covers only a fraction."""
    angle = np.linalg.norm(rotvec)
    return _rotation(rotvec * max(0.0, min(10.0, 2.8 / max(angle, 1e-9)) - 1.0)) @ wanted


def _matrix(columns):
    """Returns the rotation matrix with the given first two columns."""
    x, y = columns[:3], columns[3:]
    return np.column_stack([x, y, np.cross(x, y)])


def _rotation(vector):
    """Returns the rotation matrix of a rotation vector (rad), by Rodrigues' formula."""
    angle = np.linalg.norm(vector)
    x, y, z = np.asarray(vector) / max(angle, 1e-9)
    k = np.array([[0.0, -z, y], [z, 0.0, -x], [-y, x, 0.0]])
    return np.eye(3) + math.sin(angle) * k + (1.0 - math.cos(angle)) * k @ k


def success_rate(env, n_episodes, first_seed=0, start="default"):
    """Returns the success rate in seeded episodes; at a pregrasp the policy need not hover."""
    successes = 0
    for seed in range(first_seed, first_seed + n_episodes):
        obs, info = env.reset(seed=seed, options={"start": start})
        policy = LiftPolicy(env.unwrapped, hovers=start == "default")
        done = False
        while not done:
            obs, _, terminated, truncated, info = env.step(policy(obs))
            done = terminated or truncated
        successes += info["is_success"]
    return successes / n_episodes
