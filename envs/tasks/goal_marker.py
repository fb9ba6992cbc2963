"""Displays the goal of an episode, the region to avoid, and the path of the object."""

import math
from collections.abc import Sequence
from dataclasses import replace

from ..objects.spec import ObjectSpec, outer_radius
from ..sim.colours import GOAL, OBJECT, OBSTACLE, REACHED
from ..sim.rotations import Vector
from ..sim.simulation import Simulation
from ..sim.surfaces import Ball, Hull
from ..sim.types import Colour
from .goals import Task

# Opacity of the far and the near side of a ball; that of a copy of the object is also _FAR.
_FAR, _NEAR = 0.75, 0.25
# A copy is larger than the object, so that it is seen around it.
_ENLARGED = 1.06
# Radius and distance (m) of the balls that show the object's path.
_DOT, _DOT_DISTANCE = 0.0035, 0.01
# Below the floor.
_HIDDEN: Vector = (0.0, 0.0, -10.0)


def _ball(radius: float, colour: Colour) -> Hull:
    return Hull((Ball(0.0, 0.0, 0.0, radius),), colour)


def _translucent_ball(radius: float, colour: Colour) -> tuple[Hull, Hull]:
    """Returns far and near side of a ball."""
    far, near = (_ball(radius, (*colour[:3], opacity)) for opacity in (_FAR, _NEAR))
    return replace(far, inverted=True), near


class GoalMarker:
    """The visual shapes of a goal; there are none in a world without visual shapes.

    A goal without a rotation is a ball, in which the object's centre must be. A goal with a
    rotation is a copy of the object. Both are translucent and change colour when achieved.

    Args:
        sim: the world.
        task: the task whose goals are displayed.
        traces: whether the object's path is displayed, too.
    """

    def __init__(self, sim: Simulation, task: Task, traces: bool) -> None:
        """Adds the shapes that do not depend on the object."""
        self._sim, self._task = sim, task
        self._trace = Trace(sim) if traces and sim.visuals else None
        self._rotates = task.angle_tolerance is not None
        self._achieved = False
        # Name and size of the object that `_goal` is a copy of.
        self._copied = ("", 0.0)
        self._goal: tuple[int, ...] = ()
        if not self._rotates:
            self._goal = sim.add_marker(_translucent_ball(task.tolerance, GOAL))
        region = _translucent_ball(task.forbidden, OBSTACLE) if task.forbidden else ()
        self._region = sim.add_marker(region)

    def show(self, goal: Sequence[float], spec: ObjectSpec, size: float, position: Vector) -> None:
        """Moves the shapes to the goal of a new episode.

        Args:
            goal: the goal.
            spec: the object.
            size: factor on its size.
            position: of the object (world, m).
        """
        if not self._sim.visuals:
            return
        if self._rotates and self._copied != (spec.name, size):
            for body in self._goal:
                self._sim.remove_body(body)
            look = [
                replace(s, colour=(*s.colour[:3], _FAR)) for s in spec.look_at(_ENLARGED * size)
            ]
            self._goal, self._copied = self._sim.add_marker(look), (spec.name, size)
        x, y, z = goal[:3]
        self._sim.move_marker(self._goal, (x, y, z), self._task.goal_rotation(goal))
        # The near side would tint an object that lies within the ball.
        if not self._rotates and outer_radius(spec.shape.scaled(size)) < self._task.tolerance:
            self._sim.move_marker(self._goal[1:], _HIDDEN)
        if self._region:
            x, y, z = goal[3:6]
            self._sim.move_marker(self._region, (x, y, z))
        self._achieved = False
        self._paint(GOAL)
        if self._trace is not None:
            self._trace.begin(position)

    def update(self, achieved: bool, position: Vector) -> None:
        """Shows whether the goal is achieved, and where the object (world, m) has come to."""
        if achieved != self._achieved:
            self._paint(REACHED if achieved else GOAL)
        self._achieved = achieved
        if self._trace is not None:
            self._trace.extend(position)

    def _paint(self, colour: Colour) -> None:
        # Only the first surface of a copy is no mark.
        self._sim.paint_marker(self._goal[:1] if self._rotates else self._goal, colour)


class Trace:
    """The path of an object, shown as dots.

    Args:
        sim: the world.
    """

    def __init__(self, sim: Simulation) -> None:
        """Starts without a path."""
        self._sim = sim
        self._dots: list[tuple[int, ...]] = []
        self._used = 0
        self._end = _HIDDEN

    def begin(self, position: Vector) -> None:
        """Clears the path and begins another one."""
        for dot in self._dots[: self._used]:
            self._sim.move_marker(dot, _HIDDEN)
        self._used, self._end = 0, position

    def extend(self, position: Vector) -> None:
        """Extends the path to a position."""
        while (distance := math.dist(self._end, position)) >= _DOT_DISTANCE:
            share = _DOT_DISTANCE / distance
            x, y, z = (a + share * (b - a) for a, b in zip(self._end, position, strict=True))
            self._end = x, y, z
            if self._used == len(self._dots):
                self._dots.append(self._sim.add_marker([_ball(_DOT, OBJECT)]))
            self._sim.move_marker(self._dots[self._used], self._end)
            self._used += 1
