"""Statistics are appended; what is not part of a checkpoint is cut off."""

from pathlib import Path

import pytest

from grasp_func.errors import SaveError
from grasp_func.storage.parts import part_of_file
from grasp_func.storage.stats_log import StatsLog, read_rows

ROWS = [{"epoch": 1, "success": 0.5}, {"epoch": 2, "success": None}, {"epoch": 3, "success": 1.0}]


@pytest.mark.parametrize("kind", [str, Path])
def test_rows_come_back_in_order(tmp_path, kind):
    path = kind(tmp_path / "stats.jsonl")
    log = StatsLog(path)
    for row in ROWS:
        log.append(row)
    assert read_rows(path, log.part.size) == ROWS
    assert part_of_file(path) == log.part
    assert (tmp_path / "stats.jsonl").read_text().count("\n") == 3


@pytest.mark.parametrize("lost", ['{"epoch": 2}\n', '{"epoch": 2, "succ', "\x00" * 99, ""])
def test_what_a_killed_run_appended_is_cut_off(tmp_path, lost):
    path = tmp_path / "stats.jsonl"
    log = StatsLog(path)
    log.append(ROWS[0])
    known = log.part.size
    with path.open("a") as file:
        file.write(lost)
    resumed = StatsLog(path, known)
    for row in ROWS[1:]:
        resumed.append(row)
    assert read_rows(path, resumed.part.size) == ROWS
    assert part_of_file(path) == resumed.part


def test_nothing_is_written_before_the_first_row(tmp_path):
    StatsLog(tmp_path / "stats.jsonl")
    assert not (tmp_path / "stats.jsonl").exists()
    with pytest.raises(SaveError, match="cannot be read"):
        StatsLog(tmp_path / "stats.jsonl", 5)


def test_rows_that_are_not_json_are_refused(tmp_path):
    log = StatsLog(tmp_path / "stats.jsonl")
    with pytest.raises(SaveError, match="not plain JSON"):
        log.append({"success": float("nan")})
    (tmp_path / "stats.jsonl").write_text("nope\n")
    with pytest.raises(SaveError, match=r"stats\.jsonl: damaged"):
        read_rows(tmp_path / "stats.jsonl", 5)
