"""Finds objects by name: primitives, default meshes and mesh files of the user.

The default meshes are part of PyBullet (package pybullet_data) and consist of convex pieces.
Departs from Dext-Gen, which has a single mesh made of eight boxes. Lengths in m.
"""

import difflib
import functools
import math
import os
from collections.abc import Sequence
from pathlib import Path

from .spec import OBJECTS, ObjectSpec, sample_stable

_BLOBS = ("004", "012", "018", "019", "029", "040", "044", "055", "056")
# Files in pybullet_data.
MESHES = {
    "mug": "objects/mug_col.obj",
    "duck": "duck_vhacd.obj",
    "teddy": "teddy2_VHACD_CHs.obj",
    **{f"blob{n}": f"random_urdfs/{n}/{n}.obj" for n in _BLOBS},
}
# Longest edge of a mesh's bounding box.
MESH_SIZES = {"ParallelJaw": 0.06, "BarrettHand": 0.095, "ShadowHand": 0.065}
_GROUPS = {"Mesh": tuple(MESHES)}


def find_objects(gripper: str, names: Sequence[str]) -> tuple[ObjectSpec, ...]:
    """Returns the objects to sample from.

    Each object is repeated so often that all names are equally likely.

    Args:
        gripper: name of the gripper that determines sizes and masses.
        names: "Cube", "Sphere", "Cylinder", a key of MESHES, "Mesh" for all of MESHES, or the path
            of a mesh file.

    Raises:
        ValueError: a name is unknown, or a file is not a usable mesh.
    """
    groups = [tuple(_object(gripper, n) for n in _GROUPS.get(name, (name,))) for name in names]
    draws = math.lcm(*(len(group) for group in groups))
    return tuple(spec for group in groups for spec in group * (draws // len(group)))


def _object(gripper: str, name: str) -> ObjectSpec:
    if name in OBJECTS[gripper]:
        return OBJECTS[gripper][name]
    if name in MESHES:
        import pybullet_data

        return _mesh(gripper, name, os.path.join(pybullet_data.getDataPath(), MESHES[name]), True)
    if Path(name).suffix or os.sep in name:
        return _mesh(gripper, name, name, False)
    known = [*OBJECTS[gripper], *_GROUPS, *MESHES]
    close = difflib.get_close_matches(name, known, 1, 0.5)
    hint = f" (did you mean {close[0]!r}?)" if close else ""
    raise ValueError(f"objects: {name!r}{hint}, expected names from {known} or mesh files")


def _mesh(gripper: str, name: str, path: str, authored: bool) -> ObjectSpec:
    from .meshes import load_mesh

    mesh, stable = load_mesh(path, authored)
    shape = mesh.scaled(MESH_SIZES[gripper])
    # Mass and rolling friction are those of the cylinder.
    return OBJECTS[gripper]["Cylinder"]._replace(
        name=name, shape=shape, sample_rotation=functools.partial(sample_stable, stable)
    )
