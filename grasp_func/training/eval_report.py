"""An evaluation as a table, as JSON and as CSV; pure functions of its result.

What an environment does not say is left out: a column, or an entry. Departs from Dext-Gen, which
prints one success rate.
"""

import csv
import io
import json
from collections.abc import Mapping
from typing import Any

from grasp_func.training.episode_result import EpisodeResult
from grasp_func.training.evaluation import EvalResult, Spread
from grasp_func.training.metrics import rate_numbers, summary

# Measure -> the heading of its column, and the format of its numbers.
MEASURES = {
    "distance": ("distance (m)", ".3f"),
    "angle": ("angle (rad)", ".2f"),
    "first_success": ("first at goal (step)", ".0f"),
    "at_goal": ("at goal", ".2f"),
    "drops": ("drops", ".2f"),
    "off_table": ("off table", ".2f"),
    "reward": ("reward", ".2f"),
}
CSV_COLUMNS = ("episode", "seed", "object", "goal", "success", *MEASURES)


def table(result: EvalResult) -> tuple[list[str], list[list[str]]]:
    """Returns headings and rows: all episodes, each kind of goal, each object if there are several.

    A distribution is written as its mean, and in brackets its median and 90% quantile.
    """
    groups = {key: group for key, group in result.groups().items() if None in key}
    present = [name for name in MEASURES if getattr(result, name) is not None]
    rows = []
    for key, group in groups.items():
        rate = group.overall
        low, high = rate.interval
        name = next((kind for kind in key if kind is not None), "overall")
        measures = (_cell(getattr(group, name), MEASURES[name][1]) for name in present)
        rows.append([name, f"{rate.n}", f"{group.success:.3f} [{low:.3f}, {high:.3f}]", *measures])
    headings = [MEASURES[name][0] for name in present]
    return ["", "episodes", "success [95% interval]", *headings], rows


def to_json(facts: Mapping[str, Any], result: EvalResult) -> str:
    """Returns facts, success by kind of goal, and under `groups` all measures of each group.

    A group has `object` and `goal`, null where it holds all of them.
    """
    groups = []
    for (name, goal), group in result.groups().items():
        measures = {measure: _plain(getattr(group, measure)) for measure in MEASURES}
        known = {measure: value for measure, value in measures.items() if value is not None}
        groups.append({"object": name, "goal": goal, **rate_numbers(group.overall), **known})
    return json.dumps({**facts, **summary(result), "groups": groups}, indent=1) + "\n"


def to_csv(result: EvalResult) -> str:
    """Returns a heading and one row per episode; a truth value is 0 or 1.

    `first_success` is empty where the goal was never achieved.
    """
    rows = [_row(number, episode) for number, episode in enumerate(result.episodes)]
    known = {name for row in rows for name, value in row.items() if value is not None}
    present = [name for name in CSV_COLUMNS if name in {*known, "first_success"}]
    text = io.StringIO()
    writer = csv.DictWriter(text, present, extrasaction="ignore", lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def _row(number: int, episode: EpisodeResult) -> dict[str, Any]:
    values = {name: getattr(episode, name) for name in CSV_COLUMNS if name != "episode"}
    return {"episode": number, **{name: _field(value) for name, value in values.items()}}


def _field(value: Any) -> Any:
    if isinstance(value, float):
        return f"{value:.6g}"
    return int(value) if isinstance(value, bool) else value


def _plain(value: float | Spread | None) -> Any:
    return value._asdict() if isinstance(value, Spread) else value


def _cell(value: float | Spread | None, form: str) -> str:
    if isinstance(value, Spread):
        mean, median, p90 = (format(number, form) for number in value)
        return f"{mean} ({median}, {p90})"
    return "-" if value is None else format(value, form)
