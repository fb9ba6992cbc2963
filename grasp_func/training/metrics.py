"""Statistics of a run as pure functions: stats.json, stats.png and confidence intervals.

Departs from Dext-Gen: success has a confidence interval, goals on the table and in the air are
reported separately, and the axis counts the environment steps of all workers, so that runs can be
compared.
"""

import io
import math
from collections.abc import Mapping, Sequence
from typing import Any

from grasp_func.storage.stats_log import Row, json_line
from grasp_func.training.evaluation import EvalResult, Rate

CURVES = (("success", "all"), ("success_table", "table goals"), ("success_air", "air goals"))


def wilson_interval(successes: float, n: int, z: float = 1.96) -> tuple[float, float]:
    """Returns a confidence interval of a success rate.

    Args:
        successes: number of successes, 0 to `n`.
        n: number of independent trials; the interval of none is (0, 1).
        z: standard deviations of a normal distribution; 1.96 gives 95% confidence.

    Raises:
        ValueError: `successes` or `n` out of range.

    Source: Wilson 1927, J. Am. Stat. Assoc. 22, 209-212.
    """
    if n < 0 or not 0 <= successes <= n:
        raise ValueError(f"{successes} successes in {n} trials, expected 0 <= successes <= trials")
    if n == 0:
        return 0.0, 1.0
    share = successes / n
    centre = share + z * z / (2 * n)
    half = z * math.sqrt(share * (1 - share) / n + z * z / (4 * n * n))
    scale = 1 + z * z / n
    return max(0.0, (centre - half) / scale), min(1.0, (centre + half) / scale)


def rate_numbers(rate: Rate, suffix: str = "") -> dict[str, Any]:
    """Returns a success rate, its 95% interval and the number of episodes."""
    low, high = wilson_interval(*rate)
    return {
        f"success{suffix}": rate.value,
        f"success{suffix}_low": low,
        f"success{suffix}_high": high,
        f"n{suffix}": rate.n,
    }


def summary(score: EvalResult) -> dict[str, Any]:
    """Returns success over all, table and air goals as rates, counts and 95% intervals."""
    kinds = (("", score.overall), ("_table", score.table), ("_air", score.air))
    return {key: value for kind, rate in kinds for key, value in rate_numbers(rate, kind).items()}


def stats_json(facts: Mapping[str, Any], rows: Sequence[Row]) -> bytes:
    """Returns the content of stats.json: facts of the run, and under `epochs` one row a line.

    Raises:
        SaveError: not plain JSON: a number that is not finite, or an object.
    """
    entries = [f"{json_line(name)}: {json_line(value)}" for name, value in facts.items()]
    lines = ",\n".join(json_line(row) for row in rows)
    return ("{\n" + ",\n".join([*entries, f'"epochs": [\n{lines}\n]']) + "\n}\n").encode()


def stats_png(rows: Sequence[Row]) -> bytes:
    """Draws success rates and losses over environment steps as a PNG.

    Args:
        rows: one per epoch, with env_steps, success, success_low, success_high, success_table and
            success_air (None where no such goal was evaluated), critic_loss, actor_loss, phase.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg  # slow to import, rarely needed
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8, 8))
    # A computed layout would double the time.
    figure.subplots_adjust(left=0.1, right=0.97, bottom=0.07, top=0.97, hspace=0.1)
    FigureCanvasAgg(figure)
    panels = figure.subplots(3, 1, sharex=True, height_ratios=[3, 1, 1])
    steps = [row["env_steps"] for row in rows]
    for name, label in CURVES:
        panels[0].plot(steps, _column(rows, name), marker=".", label=label)
    band = _column(rows, "success_low"), _column(rows, "success_high")
    panels[0].fill_between(steps, *band, alpha=0.2, linewidth=0, label="95% interval (all)")
    late = [row["env_steps"] for row in rows if row.get("phase") == "late"]
    if late:
        panels[0].axvline(late[0], color="grey", linestyle=":", label="late phase begins")
    panels[0].set(ylabel="success rate", ylim=(-0.02, 1.02))
    panels[0].legend(loc="upper left")
    for panel, name in zip(panels[1:], ("critic_loss", "actor_loss"), strict=True):
        panel.plot(steps, _column(rows, name), marker=".", color="black")
        panel.set(ylabel=name.replace("_", " "))
    panels[-1].set(xlabel="environment steps of all workers")
    for panel in panels:
        panel.grid(alpha=0.3)
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=100)
    return buffer.getvalue()


def _column(rows: Sequence[Row], name: str) -> list[float]:
    """Returns one entry of all rows; not-a-number, where matplotlib leaves a gap, for None."""
    return [math.nan if row.get(name) is None else float(row[name]) for row in rows]
