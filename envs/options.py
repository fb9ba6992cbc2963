"""The constructor arguments that all environments share, and their checks."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from numbers import Real
from typing import Any

from .objects.catalogue import find_objects
from .objects.spec import ObjectSpec
from .robots.spec import Bounds
from .sim.rendering import RENDERERS

# Limits of an object's size factor. Outside of them, no gripper can grasp the object.
MIN_SIZE, MAX_SIZE = 0.2, 2.0
# Number of different sizes in a range. It is small because PyBullet never frees a shape.
N_SIZES = 33
_PIXELS = (16, 4096)


@dataclass(frozen=True, kw_only=True)
class Options:
    """Keyword arguments of an environment.

    Attributes:
        object_size_multiplier: factor on the object's size, in [0.2, 2]; the mass stays the same.
        object_size_range: (low, high) of a further factor, sampled at each reset from 33 evenly
            spaced values. The product with the multiplier must be in [0.2, 2].
        air_goal_share: probability of a goal above the table, in [0, 1].
        objects: objects to use instead of the environment's own, one sampled at each reset: names
            from objects/catalogue.py ("Cube", "Mesh", "mug") and mesh files (.obj, .off, .ply,
            .stl).
        workspace: ((x0, x1), (y0, y1), (z0, z1)), the box that limits the target of the grip frame
            (world, m); None: the gripper's default.
        n_eigengrasps: number of eigengrasps that drive the joints; 0: each actuator has an action
            entry of its own. The greatest number depends on the gripper, see robots/eigengrasps.py.
        angle_tolerance: greatest angle (rad) at which a goal counts as achieved, in (0, pi]; None:
            the task's default. Only for goals with a rotation, whose default is 0.2.
        violation_cost: what a step inside the obstacle takes from the reward, in [0, 100]; None:
            the task's default. Only for tasks with an obstacle, whose default is 1.
        render_width: width of a picture in pixels, in [16, 4096].
        render_height: height of a picture in pixels, in [16, 4096].
        render_trace: whether pictures show the object's path since the start of the episode.
        renderer: "software" gives identical pictures on all machines. "egl" is faster but needs
            EGL, and its pictures differ slightly from call to call.

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
    violation_cost: float | None = None
    render_width: int = 640
    render_height: int = 480
    render_trace: bool = False
    renderer: str = "software"

    def __post_init__(self) -> None:
        """Checks all values."""
        _check("object_size_multiplier", self.object_size_multiplier, MIN_SIZE, MAX_SIZE)
        if self.object_size_range is not None:
            _check_pair("object_size_range", self.object_size_range)
            for factor in self.sizes:
                _check("object_size_multiplier * object_size_range", factor, MIN_SIZE, MAX_SIZE)
        _check("air_goal_share", self.air_goal_share, 0.0, 1.0)
        _check_pixels("render_width", self.render_width)
        _check_pixels("render_height", self.render_height)
        if not isinstance(self.render_trace, bool):
            raise ValueError(f"render_trace = {self.render_trace!r}, expected True or False")
        if self.renderer not in RENDERERS:
            raise ValueError(f"renderer = {self.renderer!r}, expected one of {list(RENDERERS)}")
        if self.workspace is not None:
            if not isinstance(self.workspace, Sequence) or len(self.workspace) != 3:
                raise ValueError(f"workspace = {self.workspace}, expected 3 pairs (low, high) in m")
            for name, pair in zip("xyz", self.workspace, strict=True):
                _check_pair(f"workspace {name}", pair)

    @property
    def sizes(self) -> tuple[float, float]:
        """Least and greatest factor on the object's size."""
        low, high = self.object_size_range or (1.0, 1.0)
        return self.object_size_multiplier * low, self.object_size_multiplier * high

    def chosen_objects(self, gripper: str, default: Sequence[str]) -> tuple[ObjectSpec, ...]:
        """Returns the objects named by `objects`, or else by `default`, for a gripper.

        Raises:
            ValueError: there are no names, or one is neither known nor a usable mesh file.
        """
        if self.objects is None:
            return find_objects(gripper, default)
        listed = isinstance(self.objects, Sequence) and not isinstance(self.objects, str)
        if not listed or not self.objects:
            raise ValueError(f"objects = {self.objects!r}, expected a list of names or mesh files")
        return find_objects(gripper, [str(name) for name in self.objects])


def make_options(arguments: Mapping[str, Any]) -> Options:
    """Returns the options that keyword arguments set.

    Raises:
        TypeError: names an argument that there is not, and those that there are.
        ValueError: a value is out of its range.
    """
    known = [field.name for field in fields(Options)]
    unknown = [name for name in arguments if name not in known]
    if unknown:
        raise TypeError(f"no argument {', '.join(unknown)}, expected some of {', '.join(known)}")
    return Options(**arguments)


def _check(name: str, value: float, low: float, high: float) -> None:
    # Written so that NaN fails, too.
    if not (isinstance(value, Real) and low <= value <= high):
        raise ValueError(f"{name} = {value!r}, expected a value in [{low}, {high}]")


def _check_pair(name: str, pair: tuple[float, float]) -> None:
    numbers = isinstance(pair, Sequence) and all(isinstance(value, Real) for value in pair)
    if not (numbers and len(pair) == 2 and -math.inf < pair[0] <= pair[1] < math.inf):
        raise ValueError(f"{name} = {pair}, expected a finite pair with low <= high")


def _check_pixels(name: str, value: int) -> None:
    if not (isinstance(value, int) and _PIXELS[0] <= value <= _PIXELS[1]):
        raise ValueError(f"{name} = {value!r}, expected an integer in {list(_PIXELS)}")
