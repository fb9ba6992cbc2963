"""What is logged where: event files that TensorBoard reads, W&B without a network, films."""

import io

import gymnasium
import numpy as np
import pytest
from PIL import Image

from grasp_func.errors import UserError
from grasp_func.training import loggers
from grasp_func.training.loggers import (
    FILMED_SEEDS,
    EpochLog,
    Film,
    TensorBoard,
    WeightsAndBiases,
    scalars,
)
from grasp_func.training.loop import train
from grasp_func.training.metrics import row_of
from grasp_func.training.setup import initial_state
from helpers import POINT_REACH, make_run, run_training, tiny_config
from statistics_rows import make_row, success

accumulator = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")


def read(folder):
    """Returns what TensorBoard shows of a folder."""
    found = accumulator.EventAccumulator(str(folder), size_guidance={"images": 0, "scalars": 0})
    return found.Reload()


def points(found, tag):
    return [(event.step, event.value) for event in found.Scalars(tag)]


class Camera(gymnasium.Wrapper):
    """Gives pictures whose shade is the number of steps, and notes the seeds of its episodes."""

    def __init__(self, env):
        super().__init__(env)
        self.seeds, self.t = [], 0

    def reset(self, *, seed=None, options=None):
        self.seeds.append(seed)
        self.t = 0
        return self.env.reset(seed=seed, options=options)

    def step(self, action):
        self.t += 1
        return self.env.step(action)

    def render(self):
        return np.full((6, 8, 3), 20 * self.t, np.uint8)


def test_scalars_have_namespaces_and_no_gaps():
    named = scalars(make_row(3, success_air=None, confirmation=success(0.55)))
    assert named["success/all"] == 0.5 and named["success/confirmed"] == 0.55
    assert "success/air" not in named and "schedule/angle_tolerance" not in named
    assert named["loss/critic"] == 0.1 and named["time/updates"] == 4.0
    assert scalars(make_row(3, best=success(0.6)))["success/confirmed"] == 0.6


def test_every_scalar_is_in_a_row(eager):
    cfg = tiny_config(epochs=1)
    (result,) = run_training(cfg)
    assert set(loggers.SCALARS.values()) <= set(row_of(cfg, result))


def test_tensorboard_reads_scalars_and_settings(tmp_path):
    log = TensorBoard(tmp_path, tiny_config(gamma=0.5), "Env-v0")
    for epoch in (1, 2):
        log.log(make_row(epoch, success=epoch / 10), None)
    log.close()
    found = read(tmp_path)
    assert points(found, "success/all") == [
        (40_000, pytest.approx(0.1)),
        (80_000, pytest.approx(0.2)),
    ]
    assert set(scalars(make_row(1))) == set(found.Tags()["scalars"])
    settings = found.SummaryMetadata("_hparams_/session_start_info").plugin_data.content
    assert b"Env-v0" in settings and b"gamma" in settings and b"noise_process_params" in settings


def test_a_log_that_is_resumed_has_each_epoch_once(tmp_path):
    first = TensorBoard(tmp_path, tiny_config(), "Env-v0")
    for epoch in (1, 2, 3):
        first.log(make_row(epoch), None)
    first.close()
    again = TensorBoard(tmp_path, tiny_config(), "Env-v0", resumed_at=80_000)
    again.log(make_row(3, success=0.9), None)
    again.close()
    steps = points(read(tmp_path), "success/all")
    assert steps == [(40_000, 0.5), (80_000, 0.5), (120_000, pytest.approx(0.9))]


def test_films_show_the_same_episodes_and_change_nothing(eager, tmp_path):
    cfg = tiny_config(epochs=5)
    run, camera = make_run(cfg), Camera(gymnasium.make(POINT_REACH))
    log = EpochLog(cfg, [TensorBoard(tmp_path, cfg, POINT_REACH)], Film(run, camera, every=2))
    camera.seeds.clear()
    hashes = []
    for result in train(run, initial_state(run)):
        log(result)
        hashes.append(result.params_hash)
    log.close()
    assert hashes == [result.params_hash for result in run_training(cfg)]
    assert camera.seeds == list(FILMED_SEEDS) * 3
    films = read(tmp_path).Images("film/greedy")
    # steps of epochs 1, 2 and 4, with 10 steps each
    assert [film.step for film in films] == [10, 20, 40]
    assert (films[0].width, films[0].height) == (16, 6)
    film = Image.open(io.BytesIO(films[0].encoded_image_string))
    shades = []
    for number in range(film.n_frames):
        film.seek(number)
        shades.append(np.asarray(film.convert("RGB"))[0, 0, 0])
    assert shades == [0, 40, 80, 120, 160, 200]


@pytest.fixture
def wandb(tmp_path, monkeypatch):
    """Returns wandb without settings, keys and network."""
    module = pytest.importorskip("wandb")
    module.teardown()
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    monkeypatch.delenv("WANDB_API_KEY", raising=False)
    monkeypatch.setenv("WANDB_SILENT", "true")
    yield module
    module.teardown()


def test_weights_and_biases_continues_a_run(wandb, tmp_path, monkeypatch):
    monkeypatch.setenv("WANDB_MODE", "offline")
    folder = tmp_path / "run"
    folder.mkdir()
    for epoch in (1, 2):
        log = WeightsAndBiases(folder, tiny_config(), "Env-v0")
        log.log(make_row(epoch), None)
        log.close()
    wandb.teardown()  # completes the files
    files = list(folder.glob("wandb/offline-run-*/*.wandb"))
    assert len(files) == 2 and len({file.name for file in files}) == 1
    assert all(b"success/table" in file.read_bytes() for file in files)


def test_weights_and_biases_needs_a_key_and_never_asks(wandb, tmp_path, monkeypatch):
    monkeypatch.setenv("WANDB_MODE", "online")
    with pytest.raises(UserError, match="no API key; log in with `wandb login`, or set WANDB_MODE"):
        WeightsAndBiases(tmp_path, tiny_config(), "Env-v0")


@pytest.mark.parametrize("extra", ["tensorboard", "wandb"])
def test_a_missing_package_names_the_extra(extra, tmp_path, monkeypatch):
    def missing(name):
        raise ImportError(f"No module named {name!r}")

    monkeypatch.setattr(loggers, "import_module", missing)
    logger = TensorBoard if extra == "tensorboard" else WeightsAndBiases
    with pytest.raises(UserError, match=rf'--log {extra}: No module .*"grasp_func\[{extra}\]"'):
        logger(tmp_path, tiny_config(), "Env-v0")
