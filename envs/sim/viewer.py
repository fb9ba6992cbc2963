"""The program that runs PyBullet's viewer in a process of its own (see window.py).

It executes pickled method calls from its standard input, which only its parent process writes to.
"""

import contextlib
import os
import pickle
import sys

from . import rendering
from .bullet import STDERR, STDOUT, silence
from .simulation import Simulation
from .types import Camera, Pose, Stepping
from .window import READY


class ViewerWorld(Simulation):
    """A copy of the parent's world in the viewer; its bodies are moved, but never simulated."""

    def __init__(self) -> None:
        """Opens the window."""
        self._answers = os.dup(STDOUT)
        # The viewer prints a lot.
        silence(STDOUT, STDERR)
        super().__init__(Stepping(substeps=1, time_step=0.04, iterations=1, erp=0.1), "window")
        self._drawing = False

    def set_view(self, camera: Camera) -> None:
        """Sets the view and leaves drawing off until the first call of `set_poses`."""
        rendering.set_view(self._client, camera)
        rendering.enable_drawing(self._client, False)
        os.write(self._answers, READY)

    def set_poses(self, poses: dict[int, Pose]) -> None:
        """Moves bodies to the given poses and draws them."""
        rendering.set_poses(self._client, poses)
        if not self._drawing:
            rendering.enable_drawing(self._client, True)
            self._drawing = True
        os.write(self._answers, READY)


def main() -> None:
    """Executes calls until the parent closes the pipe or the user closes the window."""
    world = ViewerWorld()
    with contextlib.suppress(EOFError):
        while True:
            method, arguments = pickle.load(sys.stdin.buffer)
            getattr(world, method)(*arguments)


if __name__ == "__main__":
    main()
