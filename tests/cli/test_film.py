"""Films: the episodes that they hold, and the paths that are refused."""

import sys
from pathlib import Path
from types import SimpleNamespace

import gymnasium
import numpy as np
import pytest

from grasp_func.cli import film
from grasp_func.cli.film import FORMATS, SUCCESS_COLOUR, Filmed, captioned
from grasp_func.errors import UserError


class Counter(gymnasium.Env):
    """Renders the number of frames so far as a shade of grey."""

    metadata = {"render_fps": 25}  # noqa: RUF012
    observation_space = action_space = gymnasium.spaces.Box(-1, 1, (1,))

    def __init__(self, shape=(48, 64, 3)):
        self.shape, self.frames = shape, 0

    def reset(self, *, seed=None, options=None):
        return np.zeros(1, np.float32), {}

    def step(self, action):
        return np.zeros(1, np.float32), 0.0, False, False, {}

    def render(self):
        self.frames += 1
        return np.full(self.shape, 20 * self.frames, np.uint8)


def play(env, episodes, steps=3):
    for _ in range(episodes):
        env.reset()
        for _ in range(steps):
            env.step(None)


@pytest.mark.parametrize("suffix", FORMATS)
@pytest.mark.parametrize("episodes", [1, 2, 4])
def test_a_film_holds_the_first_episodes_whole(suffix, episodes, tmp_path):
    iio = pytest.importorskip("imageio.v3")
    path, counter = tmp_path / f"film{suffix}", Counter()
    env = Filmed(counter, path, n_episodes=2)
    play(env, episodes)
    env.close()
    frames = iio.imread(path, index=None if suffix == ".mp4" else ...)[..., :3]
    n = 4 * min(episodes, 2)  # each with a frame of its start
    assert frames.shape == (n, 48, 64, 3) and counter.frames == n
    # below the caption
    shades = frames[:, 24:].mean(axis=(1, 2, 3))
    np.testing.assert_allclose(shades, 20.0 * np.arange(1, n + 1), atol=5)
    assert [entry.name for entry in tmp_path.iterdir()] == [path.name]


def test_a_film_is_complete_when_the_episode_after_its_last_begins(tmp_path):
    pytest.importorskip("imageio")
    env = Filmed(Counter(), tmp_path / "film.mp4", n_episodes=1)
    play(env, 1)
    env.reset()
    assert not (tmp_path / "film.mp4").exists()
    env.step(None)
    assert (tmp_path / "film.mp4").exists()


def test_a_reset_that_no_step_follows_is_not_filmed(tmp_path):
    pytest.importorskip("imageio")
    counter = Counter()
    env = Filmed(counter, tmp_path / "film.gif", n_episodes=1)
    env.reset()
    play(env, 1)
    env.close()
    assert counter.frames == 4


@pytest.mark.parametrize("suffix", FORMATS)
def test_an_environment_that_is_closed_before_its_first_step_leaves_no_film(suffix, tmp_path):
    pytest.importorskip("imageio")
    Filmed(Counter(), tmp_path / f"film{suffix}", n_episodes=1).close()
    assert not list(tmp_path.iterdir())


def test_an_environment_need_not_declare_its_frames_per_second(tmp_path, monkeypatch):
    pytest.importorskip("imageio")
    monkeypatch.setattr(Counter, "metadata", {})
    env = Filmed(Counter(), tmp_path / "film.gif", n_episodes=1)
    play(env, 1)
    env.close()
    assert (tmp_path / "film.gif").exists()


@pytest.mark.parametrize(
    ("name", "words"),
    [("film.avi", "film.avi: films are written to .mp4"), ("no/film.mp4", "cannot be written")],
)
def test_bad_paths_are_refused_before_the_first_episode(name, words, tmp_path, monkeypatch):
    pytest.importorskip("imageio")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UserError, match=words):
        Filmed(Counter(), Path(name), n_episodes=1)
    assert not list(tmp_path.iterdir())


def test_a_missing_library_is_named(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "imageio_ffmpeg", None)
    with pytest.raises(UserError, match=r'imageio.*pip install "grasp_func\[video\]"'):
        Filmed(Counter(), tmp_path / "film.mp4", n_episodes=1)


def test_a_caption_leaves_the_rest_of_the_picture_as_it_is():
    picture = np.full((120, 160, 3), 77, np.uint8)
    plain = captioned(picture, "episode 0", success=False)
    changed = (plain != picture).any(axis=2)
    assert changed.any() and not changed[40:].any()
    assert (captioned(picture, "", success=False) == picture).all()


def test_success_frames_the_picture():
    picture = np.full((120, 160, 3), 77, np.uint8)
    framed = captioned(picture, "", success=True)
    for edge in (framed[:2], framed[-2:], framed[:, :2], framed[:, -2:]):
        assert (edge == SUCCESS_COLOUR).all()
    assert (framed[2:-2, 2:-2] == 77).all()


def test_captions_name_episode_object_goal_and_success(tmp_path, monkeypatch):
    pytest.importorskip("imageio")
    captions = []
    monkeypatch.setattr(film, "captioned", lambda *seen: captions.append(seen[1:]) or seen[0])
    reset, step = Counter.reset, Counter.step
    monkeypatch.setattr(Counter, "reset", lambda self, **a: (reset(self)[0], {"air_goal": True}))
    monkeypatch.setattr(
        Counter, "step", lambda self, action: (*step(self, action)[:4], {"is_success": True})
    )
    env = Filmed(Counter(), tmp_path / "film.gif", n_episodes=2)
    play(env, 2, steps=1)
    monkeypatch.setattr(Counter, "object_info", lambda self: SimpleNamespace(name="Cube"), False)
    env.close()
    assert captions == [
        ("episode 0, air goal", False),
        ("episode 0, success", True),
        ("episode 1, air goal", False),
        ("episode 1, success", True),
    ]
    env = Filmed(Counter(), tmp_path / "film.gif", n_episodes=1)
    play(env, 1, steps=1)
    env.close()
    assert captions[4][0] == "episode 0, Cube, air goal"
