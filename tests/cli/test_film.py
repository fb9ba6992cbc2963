"""Films: which episodes are in them, and what they cannot be."""

import sys
from pathlib import Path

import gymnasium
import numpy as np
import pytest

from grasp_func.cli.film import Filmed


class Counter(gymnasium.Env):
    """Shows the number of pictures it was asked for, as a grey."""

    metadata = {"render_fps": 25}  # noqa: RUF012
    observation_space = action_space = gymnasium.spaces.Box(-1, 1, (1,))

    def __init__(self, shape=(48, 64, 3)):
        self.shape, self.pictures = shape, 0

    def reset(self, *, seed=None, options=None):
        return np.zeros(1, np.float32), {}

    def step(self, action):
        return np.zeros(1, np.float32), 0.0, False, False, {}

    def render(self):
        self.pictures += 1
        return np.full(self.shape, 20 * self.pictures, np.uint8)


def play(env, episodes, steps=3):
    for _ in range(episodes):
        env.reset()
        for _ in range(steps):
            env.step(None)


@pytest.mark.parametrize("suffix", [".mp4", ".gif"])
@pytest.mark.parametrize("episodes", [1, 2, 4])
def test_a_film_holds_the_first_episodes_whole(suffix, episodes, tmp_path):
    iio = pytest.importorskip("imageio.v3")
    path, counter = tmp_path / f"film{suffix}", Counter()
    env = Filmed(counter, path, n_episodes=2)
    play(env, episodes)
    env.close()
    frames = iio.imread(path)
    n = 4 * min(episodes, 2)  # each with the picture of its start
    assert frames.shape == (n, 48, 64, 3) and counter.pictures == n
    np.testing.assert_allclose(frames.mean(axis=(1, 2, 3)), 20.0 * np.arange(1, n + 1), atol=5)
    assert [entry.name for entry in tmp_path.iterdir()] == [path.name]


def test_a_film_is_complete_when_the_episode_after_its_last_begins(tmp_path):
    pytest.importorskip("imageio")
    env = Filmed(Counter(), tmp_path / "film.mp4", n_episodes=1)
    play(env, 1)
    assert not (tmp_path / "film.mp4").exists()
    env.reset()
    assert (tmp_path / "film.mp4").exists()


@pytest.mark.parametrize(
    ("name", "words"),
    [("film.avi", "film.avi: films are written to .mp4"), ("no/film.mp4", "cannot be written")],
)
def test_bad_paths_are_refused_before_the_first_episode(name, words, tmp_path, monkeypatch):
    pytest.importorskip("imageio")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ValueError, match=words):
        Filmed(Counter(), Path(name), n_episodes=1)
    assert not list(tmp_path.iterdir())


def test_a_missing_library_is_named(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "imageio_ffmpeg", None)
    with pytest.raises(ValueError, match=r'imageio.*pip install -e "\.\[video\]"'):
        Filmed(Counter(), tmp_path / "film.mp4", n_episodes=1)
