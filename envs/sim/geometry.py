"""Describes collision shapes in PyBullet's terms.

Meshes are written to a temporary Wavefront file, because PyBullet accepts bodies made of several
convex pieces in no other form.
"""

import contextlib
from collections.abc import Iterator

from .bullet import pybullet as p
from .bullet import text_file
from .types import Mesh, Shape

_KINDS = {"box": p.GEOM_BOX, "sphere": p.GEOM_SPHERE, "cylinder": p.GEOM_CYLINDER}


@contextlib.contextmanager
def geometry(shape: Shape | Mesh) -> Iterator[dict[str, object]]:
    """Yields kind and size of a shape as keyword arguments for PyBullet.

    The arguments are valid inside the context only, because a mesh lives in a temporary file.

    Args:
        shape: the shape to describe.
    """
    if isinstance(shape, Mesh):
        with text_file(wavefront(shape), ".obj") as path:
            yield {"shapeType": p.GEOM_MESH, "fileName": path}
    else:
        yield {"shapeType": _KINDS[shape.kind], **_extent(shape)}


def _extent(shape: Shape) -> dict[str, object]:
    if shape.kind == "box":
        return {"halfExtents": shape.size}
    if shape.kind == "sphere":
        return {"radius": shape.size[0]}
    return {"radius": shape.size[0], "height": 2.0 * shape.size[1]}


def wavefront(mesh: Mesh) -> str:
    """Returns a mesh as Wavefront text in metres, in its own frame, with one object per piece."""
    lines, first = [], 1
    for index, piece in enumerate(mesh.pieces):
        lines.append(f"o piece{index}")
        lines += ["v {:.9g} {:.9g} {:.9g}".format(*point) for point in mesh.scale * piece.points]
        lines += ["f {} {} {}".format(*corners) for corners in piece.triangles + first]
        first += len(piece.points)
    return "\n".join(lines) + "\n"
