"""Eigengrasps: a low-dimensional basis for the joints of a gripper, derived from grasps.

Eigengrasps are rows of RobotSpec.basis. They are computed by examples/make_eigengrasps.py and
shipped as data. Source: Ciocarlie and Allen 2009, doi:10.1177/0278364909105606. Departs from it by
a singular value decomposition without centring: postures are relative to the middle of the control
ranges, so that a joint action of 0 means the same with any number of components.
"""

import dataclasses
import hashlib
import json
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from .spec import Basis, RobotSpec

_DATA = Path(__file__).parent / "eigengrasp_data"
_DIGITS = 5


class Eigengrasps(NamedTuple):
    """The eigengrasps of one gripper.

    Attributes:
        source: the command that computed them.
        gripper_version: `version` of the gripper they were computed for.
        n_grasps: number of stable grasps they were computed from.
        explained_variance: fraction of the squared postures by component, in descending order.
        components: orthogonal rows whose greatest absolute entry is 1, [A, A].
    """

    source: str
    gripper_version: str
    n_grasps: int
    explained_variance: tuple[float, ...]
    components: Basis


def with_eigengrasps(spec: RobotSpec, n_eigengrasps: int) -> RobotSpec:
    """Returns the gripper with its joints driven by the first eigengrasps.

    With 0 the gripper is returned unchanged, with full control.

    Raises:
        ValueError: `n_eigengrasps` is not an integer from 0 to the number of eigengrasps.
    """
    most = len(spec.actuators) if path(spec.name).exists() else 0
    whole = isinstance(n_eigengrasps, int) and not isinstance(n_eigengrasps, bool)
    if not (whole and 0 <= n_eigengrasps <= most):
        expected = f"an integer in [0, {most}]" if most else "0: it has no eigengrasps"
        raise ValueError(f"n_eigengrasps = {n_eigengrasps!r} for {spec.name}, expected {expected}")
    if n_eigengrasps == 0:
        return spec
    components = load(spec.name).components[:n_eigengrasps]
    return dataclasses.replace(spec, basis=components, symmetries=())


def synergies(postures: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Computes the directions in which postures deviate most from the middle of the ranges.

    Args:
        postures: in [-1, 1], [P, A] with P >= A.

    Returns:
        Components [A, A], orthogonal rows, each divided by its entry with the greatest absolute
        value; and the fraction of the sum of squares along each component [A], in descending order.
    """
    _, spread, rows = np.linalg.svd(postures, full_matrices=False)
    largest = np.abs(rows).argmax(axis=1)
    components = rows / rows[np.arange(len(rows)), largest][:, None]
    return components, spread**2 / np.sum(spread**2)


def normalise(spec: RobotSpec, targets: np.ndarray) -> np.ndarray:
    """Scales actuator targets [..., A] (m or rad) to postures in [-1, 1]."""
    low, high = np.array([actuator.control for actuator in spec.actuators]).T
    posture: np.ndarray = (2.0 * targets - low - high) / (high - low)
    return posture


def version(spec: RobotSpec) -> str:
    """Returns a hash of the joints and actuators, their order and ranges.

    Eigengrasps are valid for one version of a gripper only.
    """
    joints = [(link.name, link.limits) for link in spec.links[1:]]
    actuators = [(actuator.joint, actuator.control) for actuator in spec.actuators]
    return hashlib.sha256(json.dumps([joints, actuators]).encode()).hexdigest()[:16]


def make(spec: RobotSpec, targets: np.ndarray, source: str) -> Eigengrasps:
    """Computes the eigengrasps of a gripper.

    Args:
        spec: the gripper.
        targets: of its actuators before and after closing (m or rad), [grasps, 2, A].
        source: the command that computes them.
    """
    n = len(spec.actuators)
    components, explained = synergies(normalise(spec, targets).reshape(-1, n))
    return Eigengrasps(
        source,
        version(spec),
        len(targets),
        tuple(explained.round(_DIGITS).tolist()),
        tuple(tuple(row) for row in components.round(_DIGITS).tolist()),
    )


def path(gripper: str) -> Path:
    """Returns the path of a gripper's eigengrasps."""
    return _DATA / f"{gripper}.json"


@cache
def load(gripper: str) -> Eigengrasps:
    """Loads the shipped eigengrasps of a gripper."""
    data: dict[str, Any] = json.loads(path(gripper).read_text(encoding="utf-8"))
    data["explained_variance"] = tuple(data["explained_variance"])
    data["components"] = tuple(tuple(row) for row in data["components"])
    return Eigengrasps(**data)


def text(eigengrasps: Eigengrasps) -> str:
    """Returns eigengrasps as JSON, with one line per component."""
    head = eigengrasps._asdict()
    rows = ",\n  ".join(json.dumps(row) for row in head.pop("components"))
    lines = [f' "{key}": {json.dumps(value)},\n' for key, value in head.items()]
    return "{\n" + "".join(lines) + f' "components": [\n  {rows}\n ]\n}}\n'
