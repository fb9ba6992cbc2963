"""The constructor arguments that all environments share.

Checked once, here: a mistake names its value and the legal range.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from numbers import Real

from .objects.catalogue import find_objects
from .objects.spec import ObjectSpec
from .robots.spec import Bounds
from .sim.rendering import RENDERERS

SMALLEST, LARGEST = 0.2, 2.0  # object size factors; beyond, no gripper can act on the object
SIZE_STEPS = 33  # sizes in a range; few, because PyBullet never frees a shape
_PIXELS = (16, 4096)


@dataclass(frozen=True, kw_only=True)
class Options:
    """Keyword arguments of an environment.

    Attributes:
        object_size_multiplier: factor on the object's size, in [0.2, 2]; its mass stays.
        object_size_range: (low, high) of a further factor, one of 33 evenly spaced ones drawn at
            each reset; with the multiplier it must stay in [0.2, 2].
        air_goal_share: probability of a goal drawn above the table, in [0, 1].
        objects: what is grasped instead of the environment's own, one drawn at each reset: names of
            envs.objects.catalogue ("Cube", "Mesh", "mug") and mesh files (.obj, .off, .ply, .stl).
        workspace: ((x0, x1), (y0, y1), (z0, z1)) in m (world) that the grip target is kept in; None
            for the gripper's.
        n_eigengrasps: of the gripper's eigengrasps that drive its joints, first ones first; 0: each
            actuator has an action of its own. Its range depends on the gripper, see
            envs.robots.eigengrasps.
        angle_tolerance: greatest angle (rad) that counts as turned, in (0, pi], where goals name a
            rotation; None: the task's, 0.2.
        render_width: of a picture, in pixels, in [16, 4096].
        render_height: of a picture, in pixels, in [16, 4096].
        renderer: "software", whose pictures are the same bits everywhere, or "egl": several times
            faster; needs EGL, and its pictures vary a little, also between equal calls.

    Raises:
        ValueError: a value is out of its range.
    """

    object_size_multiplier: float = 1.0
    object_size_range: tuple[float, float] | None = None
    air_goal_share: float = 0.5
    objects: Sequence[str] | None = None
    workspace: Bounds | None = None
    n_eigengrasps: int = 0
    angle_tolerance: float | None = None
    render_width: int = 480
    render_height: int = 360
    renderer: str = "software"

    def __post_init__(self) -> None:
        """Checks all values."""
        _check("object_size_multiplier", self.object_size_multiplier, SMALLEST, LARGEST)
        if self.object_size_range is not None:
            _check_pair("object_size_range", self.object_size_range)
            for factor in self.sizes:
                _check("object_size_multiplier * object_size_range", factor, SMALLEST, LARGEST)
        _check("air_goal_share", self.air_goal_share, 0.0, 1.0)
        _check_pixels("render_width", self.render_width)
        _check_pixels("render_height", self.render_height)
        if self.renderer not in RENDERERS:
            raise ValueError(f"renderer = {self.renderer!r}, expected one of {list(RENDERERS)}")
        if self.workspace is not None:
            if not isinstance(self.workspace, Sequence) or len(self.workspace) != 3:
                raise ValueError(f"workspace = {self.workspace}, expected 3 pairs (low, high) in m")
            for name, pair in zip("xyz", self.workspace, strict=True):
                _check_pair(f"workspace {name}", pair)

    @property
    def sizes(self) -> tuple[float, float]:
        """Lowest and highest factor on the object's size."""
        low, high = self.object_size_range or (1.0, 1.0)
        return self.object_size_multiplier * low, self.object_size_multiplier * high

    def chosen_objects(self, gripper: str, default: Sequence[str]) -> tuple[ObjectSpec, ...]:
        """The objects that `objects`, or else `default`, names for a gripper.

        Raises:
            ValueError: no names, or one that is unknown or no usable file.
        """
        if self.objects is None:
            return find_objects(gripper, default)
        listed = isinstance(self.objects, Sequence) and not isinstance(self.objects, str)
        if not listed or not self.objects:
            raise ValueError(f"objects = {self.objects!r}, expected a list of names or files")
        return find_objects(gripper, [str(name) for name in self.objects])


def _check(name: str, value: float, low: float, high: float) -> None:
    if not (isinstance(value, Real) and low <= value <= high):  # False for NaN too
        raise ValueError(f"{name} = {value!r}, expected a value in [{low}, {high}]")


def _check_pair(name: str, pair: tuple[float, float]) -> None:
    numbers = isinstance(pair, Sequence) and all(isinstance(value, Real) for value in pair)
    if not (numbers and len(pair) == 2 and -math.inf < pair[0] <= pair[1] < math.inf):
        raise ValueError(f"{name} = {pair}, expected a finite pair with low <= high")


def _check_pixels(name: str, value: int) -> None:
    if not (isinstance(value, int) and _PIXELS[0] <= value <= _PIXELS[1]):
        raise ValueError(f"{name} = {value!r}, expected a whole number in {list(_PIXELS)}")
