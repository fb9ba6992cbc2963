"""Objects by name: primitives, the default meshes, and meshes of the user's.

The default meshes come with PyBullet (package pybullet_data) as convex pieces, and are read where
they are. Departs from Dext-Gen, which has one mesh, of eight boxes. Lengths in m.
"""

import difflib
import functools
import math
import os
from collections.abc import Sequence
from pathlib import Path

from .spec import OBJECTS, ObjectSpec, sample_rest

_BLOBS = ("004", "012", "018", "019", "029", "040", "044", "055", "056")
MESHES = {  # files in pybullet_data
    "mug": "objects/mug_col.obj",
    "duck": "duck_vhacd.obj",
    "teddy": "teddy2_VHACD_CHs.obj",
    **{f"blob{n}": f"random_urdfs/{n}/{n}.obj" for n in _BLOBS},
}
MESH_SIZES = {"ParallelJaw": 0.06, "BarrettHand": 0.095, "ShadowHand": 0.065}  # longest edge
_GROUPS = {"Mesh": tuple(MESHES)}


def find_objects(gripper: str, names: Sequence[str]) -> tuple[ObjectSpec, ...]:
    """The objects to draw from, each as often as it takes to make all names equally likely.

    Args:
        gripper: that they are sized for.
        names: "Cube", "Sphere", "Cylinder", a key of MESHES, "Mesh" for all of these, or a file.

    Raises:
        ValueError: a name is unknown, or a file is no usable mesh.
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
    raise ValueError(f"objects: {name!r}{hint}, expected some of {known}, or mesh files")


def _mesh(gripper: str, name: str, path: str, authored: bool) -> ObjectSpec:
    from .meshes import load_mesh

    mesh, rests = load_mesh(path, authored)
    shape = mesh.scaled(MESH_SIZES[gripper])
    like = OBJECTS[gripper]["Cylinder"]
    return like._replace(
        name=name, shape=shape, sample_rotation=functools.partial(sample_rest, rests)
    )
