"""The program behind a window (envs.sim.window): does in PyBullet's viewer what it is told to.

Reads pickled calls from standard input, which only the program that started it writes to.
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


class Copy(Simulation):
    """A world that is never stepped: bodies are added, removed, and put where they shall be."""

    def __init__(self) -> None:
        """Opens the window."""
        self._answers = os.dup(STDOUT)
        silence(STDOUT, STDERR)  # PyBullet's viewer says much
        super().__init__(Stepping(substeps=1, time_step=0.04, iterations=1, erp=0.1), "window")
        self._drawn = False

    def aim(self, camera: Camera) -> None:
        """Sets the view, which is drawn from the first `put` on."""
        rendering.aim(self._client, camera)
        rendering.draw(self._client, False)
        os.write(self._answers, READY)

    def put(self, poses: dict[int, Pose]) -> None:
        """Puts bodies somewhere."""
        rendering.put(self._client, poses)
        if not self._drawn:
            rendering.draw(self._client, True)
            self._drawn = True
        os.write(self._answers, READY)


def main() -> None:
    """Obeys until there is nobody to obey, or the window is closed."""
    world = Copy()
    with contextlib.suppress(EOFError):
        while True:
            method, arguments = pickle.load(sys.stdin.buffer)
            getattr(world, method)(*arguments)


if __name__ == "__main__":
    main()
