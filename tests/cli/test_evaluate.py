"""The table that `evaluate` prints."""

import re

import pytest

from grasp_func.cli.evaluate import _print_table
from grasp_func.training.episode_result import EpisodeResult
from grasp_func.training.eval_report import table
from grasp_func.training.evaluation import EvalResult

RESULT = EvalResult(
    (
        EpisodeResult(0, True, -0.25, 0.75, 12, True, "Cube[red]", 0.01, None, 0, False),
        EpisodeResult(1, False, -1.0, 0.0, None, False, "Cylinder", 0.03, None, 1, True),
    )
)


def printed(capsys, columns, monkeypatch, terminal=False):
    monkeypatch.setenv("COLUMNS", str(columns))
    if terminal:
        monkeypatch.setenv("FORCE_COLOR", "1")
    _print_table(*table(RESULT))
    return capsys.readouterr().out.splitlines()


@pytest.mark.parametrize("columns", [40, 100])
def test_a_pipe_gets_plain_aligned_lines(columns, capsys, monkeypatch):
    heading, *rows, note = printed(capsys, columns, monkeypatch)
    assert heading.split("  ")[-1] == "reward" and "success [95% interval]" in heading
    assert [row.split()[0] for row in rows] == ["overall", "table", "air", "Cube[red]", "Cylinder"]
    assert {len(row) for row in rows} == {len(heading)}
    assert "\x1b" not in heading and "mean (median" in note


def test_a_terminal_of_100_columns_gets_a_line_for_each_row(capsys, monkeypatch):
    lines = printed(capsys, 100, monkeypatch, terminal=True)
    assert len(lines) == 2 + 5 + 1 and "\x1b" in lines[0]
    shown = [re.sub(r"\x1b\[\d*m", "", line) for line in lines]
    assert max(map(len, shown)) <= 100
    assert shown[2].split()[-1] == "-0.62" and "0.500 [0.095, 0.905]" in shown[2]
