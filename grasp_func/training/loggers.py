"""Logs the epochs of a run to other programs: TensorBoard, Weights & Biases, or your own.

    log = EpochLog(cfg, [TensorBoard("log", cfg, "FlatPJCube-v0")])
    for result in grasp_func.train(cfg, "envs:FlatPJCube-v0", on_epoch=log): ...

An `EpochLog` is a callback of `on_epoch`, for the first process only. Its loggers get a row of
statistics, see `metrics.row_of`.
"""

import hashlib
import io
import json
import os
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import Any, Protocol

import gymnasium
import numpy as np

from grasp_func.config.load import Config
from grasp_func.core.types import Array
from grasp_func.errors import UserError
from grasp_func.storage.stats_log import Row
from grasp_func.training.evaluation import greedy_policy
from grasp_func.training.goal_env import GymGoalEnv
from grasp_func.training.loop import EpochResult
from grasp_func.training.metrics import row_of
from grasp_func.training.rollout import play_episode
from grasp_func.training.setup import Run

FILMED_SEEDS = (1, 8)  # a goal on the table and one in the air, in 25 of our 27 environments
FRAME_STEPS, FRAME_MS = 2, 80  # environment steps a frame, and the time that it is shown
# Name of a scalar -> column of a row.
SCALARS = {
    "success/all": "success",
    "success/table": "success_table",
    "success/air": "success_air",
    "interval/all_low": "success_low",
    "interval/all_high": "success_high",
    "interval/table_low": "success_table_low",
    "interval/table_high": "success_table_high",
    "interval/air_low": "success_air_low",
    "interval/air_high": "success_air_high",
    "loss/actor": "actor_loss",
    "loss/critic": "critic_loss",
    "value/q_mean": "q_mean",
    "schedule/actor_lr": "actor_lr",
    "schedule/critic_lr": "critic_lr",
    "schedule/angle_tolerance": "angle_tolerance",
    "progress/epoch": "epoch",
    "progress/updates": "updates",
    "time/total": "seconds",
    "time/rollouts": "seconds_rollouts",
    "time/updates": "seconds_updates",
    "time/evaluation": "seconds_evaluation",
    "time/saving": "seconds_saving",
}


class Logger(Protocol):
    """Writes the epochs of a run somewhere."""

    def log(self, row: Row, film: bytes | None) -> None:
        """Writes a row of statistics, and a film (GIF) where there is one."""

    def close(self) -> None:
        """Completes what was written."""


class EpochLog:
    """Gives each epoch's row, and now and then a film, to loggers."""

    def __init__(self, cfg: Config, loggers: Sequence[Logger], film: "Film | None" = None) -> None:
        """Logs nothing yet."""
        self._cfg, self._loggers, self._film = cfg, loggers, film

    def __call__(self, result: EpochResult) -> None:
        """Logs an epoch."""
        row = row_of(self._cfg, result)
        film = self._film(result) if self._film is not None else None
        for logger in self._loggers:
            logger.log(row, film)

    def close(self) -> None:
        """Completes all logs."""
        for logger in self._loggers:
            logger.close()


class Film:
    """Films greedy episodes after every so many epochs.

    Args:
        run: whose agents are filmed.
        env: of its own, with render_mode "rgb_array".
        every: number of epochs from one film to the next; the first epoch is filmed, too.
    """

    def __init__(self, run: Run, env: gymnasium.Env[Any, Any], every: int) -> None:
        """Checks the environment."""
        self._run, self._env, self._every = run, env, every
        self._goal_env = GymGoalEnv(env)

    def __call__(self, result: EpochResult) -> bytes | None:
        """Returns a GIF of the episodes side by side; None: the epoch is not filmed."""
        if result.schedule.epoch % self._every and result.schedule.epoch != 1:
            return None
        episodes = [self._play(result, seed) for seed in FILMED_SEEDS]
        return _gif(np.concatenate(episodes, axis=2))

    def _play(self, result: EpochResult, seed: int) -> Array:
        """Returns frames uint8 [T, H, W, 3] of an episode."""
        frames: list[Any] = []

        def film(action: Array, t: int) -> Array:
            if t % FRAME_STEPS == 0:
                frames.append(self._env.render())
            return action

        play_episode(self._goal_env, greedy_policy(self._run, result.state), seed, film)
        frames.append(self._env.render())
        return np.stack(frames)


