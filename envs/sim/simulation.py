"""The physics of one PyBullet world; rendering.py holds what concerns its display.

Provides bodies, a soft weld that moves a gripper, batched calls for joints, and `flush`, which
makes a reset independent of everything simulated before. Departs from Dext-Gen, which uses MuJoCo
with a mocap weld. Lengths in m, time in s, "world" frame with z up, quaternions x, y, z, w.
"""

import weakref
from collections.abc import Hashable, Sequence

import numpy as np

from . import contacts, rendering
from .bullet import pybullet as p
from .bullet import text_file
from .collision_masks import EVERYTHING, Mask
from .colours import UNSEEN
from .geometry import geometry
from .rotations import IDENTITY, Quaternion, Vector
from .surfaces import Look, Surface, default_look
from .types import BodyState, Camera, Colour, Contact, Mesh, Shape, Stepping

_GRAVITY: Vector = (0.0, 0.0, -9.81)
_ORIGIN = (0.0, 0.0, 0.0)
# PyBullet's link index of a body's base.
_BASE = -1
# In N m.
_GEAR_FORCE = 5.0
# Rolling friction is 0 unless a body asks for it.
_FRICTION = {"lateralFriction": 1.0, "spinningFriction": 0.01}


class Simulation:
    """A physics world; one process may hold several of them.

    Args:
        stepping: integration settings.
        renderer: as in rendering.connect. With None, bodies get no visual shapes, which saves time
            and does not affect the physics.

    Attributes:
        visuals: whether bodies have visual shapes.
        control_period: duration of a control step (s).
    """

    def __init__(self, stepping: Stepping, renderer: str | None) -> None:
        """Opens a world without bodies."""
        self._client = rendering.connect(renderer)
        self._disconnect = weakref.finalize(self, rendering.disconnect, self._client, renderer)
        # Collision and visual shapes, which bodies share, because PyBullet never frees a shape.
        self._solids: dict[Hashable, int] = {}
        self._looks: dict[Look, int] = {}
        # Masks other than the default, by body and link.
        self._masks: dict[tuple[int, int], Mask] = {}
        # Of markers. Only windows use PyBullet's own translucency, see rendering.picture.
        self._opacities, self._is_window = dict[int, float](), renderer == "window"
        self._substeps = stepping.substeps
        self.visuals = renderer is not None
        self.control_period = stepping.substeps * stepping.time_step
        self.set_gravity(_GRAVITY)
        p.setPhysicsEngineParameter(
            fixedTimeStep=stepping.time_step,
            numSolverIterations=stepping.iterations,
            # The cache would only take up memory: it keeps every file.
            enableFileCaching=0,
            deterministicOverlappingPairs=1,
            erp=stepping.erp,
            contactERP=stepping.contact_erp,
            physicsClientId=self._client,
        )

    def close(self) -> None:
        """Frees the world, as garbage collection does; further calls do nothing."""
        self._disconnect()

    def set_gravity(self, acceleration: Vector) -> None:
        """Sets the gravitational acceleration (world, m/s2)."""
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
            text: URDF.
            masks: one per link, base first; if empty, the robot's links do not collide with each
                other.
        """
        flags = p.URDF_USE_INERTIA_FROM_FILE | p.URDF_MAINTAIN_LINK_ORDER
        flags |= p.URDF_USE_SELF_COLLISION if masks else 0
        with text_file(text, ".urdf") as path:
            body: int = p.loadURDF(path, flags=flags, physicsClientId=self._client)
        links = range(_BASE, p.getNumJoints(body, physicsClientId=self._client))
        for link in links:
            p.changeDynamics(body, link, **_FRICTION, physicsClientId=self._client)
        if masks:
            self._masks |= {(body, link): mask for link, mask in zip(links, masks, strict=True)}
        return body

    def add_body(
        self, shape: Shape | Mesh, mass: float, rolling_friction: float = 0.0, look: Look = ()
    ) -> int:
        """Adds a body that consists of one shape and returns its body id.

        PyBullet computes the inertia from the shape's bounding box.

        Args:
            shape: its position and rotation are those of the body in the world.
            mass: in kg; 0 makes the body immovable.
            rolling_friction: PyBullet's coefficient.
            look: what is seen, in the body's frame; if empty, the shape with rounded edges.
        """
        if shape.key not in self._solids:
            with geometry(shape) as keywords:
                solid: int = p.createCollisionShape(**keywords, physicsClientId=self._client)
            self._solids[shape.key] = solid
        is_seen = self.visuals and shape.colour != UNSEEN
        visual = self._visual(look or default_look(shape)) if is_seen else self._visual(())
        pose = shape.position, shape.rotation
        body: int = p.createMultiBody(
            mass, self._solids[shape.key], visual, *pose, physicsClientId=self._client
        )
        p.changeDynamics(
            body, _BASE, **_FRICTION, rollingFriction=rolling_friction, physicsClientId=self._client
        )
        return body

    def add_marker(self, surfaces: Sequence[Surface]) -> tuple[int, ...]:
        """Adds surfaces that are only seen and returns their bodies; none without visual shapes."""
        marker = []
        for surface in surfaces if self.visuals else ():
            visual = self._visual((surface,))
            body = p.createMultiBody(0.0, -1, visual, physicsClientId=self._client)
            self._opacities[body] = surface.colour[3]
            self.paint_marker([body], surface.colour)
            marker.append(body)
        return tuple(marker)

    def _visual(self, look: Look) -> int:
        if look not in self._looks:
            self._looks[look] = rendering.add_visual(self._client, look)
        return self._looks[look]

    def paint_marker(self, marker: Sequence[int], colour: Colour) -> None:
        """Changes the colour of a marker's surfaces, but not how translucent they are."""
        for body in marker:
            rgba = (*colour[:3], self._opacities[body] if self._is_window else 1.0)
            p.changeVisualShape(body, _BASE, rgbaColor=rgba, physicsClientId=self._client)

    def remove_body(self, body: int) -> None:
        """Removes a body; PyBullet leaks about 900 bytes per body."""
        p.removeBody(body, physicsClientId=self._client)
        self._opacities.pop(body, None)

    # State

    def flush(self, bodies: Sequence[int]) -> None:
        """Discards all contacts, so that the future depends only on the resets that follow.

        Moves the given bodies far apart and makes the broadphase drop all of their pairs. Resetting
        only the poses would keep contact manifolds and the order of pairs: up to ten different
        futures from the same poses were seen.

        Args:
            bodies: all movable bodies.
        """
        client = self._client
        links = [
            (b, i) for b in bodies for i in range(_BASE, p.getNumJoints(b, physicsClientId=client))
        ]
        for index, body in enumerate(bodies):
            self.reset_body(body, (10.0 * index, 0.0, 20.0), IDENTITY)
        for body, link in links:
            p.setCollisionFilterGroupMask(body, link, 0, 0, physicsClientId=client)
        p.performCollisionDetection(physicsClientId=client)
        for body, link in links:
            group, mask = self._masks.get((body, link), EVERYTHING)
            p.setCollisionFilterGroupMask(body, link, group, mask, physicsClientId=client)

    def reset_body(self, body: int, position: Vector, rotation: Quaternion) -> None:
        """Sets the pose of a body's base (world, m, xyzw) and stops it."""
        p.resetBasePositionAndOrientation(body, position, rotation, physicsClientId=self._client)
        p.resetBaseVelocity(body, _ORIGIN, _ORIGIN, physicsClientId=self._client)

    def reset_joints(self, body: int, joints: Sequence[int], positions: Sequence[float]) -> None:
        """Sets the positions of joints (m or rad) and stops them."""
        p.resetJointStatesMultiDof(
            body,
            joints,
            targetValues=[[q] for q in positions],
            targetVelocities=[[0.0]] * len(positions),
            physicsClientId=self._client,
        )

    def move_marker(
        self, marker: Sequence[int], position: Vector, rotation: Quaternion = IDENTITY
    ) -> None:
        """Moves the shapes of a marker to a pose (world, m, xyzw)."""
        for body in marker:
            p.resetBasePositionAndOrientation(body, position, rotation, self._client)

    def state(self, body: int) -> BodyState:
        """Returns pose and velocity of a body's base."""
        position, rotation = p.getBasePositionAndOrientation(body, self._client)
        linear, angular = p.getBaseVelocity(body, self._client)
        return BodyState(position, rotation, linear, angular)

    def joint_positions(self, body: int, joints: Sequence[int]) -> list[float]:
        """Returns the positions of joints (m or rad)."""
        return [state[0] for state in p.getJointStates(body, joints, self._client)]

    def link_pose(self, body: int, link: int) -> tuple[Vector, Quaternion]:
        """Returns position (world, m) and rotation (xyzw) of a link's frame."""
        state = p.getLinkState(body, link, computeForwardKinematics=1, physicsClientId=self._client)
        return state[4], state[5]

    def is_clear(self, body: int, distance: float) -> bool:
        """Whether no other body is nearer than `distance` (m)."""
        return contacts.is_clear(self._client, body, distance)

    def contacts(self, body: int, other: int, links: Sequence[str]) -> list[Contact]:
        """Returns the points where a body, with its named links, touched another one."""
        return contacts.contacts(self._client, body, other, links)

    # Motion

    def weld(self, body: int) -> int:
        """Welds a body's base to the world by a soft constraint and returns the constraint's id."""
        constraint: int = p.createConstraint(
            body, _BASE, -1, -1, p.JOINT_FIXED, *[_ORIGIN] * 3, physicsClientId=self._client
        )
        return constraint

    def gear(self, body: int, leader: int, follower: int, ratio: float, erp: float) -> None:
        """Couples a joint to another joint of the same body and switches its motor off.

        Args:
            body: the body.
            leader: joint that drives.
            follower: joint that is driven.
            ratio: angle of the follower divided by that of the leader.
            erp: fraction of the position error that a substep corrects.
        """
        client, frames = self._client, ((0.0, 0.0, 1.0), _ORIGIN, _ORIGIN)
        p.setJointMotorControl2(
            body, follower, p.VELOCITY_CONTROL, force=0.0, physicsClientId=client
        )
        gear = p.createConstraint(
            body, leader, body, follower, p.JOINT_GEAR, *frames, physicsClientId=client
        )
        p.changeConstraint(
            gear, gearRatio=-1.0 / ratio, maxForce=_GEAR_FORCE, erp=erp, physicsClientId=client
        )

    def drive_weld(self, weld: int, position: Vector, rotation: Quaternion, force: float) -> None:
        """Sets the pose that a weld pulls to (world, m, xyzw) and its greatest force (N, N m)."""
        p.changeConstraint(weld, position, rotation, force, physicsClientId=self._client)

    def drive_joints(
        self,
        body: int,
        joints: Sequence[int],
        targets: Sequence[float],
        gains: Sequence[float],
        forces: Sequence[float],
    ) -> None:
        """Sets targets of position motors.

        Args:
            body: the body.
            joints: joint indices.
            targets: positions (m or rad).
            gains: fractions of the position error that a substep corrects.
            forces: greatest forces (N or N m).
        """
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
        """Draws the world in its window; does nothing here, see window.ShownSimulation."""

    def picture(self, camera: Camera, width: int, height: int) -> np.ndarray:
        """Renders the world: uint8 [height, width, 3]."""
        return rendering.picture(self._client, camera, width, height, self._opacities)
