"""Fixtures for tests of configuration files."""

from pathlib import Path

import pytest

from grasp_func.config.load import load_config
from grasp_func.errors import ConfigError

ENVS = ("FlatPJCube-v0", "FlatSHMesh-v0")


@pytest.fixture
def write(tmp_path, monkeypatch):
    """Writes text to c.yaml in the working folder and returns its relative path."""
    monkeypatch.chdir(tmp_path)

    def write_file(text):
        Path("c.yaml").write_bytes(text if isinstance(text, bytes) else text.encode())
        return "c.yaml"

    return write_file


@pytest.fixture
def message_of():
    """Returns a function that reads a file with one problem and returns the message."""

    def read(path, *overrides, env="FlatPJCube-v0"):
        with pytest.raises(ConfigError) as caught:
            load_config(path, env, overrides, ENVS)
        message = str(caught.value)
        assert message.isprintable()
        return message

    return read
