"""The window of render_mode="human", on a virtual display if Xvfb is installed."""

import os
import shutil
import subprocess
import time

import gymnasium
import numpy as np
import pytest

import envs  # noqa: F401
from envs.sim.simulation import Simulation
from envs.sim.window import ShownSimulation, WindowClosed

ENV = "FlatBarrettCube-v0"


@pytest.fixture(scope="module")
def display():
    """The name of a virtual display."""
    program = shutil.which("Xvfb")
    if program is None:
        pytest.skip("no Xvfb on this machine")
    reader, writer = os.pipe()
    server = subprocess.Popen(
        [program, "-displayfd", str(writer), "-noreset", "-screen", "0", "1280x960x24"],
        pass_fds=[writer],
        stderr=subprocess.DEVNULL,
    )
    os.close(writer)
    with open(reader) as file:
        number = file.readline().strip()
    yield f":{number}"
    server.terminate()
    server.wait()


def windowed():
    return gymnasium.make(ENV, render_mode="human", object_size_range=(0.8, 1.2))


def test_a_missing_display_raises_an_error_and_does_not_end_the_process(monkeypatch):
    for missing in (None, ":987"):
        monkeypatch.delenv("DISPLAY", raising=False)
        if missing is not None:
            monkeypatch.setenv("DISPLAY", missing)
        with pytest.raises(ValueError, match=f"render_mode = 'human'.*DISPLAY = {missing!r}"):
            windowed()


def test_every_method_that_adds_or_removes_bodies_is_mirrored():
    methods = {name for name in vars(Simulation) if name.startswith(("add_", "remove_"))}
    assert len(methods) >= 4 and methods <= set(vars(ShownSimulation))


@pytest.mark.slow
def test_a_window_affects_only_the_pace(display, monkeypatch):
    monkeypatch.setenv("DISPLAY", display)
    shown, plain = windowed(), gymnasium.make(ENV, object_size_range=(0.8, 1.2))
    for seed in range(2):
        first, second = shown.reset(seed=seed)[0], plain.reset(seed=seed)[0]
        begin = time.monotonic()
        rng = np.random.default_rng(seed)
        for _ in range(10):
            action = rng.uniform(-1, 1, shown.action_space.shape).astype(np.float32)
            first, second = shown.step(action)[0], plain.step(action)[0]
            np.testing.assert_array_equal(first["observation"], second["observation"])
        assert time.monotonic() - begin > 9 * 0.04
    assert shown.render() is None
    shown.close()
    assert shown.unwrapped._sim.viewer._process.poll() is not None


@pytest.mark.slow
def test_a_closed_window_raises_an_error(display, monkeypatch):
    monkeypatch.setenv("DISPLAY", display)
    # Two windows may be open at the same time.
    env, other = windowed(), windowed()
    env.reset(seed=0)
    other.reset(seed=0)
    env.unwrapped._sim.viewer._process.kill()
    with pytest.raises(WindowClosed, match="the window was closed"):
        for _ in range(2):
            env.step(env.action_space.sample())
    env.close()
    other.step(other.action_space.sample())
    other.close()
