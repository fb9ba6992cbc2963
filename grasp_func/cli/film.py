"""A film of episodes: every picture of the first ones, in one file.

The file appears when it is complete. Needs imageio, which brings its own encoder.
"""

import contextlib
import importlib
from pathlib import Path
from typing import Any, SupportsFloat

import gymnasium
import numpy as np

FORMATS: dict[str, dict[str, Any]] = {
    ".mp4": {"codec": "libx264", "macro_block_size": 2},  # its blocks of 16 would change sizes
    ".gif": {"loop": 0},
}


class Filmed(gymnasium.Wrapper[Any, Any, Any, Any]):
    """An environment whose first episodes are filmed, from reset to last step.

    Args:
        env: with render_mode "rgb_array".
        path: of the film; its suffix, one of FORMATS, says how it is written.
        n_episodes: to film.

    Raises:
        ValueError: another suffix, no imageio, or a path that cannot be written.
    """

    def __init__(self, env: gymnasium.Env[Any, Any], path: Path, n_episodes: int) -> None:
        """Opens the file."""
        super().__init__(env)
        self._path, self._left = path, n_episodes
        self._unfinished = path.with_name(f".{path.stem}.unfinished{path.suffix}")
        self._film = _open_film(path, self._unfinished, env.metadata["render_fps"])

    def reset(self, **arguments: Any) -> tuple[Any, dict[str, Any]]:
        """Begins an episode, and completes the film where it is one too many."""
        begun = self.env.reset(**arguments)
        if self._left == 0:
            self.finish()
        self._left -= 1
        self._shoot()
        return begun

    def step(self, action: np.ndarray) -> tuple[Any, SupportsFloat, bool, bool, dict[str, Any]]:
        """Acts."""
        after = self.env.step(action)
        self._shoot()
        return after

    def finish(self) -> None:
        """Completes the film; a second call does nothing."""
        if self._film is not None:
            self._film.close()
            self._film = None
            self._unfinished.replace(self._path)

    def close(self) -> None:
        """Completes the film and closes the environment."""
        self.finish()
        super().close()

    def _shoot(self) -> None:
        if self._film is not None:
            self._film.append_data(self.env.render())


def _open_film(path: Path, unfinished: Path, fps: int) -> Any:
    if path.suffix not in FORMATS:
        raise ValueError(f"{path}: films are written to {' or '.join(FORMATS)} files")
    try:
        imageio = importlib.import_module("imageio.v2")
        importlib.import_module("imageio_ffmpeg")
    except ImportError as error:
        raise ValueError(f'{error}: films need it, pip install -e ".[video]"') from error
    try:
        unfinished.touch()
    except OSError as error:
        raise ValueError(f"{path}: cannot be written ({error.strerror})") from error
    with contextlib.suppress(OSError):
        unfinished.unlink()
    pace = {"duration": 1000.0 / fps} if path.suffix == ".gif" else {"fps": fps}
    return imageio.get_writer(unfinished, **pace, **FORMATS[path.suffix])
