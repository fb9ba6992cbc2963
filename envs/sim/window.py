"""A window onto a world: the world copied into PyBullet's viewer, in a process of its own.

Of its own, because the viewer ends the process it lives in when it is closed or finds no screen,
opens once in a process, and slows every call of the physics to its frame rate. Lengths in m, time
in s.
"""

import contextlib
import functools
import os
import pickle
import subprocess
import sys
import time
import weakref
from collections.abc import Callable
from typing import Any

from . import rendering
from .simulation import Simulation
from .types import Camera, Pose, Stepping

READY = b"."  # the viewer's answer when it opened, and to each frame


class WindowClosed(RuntimeError):
    """Somebody closed the window."""


class _Viewer:
    """The viewer's process (envs.sim.viewer)."""

    def __init__(self) -> None:
        paths = os.pathsep.join(path or os.getcwd() for path in sys.path)
        self._process = subprocess.Popen(
            [sys.executable, "-m", f"{__package__}.viewer"],
            env={**os.environ, "PYTHONPATH": paths},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        self.close = weakref.finalize(self, _end, self._process)

    def call(self, method: str, *arguments: Any) -> None:
        """Calls a method of envs.sim.viewer.Copy, without waiting for it."""
        assert self._process.stdin is not None
        try:
            pickle.dump((method, arguments), self._process.stdin)
            self._process.stdin.flush()
        except OSError as error:
            raise WindowClosed("the window was closed") from error

    def wait(self) -> None:
        """Waits until the viewer answers."""
        assert self._process.stdout is not None
        if self._process.stdout.read(1) != READY:
            raise WindowClosed("the window was closed")


def _end(process: subprocess.Popen[bytes]) -> None:
    process.kill()
    for stream in (process.stdin, process.stdout):
        assert stream is not None
        with contextlib.suppress(OSError):  # unsent rests
            stream.close()
    process.wait()


def _copied(method: Callable[..., Any]) -> Callable[..., Any]:
    """The method, called in the viewer's world too."""

    @functools.wraps(method)
    def both(self: "ShownSimulation", *arguments: Any) -> Any:
        self.viewer.call(method.__name__, *arguments)
        return method(self, *arguments)

    return both


class ShownSimulation(Simulation):
    """A world that a window shows.

    Args:
        stepping: integration settings.
        camera: the first view; the mouse changes it.

    Raises:
        ValueError: no window can be opened.
    """

    def __init__(self, stepping: Stepping, camera: Camera) -> None:
        """Opens the window."""
        super().__init__(stepping, "software")
        self.viewer = _Viewer()
        self._poses: dict[int, Pose] = {}
        self._due = 0.0
        try:
            self.viewer.call("aim", camera)
            self.viewer.wait()
        except WindowClosed:
            self.close()
            raise ValueError(
                "render_mode = 'human', expected None or 'rgb_array' here: no window opens on the "
                f"screen DISPLAY = {os.environ.get('DISPLAY')!r}"
            ) from None

    add_urdf = _copied(Simulation.add_urdf)
    add_body = _copied(Simulation.add_body)
    add_marker = _copied(Simulation.add_marker)
    remove_body = _copied(Simulation.remove_body)

    def close(self) -> None:
        """Closes the window and frees the world; a second call does nothing."""
        self.viewer.close()
        super().close()

    def show(self) -> None:
        """Shows the world as it is, not earlier than a control step after the frame before.

        Raises:
            WindowClosed: somebody closed the window.
        """
        poses = rendering.poses(self._client)
        moved = {body: pose for body, pose in poses.items() if pose != self._poses.get(body)}
        self._poses = poses
        now = time.monotonic()
        time.sleep(max(0.0, self._due - now))
        self._due = max(self._due, now) + self.control_period
        self.viewer.call("put", moved)
        self.viewer.wait()


def make_simulation(
    stepping: Stepping, renderer: str | None, window: Camera | None = None
) -> Simulation:
    """A world, with a window if its first view is given."""
    return ShownSimulation(stepping, window) if window else Simulation(stepping, renderer)
