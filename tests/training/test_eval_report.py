"""Table, JSON and CSV of an evaluation."""

import csv
import io
import json

from grasp_func.training.episode_result import EpisodeResult
from grasp_func.training.eval_report import table, to_csv, to_json
from grasp_func.training.evaluation import EvalResult
from helpers import scored

RESULT = EvalResult(
    (
        EpisodeResult(7, True, -0.5, 0.5, 3, True, "Cube", 0.01, None, 0, False),
        EpisodeResult(8, False, -1.0, 0.0, None, False, "Ball", 0.03, None, 1, True),
    )
)


def test_the_table_has_a_row_for_each_kind_and_no_empty_column():
    headings, rows = table(RESULT)
    assert headings == [
        *("", "episodes", "success [95% interval]", "distance (m)", "first at goal (step)"),
        *("at goal", "drops", "off table", "reward"),
    ]
    assert [row[0] for row in rows] == ["overall", "table", "air", "Ball", "Cube"]
    assert rows[0] == [
        *("overall", "2", "0.500 [0.095, 0.905]", "0.020 (0.020, 0.028)", "3 (3, 3)"),
        *("0.25", "0.50", "0.50", "-0.75"),
    ]
    # Ball never reached its goal
    assert rows[3][4] == "-"


def test_a_foreign_environment_has_what_it_says():
    headings, rows = table(scored(1, 2))
    assert headings == ["", "episodes", "success [95% interval]", "at goal", "reward"]
    assert [row[0] for row in rows] == ["overall"]
    assert to_csv(scored(1, 2)).splitlines() == [
        "episode,seed,success,first_success,at_goal,reward",
        "0,0,1,,0,-1",
        "1,1,0,,0,-1",
    ]


def test_json_holds_the_measures_of_every_group():
    content = json.loads(to_json({"env": "Some-v0"}, RESULT))
    assert (content["env"], content["success"], content["n_air"]) == ("Some-v0", 0.5, 1)
    groups = content["groups"]
    kinds = [(group["object"], group["goal"]) for group in groups]
    assert kinds[:3] == [(None, None), (None, "table"), (None, "air")]
    assert kinds[3:] == [("Ball", None), ("Ball", "table"), ("Cube", None), ("Cube", "air")]
    assert groups[0]["distance"] == {"mean": 0.02, "median": 0.02, "p90": 0.028}
    assert groups[0]["drops"] == 0.5 and "angle" not in groups[0]
    assert groups[3]["success"] == 0 and "first_success" not in groups[3]


def test_csv_has_a_row_for_each_episode():
    rows = list(csv.DictReader(io.StringIO(to_csv(RESULT))))
    assert rows[0] == {
        "episode": "0",
        "seed": "7",
        "object": "Cube",
        "goal": "air",
        "success": "1",
        "distance": "0.01",
        "first_success": "3",
        "at_goal": "0.5",
        "drops": "0",
        "off_table": "0",
        "reward": "-0.5",
    }
    assert (rows[1]["first_success"], rows[1]["off_table"]) == ("", "1")
