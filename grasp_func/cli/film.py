"""Films episodes: every frame of the first ones, in one file.

The file appears when it is complete. Needs imageio, which brings its own encoder.
"""

import contextlib
import importlib
from pathlib import Path
from typing import Any, SupportsFloat

import gymnasium
import numpy as np

from grasp_func.errors import UserError

# of an environment that does not declare its own; also the default of Gymnasium's RecordVideo
DEFAULT_FPS = 30
FORMATS: dict[str, dict[str, Any]] = {
    # the encoder's usual blocks of 16 pixels would change the size of frames
    ".mp4": {"codec": "libx264", "macro_block_size": 2},
    ".gif": {"loop": 0},
    ".webp": {"loop": 0, "quality": 75, "method": 4},
}


class Filmed(gymnasium.Wrapper[Any, Any, Any, Any]):
    """Films the first episodes of an environment, from reset to last step.

    A reset without a step after it is not filmed.

    Args:
        env: with render_mode "rgb_array".
        path: of the film; its suffix, one of FORMATS, is its format.
        n_episodes: number of episodes to film.

    Raises:
        UserError: another suffix, no imageio, or a path that cannot be written.
    """

    def __init__(self, env: gymnasium.Env[Any, Any], path: Path, n_episodes: int) -> None:
        """Opens the file."""
        super().__init__(env)
        self._path, self._episodes_left = path, n_episodes
        self._episode_begins = False
        self._unfinished = path.with_name(f".{path.stem}.unfinished{path.suffix}")
        fps = env.metadata.get("render_fps", DEFAULT_FPS)
        self._film = _open_film(path, self._unfinished, fps)

    def reset(self, **arguments: Any) -> tuple[Any, dict[str, Any]]:
        """Begins an episode."""
        self._episode_begins = True
        return self.env.reset(**arguments)

    def step(self, action: np.ndarray) -> tuple[Any, SupportsFloat, bool, bool, dict[str, Any]]:
        """Takes an action; completes the film in the first episode that is not part of it."""
        if self._episode_begins:
            self._episode_begins = False
            if self._episodes_left == 0:
                self.finish()
            self._episodes_left -= 1
            self._append_frame()
        after = self.env.step(action)
        self._append_frame()
        return after

    def finish(self) -> None:
        """Completes the film; does nothing without a frame or when called again."""
        if self._film is not None:
            self._film.close()
            self._film = None
            # The writer creates the file with its first frame.
            if self._unfinished.exists():
                self._unfinished.replace(self._path)

    def close(self) -> None:
        """Completes the film and closes the environment."""
        self.finish()
        super().close()

    def _append_frame(self) -> None:
        if self._film is not None:
            self._film.append_data(self.env.render())


def _open_film(path: Path, unfinished: Path, fps: int) -> Any:
    if path.suffix not in FORMATS:
        raise UserError(f"{path}: films are written to {' or '.join(FORMATS)} files")
    try:
        imageio = importlib.import_module("imageio.v2")
        importlib.import_module("imageio_ffmpeg")
    except ImportError as error:
        raise UserError(f'{error}: films need it, pip install -e ".[video]"') from error
    try:
        unfinished.touch()
    except OSError as error:
        raise UserError(f"{path}: cannot be written ({error.strerror})") from error
    with contextlib.suppress(OSError):
        unfinished.unlink()
    speed = {"fps": fps} if path.suffix == ".mp4" else {"duration": 1000.0 / fps}
    return imageio.get_writer(unfinished, **speed, **FORMATS[path.suffix])
