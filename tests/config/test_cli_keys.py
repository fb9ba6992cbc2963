"""Keys that take effect where training is started: save, load_pretrained and matmul."""

import pytest
import torch

from grasp_func.cli.main import main as command
from helpers import POINT_REACH, tiny_config


@pytest.fixture
def main(eager, monkeypatch, tmp_path, capsys):
    """Returns a function that runs examples/train.py on PointReach and names what it wrote."""
    settings = tiny_config(epochs=1).model_dump(exclude_unset=True)
    text = [f"{key}={value}" for key, value in settings.items()]
    (tmp_path / "config.yaml").write_text("Default:\n  seed: 0\n")

    def run(*changes):
        arguments = ["--env", POINT_REACH, "--import", "helpers"]
        arguments += ["--config", str(tmp_path / "config.yaml")]
        arguments += ["--save-dir", str(tmp_path / "saves")]
        arguments += [word for change in (*text, *changes) for word in ("--set", change)]
        assert command(["train", *arguments]) == 0
        return {path.name for path in (tmp_path / "saves").rglob("*")}

    return run


def test_save(main):
    assert main("save=false") == set()
    assert {"actor.pt", "critic.pt", "stats.json", "stats.png", "checkpoints"} <= main("save=true")


def test_load_pretrained(main, capsys):
    main("load_pretrained=false")
    with pytest.raises(SystemExit, match="2"):
        main("load_pretrained=true")
    err = capsys.readouterr().err
    assert "pretrain/PointReach-v0" in err and "no such folder" in err


@pytest.mark.parametrize("value", ["highest", "medium"])
def test_matmul(main, monkeypatch, value):
    used = []
    monkeypatch.setattr(torch, "set_float32_matmul_precision", used.append)
    main(f"matmul={value}")
    assert used[-1] == value
