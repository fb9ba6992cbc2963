"""Eigengrasps: few numbers that move all joints of a hand the way grasps do.

The rows of a basis for RobotSpec, computed by examples/make_eigengrasps.py and shipped as data. The
idea is from Ciocarlie and Allen 2009 (doi:10.1177/0278364909105606). Departs from it by a singular
value decomposition that is not centred: postures are relative to the middle of the control ranges,
so that a hand action of 0 means the same with any number of components.
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
    """What is known of one hand's grasps.

    Attributes:
        source: the command that computed them.
        hand_version: `version` of the hand's table then.
        n_grasps: stable grasps that were found.
        explained_variance: share of the squared postures by component, falling.
        components: [A, A], orthogonal rows whose greatest absolute entry is 1.
    """

    source: str
    hand_version: str
    n_grasps: int
    explained_variance: tuple[float, ...]
    components: Basis


def with_eigengrasps(spec: RobotSpec, n_eigengrasps: int) -> RobotSpec:
    """The hand, driven by the first eigengrasps; 0: unchanged, that is full control.

    Raises:
        ValueError: no whole number from 0 to as many as the hand has.
    """
    most = len(spec.actuators) if path(spec.name).exists() else 0
    whole = isinstance(n_eigengrasps, int) and not isinstance(n_eigengrasps, bool)
    if not (whole and 0 <= n_eigengrasps <= most):
        wanted = f"a whole number in [0, {most}]" if most else "0: it has no eigengrasps"
        raise ValueError(f"n_eigengrasps = {n_eigengrasps!r} for {spec.name}, expected {wanted}")
    if n_eigengrasps == 0:
        return spec
    components = load(spec.name).components[:n_eigengrasps]
    return dataclasses.replace(spec, basis=components, symmetries=())


def synergies(postures: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The directions in which postures differ most from the middle of the ranges.

    Args:
        postures: [P, A] in [-1, 1], P >= A.

    Returns:
        Components [A, A], orthogonal rows, scaled so that the entry with the greatest absolute
        value is 1; and the share [A] of the sum of squares along each, falling.
    """
    _, spread, rows = np.linalg.svd(postures, full_matrices=False)
    largest = np.abs(rows).argmax(axis=1)
    components = rows / rows[np.arange(len(rows)), largest][:, None]
    return components, spread**2 / np.sum(spread**2)


def normalise(spec: RobotSpec, targets: np.ndarray) -> np.ndarray:
    """Actuator targets [..., A] (m or rad) as postures in [-1, 1]."""
    low, high = np.array([actuator.control for actuator in spec.actuators]).T
    posture: np.ndarray = (2.0 * targets - low - high) / (high - low)
    return posture


def version(spec: RobotSpec) -> str:
    """A hash of order and ranges of a hand's joints and actuators: what eigengrasps refer to."""
    joints = [(link.name, link.limits) for link in spec.links[1:]]
    actuators = [(actuator.joint, actuator.control) for actuator in spec.actuators]
    return hashlib.sha256(json.dumps([joints, actuators]).encode()).hexdigest()[:16]


def make(spec: RobotSpec, targets: np.ndarray, source: str) -> Eigengrasps:
    """The eigengrasps of a hand.

    Args:
        spec: the hand.
        targets: of its actuators before and after closing (m or rad), [grasps, 2, A].
        source: command that computed them.
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
    """Where a gripper's eigengrasps are kept."""
    return _DATA / f"{gripper}.json"


@cache
def load(gripper: str) -> Eigengrasps:
    """The shipped eigengrasps of a gripper."""
    data: dict[str, Any] = json.loads(path(gripper).read_text(encoding="utf-8"))
    data["explained_variance"] = tuple(data["explained_variance"])
    data["components"] = tuple(tuple(row) for row in data["components"])
    return Eigengrasps(**data)


def text(eigengrasps: Eigengrasps) -> str:
    """The eigengrasps as JSON, a line for each component."""
    head = eigengrasps._asdict()
    rows = ",\n  ".join(json.dumps(row) for row in head.pop("components"))
    lines = [f' "{key}": {json.dumps(value)},\n' for key, value in head.items()]
    return "{\n" + "".join(lines) + f' "components": [\n  {rows}\n ]\n}}\n'
