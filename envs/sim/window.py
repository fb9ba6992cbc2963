"""Shows a world in PyBullet's viewer, which runs in a process of its own (viewer.py).

A separate process is needed because the viewer terminates its process when it is closed or finds no
display, opens only once per process, and slows every physics call to its frame rate. Lengths in m,
time in s.
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

# The viewer's answer once it is open, and after each frame.
READY = b"."


class WindowClosed(RuntimeError):
    """The user closed the window."""


def has_display() -> bool:
    """Whether a window may open: on Linux, whether the environment variable DISPLAY is set."""
    return sys.platform != "linux" or bool(os.environ.get("DISPLAY"))


class _Viewer:
    """The viewer's process."""

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
        """Calls a method of viewer.ViewerWorld without waiting for it."""
        assert self._process.stdin is not None
        try:
            pickle.dump((method, arguments), self._process.stdin)
            self._process.stdin.flush()
        except OSError as error:
            raise WindowClosed("the window was closed") from error

    def wait(self) -> None:
        """Waits for the viewer's answer."""
        assert self._process.stdout is not None
        if self._process.stdout.read(1) != READY:
            raise WindowClosed("the window was closed")


def _end(process: subprocess.Popen[bytes]) -> None:
    process.kill()
    for stream in (process.stdin, process.stdout):
        assert stream is not None
        # Closing flushes unsent data, which fails because the process is gone.
        with contextlib.suppress(OSError):
            stream.close()
    process.wait()


def _mirrored(method: Callable[..., Any]) -> Callable[..., Any]:
    """Wraps a method so that it is called in the viewer's world as well."""

    @functools.wraps(method)
    def call_both(self: "ShownSimulation", *arguments: Any) -> Any:
        self.viewer.call(method.__name__, *arguments)
        return method(self, *arguments)

    return call_both


class ShownSimulation(Simulation):
    """A world that is shown in a window.

    Args:
        stepping: integration settings.
        camera: the initial view; the user can change it with the mouse.

    Raises:
        ValueError: no window can be opened.
    """

    def __init__(self, stepping: Stepping, camera: Camera) -> None:
        """Opens the window."""
        super().__init__(stepping, "software")
        self.viewer = _Viewer()
        self._poses: dict[int, Pose] = {}
        self._next_frame = 0.0
        try:
            self.viewer.call("set_view", camera)
            self.viewer.wait()
        except WindowClosed:
            self.close()
            raise ValueError(
                "render_mode = 'human', expected None or 'rgb_array' here: no window opens on "
                f"DISPLAY = {os.environ.get('DISPLAY')!r}"
            ) from None

    add_urdf = _mirrored(Simulation.add_urdf)
    add_body = _mirrored(Simulation.add_body)
    add_marker = _mirrored(Simulation.add_marker)
    paint_marker = _mirrored(Simulation.paint_marker)
    remove_body = _mirrored(Simulation.remove_body)

    def close(self) -> None:
        """Closes the window and frees the world; further calls do nothing."""
        self.viewer.close()
        super().close()

    def show(self) -> None:
        """Draws the present state, at most once per control step of real time.

        Raises:
            WindowClosed: the user closed the window.
        """
        poses = rendering.get_poses(self._client)
        moved = {body: pose for body, pose in poses.items() if pose != self._poses.get(body)}
        self._poses = poses
        now = time.monotonic()
        time.sleep(max(0.0, self._next_frame - now))
        self._next_frame = max(self._next_frame, now) + self.control_period
        self.viewer.call("set_poses", moved)
        self.viewer.wait()


def make_simulation(
    stepping: Stepping, renderer: str | None, window: Camera | None = None
) -> Simulation:
    """Makes a world, shown in a window if `window` gives the initial view."""
    return ShownSimulation(stepping, window) if window else Simulation(stepping, renderer)
