"""Shapes in PyBullet's words, for what collides and for what is seen.

A mesh passes through a Wavefront file, the only form in which PyBullet takes a body of several
convex pieces.
"""

import contextlib
from collections.abc import Iterator

from .bullet import STDERR, quiet
from .textfile import text_file
from .types import Mesh, Shape

with quiet(STDERR):  # importing it prints its build time
    import pybullet as p

_KINDS = {"box": p.GEOM_BOX, "sphere": p.GEOM_SPHERE, "cylinder": p.GEOM_CYLINDER}


@contextlib.contextmanager
def geometry(shape: Shape | Mesh, length_key: str) -> Iterator[dict[str, object]]:
    """Kind and size of a shape as keywords that hold until the end of the block.

    Args:
        shape: to be described.
        length_key: PyBullet calls a length "height" where things collide, else "length".
    """
    if isinstance(shape, Mesh):
        with text_file(wavefront(shape), ".obj") as path:
            yield {"shapeType": p.GEOM_MESH, "fileName": path}
    else:
        yield {"shapeType": _KINDS[shape.kind], **_extent(shape, length_key)}


def _extent(shape: Shape, length_key: str) -> dict[str, object]:
    if shape.kind == "box":
        return {"halfExtents": shape.size}
    if shape.kind == "sphere":
        return {"radius": shape.size[0]}
    return {"radius": shape.size[0], length_key: 2.0 * shape.size[1]}


def wavefront(mesh: Mesh) -> str:
    """Wavefront text, one object per piece, in metres, in the mesh's own frame."""
    lines, first = [], 1
    for index, piece in enumerate(mesh.pieces):
        lines.append(f"o piece{index}")
        lines += ["v {:.9g} {:.9g} {:.9g}".format(*point) for point in mesh.scale * piece.points]
        lines += ["f {} {} {}".format(*corners) for corners in piece.triangles + first]
        first += len(piece.points)
    return "\n".join(lines) + "\n"
