"""Writes URDF text of grippers and of immovable shapes.

A gripper's links are given in its own frame (z is the approach axis). In the URDF, the frame of the
base link is the grip frame, so that the simulated pose of the base is the grip pose and needs no
arithmetic at run time. Inertias are isotropic and have a lower bound.
"""

from collections.abc import Mapping
from typing import NamedTuple

from . import rotations
from .rotations import IDENTITY, Quaternion, Vector
from .surfaces import Look, rounded, surface_file
from .types import Shape

# In kg m2. Lighter links explode or eject objects at steps of 5 ms.
_INERTIA_FLOOR = 1e-3


class Link(NamedTuple):
    """A rigid link and, unless it is the base, the joint that attaches it to its parent.

    Attributes:
        name: of the link and of its joint.
        mass: in kg.
        shapes: collision shapes in the link's frame.
        parent: name of the parent link; "" for the base.
        joint: "prismatic" or "revolute"; "" for the base.
        origin: of the joint in the parent's frame (m).
        rotation: of the joint in the parent's frame, quaternion xyzw.
        axis: of the joint in its own frame.
        limits: of the joint (m or rad).
    """

    name: str
    mass: float
    shapes: tuple[Shape, ...]
    parent: str = ""
    joint: str = ""
    origin: Vector = (0.0, 0.0, 0.0)
    rotation: Quaternion = IDENTITY
    axis: Vector = (0.0, 0.0, 1.0)
    limits: tuple[float, float] = (0.0, 0.0)


def urdf(
    name: str,
    links: tuple[Link, ...],
    grip_position: Vector,
    grip_rotation: Quaternion,
    look: Mapping[str, Look] | None,
) -> str:
    """Returns the URDF text of a gripper.

    The frame and the centre of mass of its base link are the grip frame.

    Args:
        name: of the gripper.
        links: base first.
        grip_position: origin of the grip frame in the gripper's frame (m).
        grip_rotation: of the grip frame in the gripper's frame, quaternion xyzw.
        look: of the links by their names; None: they have no visual shapes.
    """
    to_grip = rotations.inverse(grip_rotation)

    def in_grip_frame(point: Vector) -> Vector:
        x, y, z = (a - b for a, b in zip(point, grip_position, strict=True))
        return rotations.rotate(to_grip, (x, y, z))

    base = links[0]
    shapes = tuple(
        shape._replace(
            position=in_grip_frame(shape.position),
            rotation=rotations.multiply(to_grip, shape.rotation),
        )
        for shape in base.shapes
    )
    frame = in_grip_frame((0.0, 0.0, 0.0)), to_grip
    parts = [_link(base, shapes, _visuals(base, shapes, look, frame))]
    for link in links[1:]:
        on_base = link.parent == base.name
        origin = in_grip_frame(link.origin) if on_base else link.origin
        rotation = rotations.multiply(to_grip, link.rotation) if on_base else link.rotation
        visuals = _visuals(link, link.shapes, look)
        parts += [_link(link, link.shapes, visuals), _joint(link, origin, rotation)]
    return f'<robot name="{name}">\n' + "\n".join(parts) + "\n</robot>\n"


def fixed_urdf(name: str, shapes: tuple[Shape, ...], visuals: bool) -> str:
    """Returns the URDF text of one immovable body made of shapes in the world frame."""
    link = Link(name, 0.0, shapes)
    text = _link(link, shapes, _visuals(link, shapes, {} if visuals else None))
    return f'<robot name="{name}">\n{text}\n</robot>\n'


def _visuals(
    link: Link,
    shapes: tuple[Shape, ...],
    look: Mapping[str, Look] | None,
    frame: tuple[Vector, Quaternion] = ((0.0, 0.0, 0.0), IDENTITY),
) -> list[str]:
    """Returns what is seen of a link.

    Args:
        link: the link.
        shapes: its collision shapes; they are seen if it has no look.
        look: of all links; None: nothing is seen.
        frame: position and rotation of the frame of the link's look.
    """
    if look is None:
        return []
    if link.name in look:
        seen = [(surface, *frame) for surface in look[link.name]]
    else:
        seen = [(rounded(shape), shape.position, shape.rotation) for shape in shapes]
    return [
        f'<visual>{_origin(position, rotation)}<geometry><mesh filename="{surface_file(surface)}"/>'
        f'</geometry><material name="{link.name}{index}"><color rgba="{_row(surface.colour)}"/>'
        "</material></visual>"
        for index, (surface, position, rotation) in enumerate(seen)
    ]


def _link(link: Link, shapes: tuple[Shape, ...], visuals: list[str]) -> str:
    moment = max([_INERTIA_FLOOR, *(_inertia(link.mass, shape) for shape in shapes)])
    parts = [
        f'<link name="{link.name}"><inertial><mass value="{link.mass}"/>'
        f'<inertia ixx="{moment}" iyy="{moment}" izz="{moment}" ixy="0" ixz="0" iyz="0"/>'
        "</inertial>"
    ]
    parts += [f"<collision>{_pose_and_geometry(shape)}</collision>" for shape in shapes]
    return "".join([*parts, *visuals, "</link>"])


def _pose_and_geometry(shape: Shape) -> str:
    origin = _origin(shape.position, shape.rotation)
    return f"{origin}<geometry>{_geometry(shape)}</geometry>"


def _geometry(shape: Shape) -> str:
    if shape.kind == "box":
        return f'<box size="{_row(tuple(2.0 * s for s in shape.size))}"/>'
    if shape.kind == "sphere":
        return f'<sphere radius="{shape.size[0]:.12g}"/>'
    radius, half_length = shape.size
    return f'<{shape.kind} radius="{radius:.12g}" length="{2.0 * half_length:.12g}"/>'


def _joint(link: Link, origin: Vector, rotation: Quaternion) -> str:
    low, high = link.limits
    return (
        f'<joint name="{link.name}" type="{link.joint}">'
        f'<parent link="{link.parent}"/><child link="{link.name}"/>'
        f'{_origin(origin, rotation)}<axis xyz="{_row(link.axis)}"/>'
        f'<limit lower="{low}" upper="{high}" effort="1000" velocity="100"/></joint>'
    )


def _origin(position: Vector, rotation: Quaternion) -> str:
    return f'<origin xyz="{_row(position)}" rpy="{_row(rotations.roll_pitch_yaw(rotation))}"/>'


def _inertia(mass: float, shape: Shape) -> float:
    """Returns the largest principal moment (kg m2) of a solid box or cylinder.

    A capsule is treated as a cylinder.
    """
    if shape.kind == "box":
        _, middle, large = sorted(shape.size)
        return mass / 3.0 * (middle * middle + large * large)
    radius, half_length = shape.size
    across = mass * (radius * radius / 4.0 + half_length * half_length / 3.0)
    return max(across, mass * radius * radius / 2.0)


def _row(numbers: tuple[float, ...]) -> str:
    return " ".join(f"{n:.12g}" for n in numbers)
