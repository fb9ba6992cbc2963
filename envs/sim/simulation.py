"""One PyBullet world per environment: its physics (envs.sim.rendering is what is seen of it).

Holds bodies made of primitive shapes, a hand on a soft weld to the world, batched joint calls, and
the flush that makes a reset independent of everything simulated before. Departs from Dext-Gen,
which steps MuJoCo with a mocap weld. Lengths in m, time in s, "world" frame with z up, quaternions
x, y, z, w.
"""

import weakref
from collections.abc import Hashable, Sequence

import numpy as np

from . import rendering
from .bullet import STDERR, quiet
from .collision_masks import EVERYTHING, Mask
from .geometry import geometry
from .rotations import IDENTITY, Quaternion, Vector
from .textfile import text_file
from .types import BodyState, Camera, Contact, Mesh, Shape, Stepping

with quiet(STDERR):  # importing it prints its build time
    import pybullet as p

_GRAVITY: Vector = (0.0, 0.0, -9.81)
_ORIGIN = (0.0, 0.0, 0.0)
_UNSEEN = Shape("box", (0.01,) * 3)  # by default PyBullet would make visuals from what collides
_BASE = -1  # PyBullet's link index of a body's base
_GEAR_FORCE = 5.0  # N m
_FRICTION = {"lateralFriction": 1.0, "spinningFriction": 0.01}  # rolling: 0, unless asked for
_URDF_FLAGS = p.URDF_USE_INERTIA_FROM_FILE | p.URDF_MAINTAIN_LINK_ORDER


