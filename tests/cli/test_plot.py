"""`grasp-func plot`: runs from folders and files, in three formats, with mistakes in one line."""

import json

import pytest

from grasp_func.cli.main import main
from grasp_func.training import plots
from statistics_rows import make_row


@pytest.fixture
def drawn(tmp_path, monkeypatch):
    """Goes to a folder with a run and a file of another; returns what is drawn."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "saves").mkdir()
    for name, env in (("saves/stats.json", "Env-v0"), ("other.json", "Other-v0")):
        content = {"env": env, "epochs": [make_row(1), make_row(2)]}
        (tmp_path / name).write_text(json.dumps(content))
    found, comparison = [], plots.comparison

    def noted(runs, x):
        found.append(([(label, len(rows)) for label, rows in runs], x))
        return comparison(runs, x)

    monkeypatch.setattr(plots, "comparison", noted)
    return found


@pytest.mark.parametrize(
    ("name", "begins"), [("a.png", b"\x89PNG"), ("a.svg", b"<?xml"), ("a.pdf", b"%PDF")]
)
def test_runs_are_drawn_in_every_format(drawn, tmp_path, name, begins, capsys):
    assert main(["plot", "saves", "b=other.json", "c=saves/stats.json", "--out", name]) == 0
    assert drawn == [([("Env-v0", 2), ("b", 2), ("c", 2)], "steps")]
    assert (tmp_path / name).read_bytes().startswith(begins)
    assert capsys.readouterr().out == f"{name}: 3 run(s)\n"


def test_the_axis_can_be_chosen(drawn):
    assert main(["plot", "saves", "--x", "seconds", "--out", "a.png"]) == 0
    assert drawn[0][1] == "seconds"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["nowhere", "--out", "a.png"], "nowhere: cannot be read"),
        (["broken.json", "--out", "a.png"], "broken.json: not the statistics of a run"),
        (["empty.json", "--out", "a.png"], "empty.json: not the statistics of a run"),
        (["saves", "--out", "a.gif"], "--out a.gif: expected a name that ends in .png, .svg, .pdf"),
        (["saves", "--out", "no/a.png"], "--out no/a.png: cannot be written"),
        (["saves", "--out", "a.png", "--x", "time"], "'time' is not one of 'steps', 'updates'"),
        (["--out", "a.png"], "Missing argument"),
        (["saves"], "Missing option '--out'"),
    ],
)
def test_mistakes_are_one_line(drawn, tmp_path, arguments, words, capsys):
    (tmp_path / "broken.json").write_text('{"env": "Env-v0", "epochs": [{"epoch": 1}]}')
    (tmp_path / "empty.json").write_text('{"env": "Env-v0", "epochs": []}')
    with pytest.raises(SystemExit, match="2"):
        main(["plot", *arguments])
    err = capsys.readouterr().err
    assert err.startswith("error: ") and words in err and len(err.splitlines()) == 1
