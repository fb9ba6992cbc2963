"""Reads from PyBullet where bodies touch."""

from collections.abc import Sequence

from .bullet import pybullet as p
from .types import Contact


def is_clear(client: int, body: int, distance: float) -> bool:
    """Whether no other body is nearer than `distance` (m); does not affect the physics."""
    bodies = [p.getBodyUniqueId(i, client) for i in range(p.getNumBodies(client))]
    return not any(
        p.getClosestPoints(body, other, distance, physicsClientId=client)
        for other in bodies
        if other != body
    )


def contacts(client: int, body: int, other: int, links: Sequence[str]) -> list[Contact]:
    """Returns the points where a body touched another one in the last substep.

    Args:
        client: id of the world.
        body: the touching body, whose links the contacts name.
        other: the touched body, on which the forces act.
        links: names of the touching body's links, base first.
    """
    found = []
    for point in p.getContactPoints(body, other, physicsClientId=client):
        link, (position, (nx, ny, nz), distance, force) = point[3], point[6:10]
        push_1, tangent_1, push_2, tangent_2 = point[10:14]
        frame = ((-nx, -ny, -nz), tangent_1, tangent_2)
        # PyBullet reports the force that acts on `body`.
        push = (force, -push_1, -push_2)
        found.append(Contact(links[link + 1], position, frame, push, distance))
    return found