class Simulation:
    """One physics world of its own; several may live in one process.

    Args:
        stepping: integration settings.
        renderer: of `rendering`, or None: bodies get no visual shapes. These cost time and never
            influence the physics.
    """

    def __init__(self, stepping: Stepping, renderer: str | None) -> None:
        """Connects to a world without bodies."""
        self._client = rendering.connect(renderer)
        self._disconnect = weakref.finalize(self, rendering.disconnect, self._client, renderer)
        self._shapes: dict[Hashable, tuple[int, int]] = {}  # what collides and what is seen
        self._masks: dict[tuple[int, int], Mask] = {}  # by body and link, where not the default
        self._substeps = stepping.substeps
        self.visuals = renderer is not None
        self.control_period = stepping.substeps * stepping.time_step
        self.set_gravity(_GRAVITY)
        p.setPhysicsEngineParameter(
            fixedTimeStep=stepping.time_step,
            numSolverIterations=stepping.iterations,
            enableFileCaching=int(self.visuals),  # keeps every file; what is seen is read late
            deterministicOverlappingPairs=1,
            erp=stepping.erp,
            contactERP=stepping.contact_erp,
            physicsClientId=self._client,
        )

    def close(self) -> None:
        """Frees the world, as garbage collection does; a second call does nothing."""
        self._disconnect()

    def set_gravity(self, acceleration: Vector) -> None:
        """Changes gravity (m/s2, world)."""
        p.setGravity(*acceleration, physicsClientId=self._client)

    def step(self) -> None:
        """Simulates one control step."""
        client = self._client
        for _ in range(self._substeps):
            p.stepSimulation(client)

    # Bodies

    def add_urdf(self, text: str, masks: Sequence[Mask] = ()) -> int:
        """Loads a robot from URDF text and returns its body id.

        Args:
            text: the robot.
            masks: of the links, base first; without any, no links of the robot collide with each
                other.
        """
        flags = _URDF_FLAGS | (p.URDF_USE_SELF_COLLISION if masks else 0)
        with text_file(text, ".urdf") as path:
            body: int = p.loadURDF(path, flags=flags, physicsClientId=self._client)
        links = range(_BASE, p.getNumJoints(body, physicsClientId=self._client))
        for link in links:
            p.changeDynamics(body, link, **_FRICTION, physicsClientId=self._client)
        if masks:
            self._masks |= {(body, link): mask for link, mask in zip(links, masks, strict=True)}
        return body

    def add_body(self, shape: Shape | Mesh, mass: float, rolling_friction: float = 0.0) -> int:
        """Adds a body of one shape, placed in the world; mass 0: immovable. Returns its id.

        Its inertia is that of a box around the shape.
        """
        if shape.key not in self._shapes:  # PyBullet never frees a shape, so share them
            with geometry(shape, "height") as keywords:
                collision: int = p.createCollisionShape(**keywords, physicsClientId=self._client)
            seen = shape._replace(position=_ORIGIN, rotation=IDENTITY) if self.visuals else _UNSEEN
            self._shapes[shape.key] = collision, rendering.add_visual(self._client, seen)
        collision, visual = self._shapes[shape.key]
        body: int = p.createMultiBody(
            mass, collision, visual, shape.position, shape.rotation, physicsClientId=self._client
        )
        p.changeDynamics(
            body, _BASE, **_FRICTION, rollingFriction=rolling_friction, physicsClientId=self._client
        )
        return body

    def add_marker(self, shapes: Sequence[Shape]) -> tuple[int, ...]:
        """Adds shapes that are only seen, never touched; without visuals it adds nothing.

        Returns:
            bodies to be placed together.
        """
        if not self.visuals:
            return ()
        visuals = [rendering.add_visual(self._client, shape) for shape in shapes]
        return tuple(p.createMultiBody(0.0, -1, v, physicsClientId=self._client) for v in visuals)

    def remove_body(self, body: int) -> None:
        """Removes a body; PyBullet keeps about 900 bytes of it."""
        p.removeBody(body, physicsClientId=self._client)

    # State

    def flush(self, bodies: Sequence[int]) -> None:
        """Forgets every contact, so that what follows depends only on the resets that follow.

        Teleports the movable bodies far apart and lets the broadphase drop all of their pairs: a
        mere reset of poses keeps contact manifolds and the order of pairs, and with them up to ten
        different futures.
        """
        client = self._client
        links = [
            (b, i) for b in bodies for i in range(_BASE, p.getNumJoints(b, physicsClientId=client))
        ]
        for place, body in enumerate(bodies):
            self.reset_body(body, (10.0 * place, 0.0, 20.0), IDENTITY)
        for body, link in links:
            p.setCollisionFilterGroupMask(body, link, 0, 0, physicsClientId=client)
        p.performCollisionDetection(physicsClientId=client)
        for body, link in links:
            group, mask = self._masks.get((body, link), EVERYTHING)
            p.setCollisionFilterGroupMask(body, link, group, mask, physicsClientId=client)

    def reset_body(self, body: int, position: Vector, rotation: Quaternion) -> None:
        """Puts a body's base somewhere, at rest."""
        p.resetBasePositionAndOrientation(body, position, rotation, physicsClientId=self._client)
        p.resetBaseVelocity(body, (0.0, 0.0, 0.0), (0.0, 0.0, 0.0), physicsClientId=self._client)

    def reset_joints(self, body: int, joints: Sequence[int], positions: Sequence[float]) -> None:
        """Puts joints somewhere, at rest (m or rad)."""
        p.resetJointStatesMultiDof(
            body,
            joints,
            targetValues=[[q] for q in positions],
            targetVelocities=[[0.0]] * len(positions),
            physicsClientId=self._client,
        )

    def place(
        self, marker: Sequence[int], position: Vector, rotation: Quaternion = IDENTITY
    ) -> None:
        """Moves a marker."""
        for body in marker:
            p.resetBasePositionAndOrientation(body, position, rotation, self._client)

    def state(self, body: int) -> BodyState:
        """Pose and velocity of a body's base."""
        position, rotation = p.getBasePositionAndOrientation(body, self._client)
        linear, angular = p.getBaseVelocity(body, self._client)
        return BodyState(position, rotation, linear, angular)

    def joint_positions(self, body: int, joints: Sequence[int]) -> list[float]:
        """Joint positions (m or rad)."""
        return [state[0] for state in p.getJointStates(body, joints, self._client)]

    def link_pose(self, body: int, link: int) -> tuple[Vector, Quaternion]:
        """Position (world, m) and rotation (xyzw) of a link's frame."""
        state = p.getLinkState(body, link, computeForwardKinematics=1, physicsClientId=self._client)
        return state[4], state[5]

    def is_clear(self, body: int, distance: float) -> bool:
        """Whether no other body is nearer than `distance` m; leaves no trace in the physics."""
        client = self._client
        bodies = [p.getBodyUniqueId(i, client) for i in range(p.getNumBodies(client))]
        return not any(
            p.getClosestPoints(body, other, distance, physicsClientId=client)
            for other in bodies
            if other != body
        )

    def contacts(self, body: int, other: int, links: Sequence[str]) -> list[Contact]:
        """Where a body touched another one in the last substep.

        Args:
            body: of which the contacts name the links.
            other: on which the forces act.
            links: names of the body's links, base first.
        """
        found = []
        for point in p.getContactPoints(body, other, physicsClientId=self._client):
            link, (position, (nx, ny, nz), distance, force) = point[3], point[6:10]
            push_1, tangent_1, push_2, tangent_2 = point[10:14]
            frame = ((-nx, -ny, -nz), tangent_1, tangent_2)
            push = (force, -push_1, -push_2)  # PyBullet tells what acts on `body`
            found.append(Contact(links[link + 1], position, frame, push, distance))
        return found

    # Motion

    def weld(self, body: int) -> int:
        """Ties a body's base to the world by a soft constraint, and returns the constraint's id."""
        constraint: int = p.createConstraint(
            body,
            _BASE,
            -1,
            -1,
            p.JOINT_FIXED,
            (0.0, 0.0, 0.0),
            (0.0, 0.0, 0.0),
            (0.0, 0.0, 0.0),
            physicsClientId=self._client,
        )
        return constraint

    def gear(self, body: int, leader: int, follower: int, ratio: float, erp: float) -> None:
        """Keeps a joint at `ratio` times another's angle, in place of its own motor.

        Args:
            body: that both joints belong to.
            leader: joint that drives.
            follower: joint that is driven.
            ratio: follower's angle over the leader's.
            erp: share of the error closed per substep.
        """
        p.setJointMotorControl2(
            body, follower, p.VELOCITY_CONTROL, force=0.0, physicsClientId=self._client
        )
        gear = p.createConstraint(
            body,
            leader,
            body,
            follower,
            p.JOINT_GEAR,
            (0.0, 0.0, 1.0),
            (0.0, 0.0, 0.0),
            (0.0, 0.0, 0.0),
            physicsClientId=self._client,
        )
        p.changeConstraint(
            gear,
            gearRatio=-1.0 / ratio,
            maxForce=_GEAR_FORCE,
            erp=erp,
            physicsClientId=self._client,
        )

    def drive_weld(self, weld: int, position: Vector, rotation: Quaternion, force: float) -> None:
        """Sets the pose that a weld pulls towards, with at most `force` N (and N m)."""
        p.changeConstraint(weld, position, rotation, force, physicsClientId=self._client)

    def drive_joints(
        self,
        body: int,
        joints: Sequence[int],
        targets: Sequence[float],
        gains: Sequence[float],
        forces: Sequence[float],
    ) -> None:
        """Sets targets (m or rad) of position motors; gains: share of the error per substep."""
        p.setJointMotorControlArray(
            body,
            joints,
            p.POSITION_CONTROL,
            targetPositions=targets,
            positionGains=gains,
            forces=forces,
            physicsClientId=self._client,
        )

    def show(self) -> None:
        """Shows the world in its window; here is none (see envs.sim.window)."""

    def picture(self, camera: Camera, width: int, height: int) -> np.ndarray:
        """Renders the world: uint8 [height, width, 3]."""
        return rendering.picture(self._client, camera, width, height)
