"""What a run tells about its progress: stats.json, stats.png and the interval behind them.

Everything is pure but `recorded_kwargs`, which reads. Departs from Dext-Gen: success carries a
confidence interval, table and air goals are told apart, and the axis counts environment steps of
all workers, which can be compared between runs.
"""

import io
import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from grasp_func.errors import SaveError
from grasp_func.storage.atomic import read_bytes, reason
from grasp_func.training.evaluation import EvalResult

CURVES = (("success", "all"), ("success_table", "table goals"), ("success_air", "air goals"))
MAX_BYTES = 64 * 2**20  # of a stats.json that is read; 5000 epochs are 5 MB
Row = Mapping[str, Any]  # one epoch, see `stats_png`


def wilson_interval(successes: float, n: int, z: float = 1.96) -> tuple[float, float]:
    """Returns the interval that holds the true success rate with the confidence `z` stands for.

    Args:
        successes: number of successes, 0 to `n`.
        n: number of independent trials; with none, nothing is known: (0, 1).
        z: standard deviations of a normal distribution; 1.96 is 95%.

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


def summary(score: EvalResult) -> dict[str, Any]:
    """Returns success over all, table and air goals as rates, counts and 95% intervals."""
    numbers: dict[str, Any] = {}
    for name, rate in (("", score.overall), ("_table", score.table), ("_air", score.air)):
        low, high = wilson_interval(*rate)
        numbers |= {
            f"success{name}": rate.value,
            f"success{name}_low": low,
            f"success{name}_high": high,
            f"n{name}": rate.n,
        }
    return numbers


def stats_json(stats: Mapping[str, Any]) -> bytes:
    """Returns the content of stats.json.

    Raises:
        SaveError: not JSON (a number that is not finite, an object).
    """
    try:
        return (json.dumps(stats, allow_nan=False, indent=1) + "\n").encode()
    except (TypeError, ValueError) as error:
        raise SaveError(f"stats.json: not plain JSON ({error})") from error


def recorded_kwargs(directory: Path, env_id: str) -> list[str]:
    """Returns the environment's arguments of the run in `directory`, each as `kwargs.NAME=VALUE`.

    Empty where no statistics lie there, or those of another environment.

    Raises:
        SaveError: stats.json is not readable.
    """
    path = directory / "stats.json"
    if not path.exists():
        return []
    try:
        stats = json.loads(read_bytes(path, MAX_BYTES))
        kwargs = stats["config"]["kwargs"] if stats["env"] == env_id else {}
        return [f"kwargs.{name}={json.dumps(value)}" for name, value in kwargs.items()]
    except SaveError:
        raise
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise SaveError(
            f"{path}: not the statistics of a run ({reason(error)}); delete the file"
        ) from None


def stats_png(rows: Sequence[Row]) -> bytes:
    """Draws success rates and losses over environment steps as a PNG.

    Args:
        rows: one per epoch, with env_steps, success, success_low, success_high, success_table and
            success_air (None where no such goal was evaluated), critic_loss, actor_loss, phase.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg  # slow to import, rarely needed
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8, 8), layout="constrained")
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
