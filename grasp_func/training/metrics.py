"""Statistics of a run as pure functions: the rows of its epochs, and stats.json.

Departs from Dext-Gen: success has a confidence interval, goals on the table and in the air are
reported separately, and steps are those of all workers, so that runs can be compared.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from grasp_func.config.load import Config
from grasp_func.storage.stats_log import Row, json_line
from grasp_func.training.evaluation import EvalResult
from grasp_func.training.loop import EpochResult
from grasp_func.training.progress import UpdateMetrics
from grasp_func.training.rate import Rate


def rate_numbers(rate: Rate, suffix: str = "") -> dict[str, Any]:
    """Returns a success rate, its 95% interval and the number of episodes."""
    low, high = rate.interval
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


def row_of(cfg: Config, result: EpochResult) -> dict[str, Any]:
    """Returns an epoch's row of statistics.

    Phase and learning rates are those with which training continues.
    """
    schedule, confirmation, best = result.schedule, result.confirmation, result.best
    metrics: dict[str, Any] = dict.fromkeys(UpdateMetrics._fields)
    if result.metrics is not None:
        metrics = result.metrics._asdict()
    return {
        "epoch": schedule.epoch,
        "env_steps": result.env_steps,
        "updates": int(result.state.step),
        "seconds": round(result.seconds, 1),
        **summary(result.eval_result),
        "eval_seed": result.eval_seed,
        "confirmation": confirmation and {**summary(confirmation), "seed": result.confirm_seed},
        "best": best and {**summary(best), "seed": result.best_seed},
        **metrics,
        "phase": schedule.phase,
        "actor_lr": cfg.actor_lr * schedule.lr_scale(cfg),
        "critic_lr": cfg.critic_lr * schedule.lr_scale(cfg),
        "angle_tolerance": result.angle_tolerance,
        "params_hash": result.params_hash,
        **{f"seconds_{name}": round(value, 2) for name, value in result.times._asdict().items()},
    }


def stats_json(facts: Mapping[str, Any], rows: Sequence[Row]) -> bytes:
    """Returns the content of stats.json: facts of the run, and under `epochs` one row a line.

    Raises:
        SaveError: not plain JSON: a number that is not finite, or an object.
    """
    entries = [f"{json_line(name)}: {json_line(value)}" for name, value in facts.items()]
    lines = ",\n".join(json_line(row) for row in rows)
    return ("{\n" + ",\n".join([*entries, f'"epochs": [\n{lines}\n]']) + "\n}\n").encode()
