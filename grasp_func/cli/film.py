"""Films episodes: every frame of the first ones, in one file.

Each picture names its episode, and is framed while the object is at its goal. The file appears when
it is complete. Needs imageio, which brings its own encoder, and Pillow, which imageio needs.
"""

import contextlib
import importlib
from pathlib import Path
from typing import Any, SupportsFloat

import gymnasium
import numpy as np

from grasp_func.errors import UserError
from grasp_func.training.goal_env import object_name

# of an environment that does not declare its own; also the default of Gymnasium's RecordVideo
DEFAULT_FPS = 30
FORMATS: dict[str, dict[str, Any]] = {
    # the encoder's usual blocks of 16 pixels would change the size of frames
    ".mp4": {"codec": "libx264", "macro_block_size": 2},
    ".gif": {"loop": 0},
    ".webp": {"loop": 0, "quality": 75, "method": 4},
}
# That of a goal that is achieved, in our environments.
SUCCESS_COLOUR = (0, 158, 115)
# Of the caption and the frame, as shares of the picture's height.
TEXT_SIZE, FRAME_WIDTH = 0.05, 0.015


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
        self._path, self._n_episodes, self._n_begun = path, n_episodes, 0
        self._episode_begins, self._info = False, dict[str, Any]()
        self._unfinished = path.with_name(f".{path.stem}.unfinished{path.suffix}")
        fps = env.metadata.get("render_fps", DEFAULT_FPS)
        self._film = _open_film(path, self._unfinished, fps)

    def reset(self, **arguments: Any) -> tuple[Any, dict[str, Any]]:
        """Begins an episode."""
        self._episode_begins = True
        observation, self._info = self.env.reset(**arguments)
        return observation, self._info

    def step(self, action: np.ndarray) -> tuple[Any, SupportsFloat, bool, bool, dict[str, Any]]:
        """Takes an action; completes the film in the first episode that is not part of it."""
        if self._episode_begins:
            self._episode_begins = False
            if self._n_begun == self._n_episodes:
                self.finish()
            self._n_begun += 1
            self._append_frame()
        after = self.env.step(action)
        self._info = after[-1]
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
            air, success = self._info.get("air_goal"), bool(self._info.get("is_success", False))
            goal = None if air is None else "air goal" if air else "table goal"
            words = (f"episode {self._n_begun - 1}", object_name(self.env), goal)
            text = ", ".join([*filter(None, words), *["success"] * success])
            self._film.append_data(captioned(self.env.render(), text, success))


def captioned(picture: Any, text: str, success: bool) -> np.ndarray:
    """Returns a picture [height, width, 3] with a line of text, in a coloured frame on success."""
    from PIL import Image, ImageDraw, ImageFont

    image = Image.fromarray(picture)
    draw, width, height = ImageDraw.Draw(image), *image.size
    size, frame = max(8.0, TEXT_SIZE * height), max(1, round(FRAME_WIDTH * height))
    font = ImageFont.load_default(size)
    draw.text((size, size / 2), text, "white", font, stroke_width=frame // 3, stroke_fill="black")
    if success:
        draw.rectangle((0, 0, width - 1, height - 1), outline=SUCCESS_COLOUR, width=frame)
    return np.asarray(image)


def _open_film(path: Path, unfinished: Path, fps: int) -> Any:
    if path.suffix not in FORMATS:
        raise UserError(f"{path}: films are written to {' or '.join(FORMATS)} files")
    try:
        imageio = importlib.import_module("imageio.v2")
        importlib.import_module("imageio_ffmpeg")
    except ImportError as error:
        raise UserError(f'{error}: films need it, pip install "grasp_func[video]"') from error
    try:
        unfinished.touch()
    except OSError as error:
        raise UserError(f"{path}: cannot be written ({error.strerror})") from error
    with contextlib.suppress(OSError):
        unfinished.unlink()
    speed = {"fps": fps} if path.suffix == ".mp4" else {"duration": 1000.0 / fps}
    return imageio.get_writer(unfinished, **speed, **FORMATS[path.suffix])