class TensorBoard:
    """Writes event files for TensorBoard; the horizontal axis is environment steps.

    Args:
        folder: of the event files.
        cfg: settings of the run, which become hyper-parameters.
        env_id: the environment.
        resumed_at: environment steps of a run that is resumed; what the log has after them is
            hidden. None: a run that begins.

    Raises:
        UserError: TensorBoard is not installed.
    """

    def __init__(
        self, folder: str | Path, cfg: Config, env_id: str, resumed_at: int | None = None
    ) -> None:
        """Opens an event file and writes the hyper-parameters."""
        board = _package("torch.utils.tensorboard", "tensorboard")
        purge = None if resumed_at is None else resumed_at + 1
        self._writer = board.SummaryWriter(str(folder), purge_step=purge)
        # The value 0 only announces the metric; it is that of the scalar.
        for summary in board.summary.hparams(_flat(cfg, env_id), {"success/all": 0}):
            self._writer.file_writer.add_summary(summary)
        margins = {
            name: ["Margin", [f"success/{name}", f"interval/{name}_low", f"interval/{name}_high"]]
            for name in ("all", "table", "air")
        }
        self._writer.add_custom_scalars({"success with 95% intervals": margins})

    def log(self, row: Row, film: bytes | None) -> None:
        """Writes scalars and a film."""
        step = row["env_steps"]
        for name, value in scalars(row).items():
            self._writer.add_scalar(name, value, step)
        if film is not None:
            proto = import_module("tensorboard.compat.proto.summary_pb2").Summary
            width, height = np.frombuffer(film[6:10], "<u2")
            image = proto.Image(height=height, width=width, colorspace=3, encoded_image_string=film)
            value = proto.Value(tag="film/greedy", image=image)
            self._writer.file_writer.add_summary(proto(value=[value]), step)
        self._writer.flush()

    def close(self) -> None:
        """Closes the event file."""
        self._writer.close()


class WeightsAndBiases:
    """Logs to Weights & Biases, in the project grasp_func; WANDB_* variables change that.

    Args:
        folder: of this run alone; wandb's files are written to its folder `wandb`. Together with
            the host it defines the run's id, so a run that is resumed continues its log.
        cfg: settings of the run.
        env_id: the environment.

    Raises:
        UserError: wandb is not installed, or cannot log in.
    """

    def __init__(self, folder: str | Path, cfg: Config, env_id: str) -> None:
        """Opens the run."""
        self._wandb = _package("wandb", "wandb")
        place = f"{os.uname().nodename}:{Path(folder).resolve()}"
        try:
            # Otherwise it would ask for a key, also where nobody answers.
            online = self._wandb.setup().settings.mode == "online"
            if online and not self._wandb.login(prompt=False):
                raise self._wandb.errors.UsageError("there is no API key")
            self._run = self._wandb.init(
                project=os.environ.get("WANDB_PROJECT", "grasp_func"),
                dir=str(folder),
                id=hashlib.sha256(place.encode()).hexdigest()[:16],
                name=f"{env_id} {Path(folder).name}",
                config=_flat(cfg, env_id),
                resume="allow",
                settings=self._wandb.Settings(console="off", quiet=True),
            )
        except self._wandb.errors.Error as error:
            reason = " ".join(str(error).split())
            raise UserError(
                f"--log wandb: {reason}; log in with `wandb login`, or set WANDB_MODE=offline"
            ) from error
        self._run.define_metric("*", step_metric="env_steps")

    def log(self, row: Row, film: bytes | None) -> None:
        """Logs scalars and a film."""
        content: dict[str, Any] = {"env_steps": row["env_steps"], **scalars(row)}
        if film is not None:
            content["film/greedy"] = self._wandb.Video(io.BytesIO(film), format="gif")
        self._run.log(content)

    def close(self) -> None:
        """Waits until all is sent or written."""
        self._run.finish()


def scalars(row: Row) -> dict[str, float]:
    """Returns the numbers of a row by the names under which they are logged."""
    found = {name: row[column] for name, column in SCALARS.items()}
    confirmed = row["confirmation"] or row["best"]
    if confirmed:
        found["success/confirmed"] = confirmed["success"]
    return {name: value for name, value in found.items() if value is not None}


def _flat(cfg: Config, env_id: str) -> dict[str, Any]:
    """Returns settings as numbers and texts."""
    settings = {"env": env_id, **cfg.model_dump(mode="json")}
    plain = bool | int | float | str
    return {k: v if isinstance(v, plain) else json.dumps(v) for k, v in settings.items()}


def _gif(frames: Array) -> bytes:
    """Encodes frames uint8 [T, H, W, 3] that repeat."""
    from PIL import Image

    first, *rest = (Image.fromarray(frame) for frame in frames)
    buffer = io.BytesIO()
    first.save(
        buffer, "GIF", save_all=True, append_images=rest, duration=FRAME_MS, loop=0, optimize=False
    )
    return buffer.getvalue()


def _package(module: str, extra: str) -> Any:
    try:
        return import_module(module)
    except ImportError as error:
        raise UserError(
            f'--log {extra}: {error}; install it with pip install "grasp_func[{extra}]"'
        ) from error
