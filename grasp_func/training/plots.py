"""Plots of runs: stats.png of one, and a picture that compares several."""

import io
import math
from collections.abc import Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from grasp_func.core.types import Array
from grasp_func.storage.stats_log import Row
from grasp_func.training import palette

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Curves = Sequence[tuple[str, str, str]]  # column of a row, colour and name of each
SUCCESS: Curves = (
    ("success", palette.ALL_GOALS, "all goals"),
    ("success_table", palette.TABLE_GOALS, "goals on the table"),
    ("success_air", palette.AIR_GOALS, "goals in the air"),
)
LOSSES: Curves = (
    ("actor_loss", palette.ACTOR, "actor"),
    ("critic_loss", palette.CRITIC, "critic"),
)
Q = ("q_mean", palette.Q, "")
LABELS = ("success (95% interval)", "loss", "mean Q", "s / epoch")
STEPS = "million environment steps"
# Name of a horizontal axis -> column of a row, its unit and label.
AXES = {
    "steps": ("env_steps", 1e6, STEPS),
    "updates": ("updates", 1e3, "thousand updates"),
    "seconds": ("seconds", 60.0, "minutes"),
    "epochs": ("epoch", 1.0, "epochs"),
}
STYLES = ("-", "--", ":")  # of groups, when there are more than colours
RESAMPLES, BATCH = 2000, 100  # of the bootstrap; a batch is held in memory


def stats_png(title: str, rows: Sequence[Row]) -> bytes:
    """Draws a run as a PNG: success with intervals, losses, Q, time, phases, learning rates.

    Args:
        title: written above.
        rows: one per epoch, see `metrics.row_of`. What a row lacks, as those of older versions
            lack times, is a gap.
    """
    figure = _figure(8, 8)
    # A computed layout would double the time, and so would legends and the axes' hidden ticks.
    figure.subplots_adjust(left=0.1, right=0.97, bottom=0.07, top=0.92, hspace=0.25)
    panels = figure.subplots(4, 1, sharex=True, height_ratios=[4, 1, 1, 1])
    steps = [row["env_steps"] / 1e6 for row in rows]
    for panel, curves in zip(panels, (SUCCESS, LOSSES, (Q,)), strict=False):
        for number, (name, colour, label) in enumerate(curves):
            panel.plot(steps, _column(rows, name), color=colour)
            _write(panel, number, label, color=colour)
    for name, colour, _ in SUCCESS:
        band = _column(rows, f"{name}_low"), _column(rows, f"{name}_high")
        panels[0].fill_between(steps, *band, color=colour, alpha=0.15, linewidth=0)
    panels[0].set_ylim(-0.02, 1.02)
    times = [_column(rows, f"seconds_{name}") for name in palette.TIMES]
    panels[3].stackplot(steps, times, colors=palette.TIMES.values())
    for number, (label, colour) in enumerate(palette.TIMES.items()):
        _write(panels[3], number, label, bbox={"facecolor": colour, "linewidth": 0, "pad": 1.5})
    panels[3].set_xlabel(STEPS)
    for panel, label in zip(panels, LABELS, strict=True):
        panel.set_ylabel(label)
        panel.grid(axis="y", alpha=0.3)
        panel.locator_params(axis="y", nbins=4)
        panel.xaxis.set_visible(panel is panels[-1])
    _mark_phases(panels, rows)
    figure.suptitle(title)
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=100, pil_kwargs={"compress_level": 1})
    return buffer.getvalue()


def comparison(runs: Sequence[tuple[str, Sequence[Row]]], x: str) -> "Figure":
    """Draws the success of several runs, in a panel for each kind of goal.

    Runs of one label are a group, with the mean over them and a 95% bootstrap interval of the mean,
    from where all have begun to where the first one ends. A single run has the Wilson intervals of
    its evaluations.

    Args:
        runs: label and rows of each, the rows as `metrics.row_of` returns them.
        x: horizontal axis, one of AXES.
    """
    column, unit, label = AXES[x]
    goals = [
        goal
        for goal in SUCCESS
        if any(row.get(goal[0]) is not None for _, rows in runs for row in rows)
    ]
    figure = _figure(1 + 3.2 * len(goals), 4, layout="constrained")
    panels = figure.subplots(1, len(goals), sharey=True, squeeze=False)[0]
    groups = {name: [rows for other, rows in runs if other == name] for name, _ in runs}
    for panel, (name, _, title) in zip(panels, goals, strict=True):
        for number, (group, members) in enumerate(groups.items()):
            turn, hue = divmod(number, len(palette.GROUPS))
            style: dict[str, Any] = {
                "color": palette.GROUPS[hue],
                "linestyle": STYLES[turn % len(STYLES)],
            }
            curves = [_curve(rows, column, unit, name) for rows in members]
            _draw_group(panel, [curve for curve in curves if curve.size], group, style)
        panel.set(title=title, xlabel=label, ylim=(-0.02, 1.02))
        panel.grid(alpha=0.3)
    panels[0].set_ylabel("success (mean, 95% interval)")
    handles, labels = panels[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=min(4, len(labels)))
    return figure


def _draw_group(panel: "Axes", curves: Sequence[Array], label: str, style: dict[str, Any]) -> None:
    """Draws runs [4, epochs] of x, success and its bounds, and what they have in common."""
    if not curves:
        return
    if len(curves) == 1:
        x, mean, low, high = curves[0]
    else:
        for curve in curves:
            panel.plot(*curve[:2], **style, alpha=0.35, linewidth=0.8)
        x = _common(curves)
        values = np.array([np.interp(x, *curve[:2]) for curve in curves])
        mean, (low, high) = values.mean(axis=0), _bootstrap(values) if x.size else (x, x)
    n_runs = f"{len(curves)} run{'s' if len(curves) > 1 else ''}"
    panel.plot(x, mean, **style, label=f"{label} ({n_runs})")
    panel.fill_between(x, low, high, color=style["color"], alpha=0.15, linewidth=0)


def _common(curves: Sequence[Array]) -> Array:
    """Returns the points x of all curves, where every curve has begun and none has ended."""
    first, last = max(curve[0, 0] for curve in curves), min(curve[0, -1] for curve in curves)
    x = np.unique(np.concatenate([curve[0] for curve in curves]))
    inside: Array = x[(x >= first) & (x <= last)]
    return inside


def _bootstrap(values: Array) -> tuple[Array, Array]:
    """Returns a 95% interval [2, points] of the mean of values [runs, points] over runs."""
    from scipy.stats import bootstrap

    settings = {"n_resamples": RESAMPLES, "batch": BATCH, "method": "percentile", "rng": 0}
    found = bootstrap((values,), np.mean, axis=0, **settings).confidence_interval
    return found.low, found.high


def _curve(rows: Sequence[Row], column: str, unit: float, goals: str) -> Array:
    """Returns x, success and its bounds [4, epochs], of the epochs with goals of a kind."""
    names = (column, goals, f"{goals}_low", f"{goals}_high")
    curve = np.array([_column(rows, name) for name in names])
    curve = curve[:, ~np.isnan(curve[1])]
    curve[0] /= unit
    return curve


def _figure(width: float, height: float, **settings: Any) -> "Figure":
    """Returns an empty figure that needs no display."""
    # slow to import, rarely needed
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), **settings)
    FigureCanvasAgg(figure)
    return figure


def _write(panel: "Axes", number: int, label: str, **style: Any) -> None:
    """Writes the name of a panel's curve above the panel, beside those before it."""
    place = (0.01 + 0.2 * number, 1.04)
    panel.text(*place, label, fontsize="small", transform=panel.transAxes, **style)


def _mark_phases(panels: Sequence["Axes"], rows: Sequence[Row]) -> None:
    """Draws a line where a phase begins, and towards the middle its name and learning rates."""
    for before, row in pairwise(rows):
        if row["phase"] == before["phase"]:
            continue
        begins = row["env_steps"] / 1e6
        for panel in panels:
            panel.axvline(begins, color=palette.GREY, linestyle="--")
        rates = {f"{row[name]:g}" for name in ("actor_lr", "critic_lr") if name in row}
        label = f" {row['phase']} phase \n"
        label += f" learning rate {' and '.join(sorted(rates))} " if rates else ""
        side = "left" if begins < (rows[0]["env_steps"] + rows[-1]["env_steps"]) / 2e6 else "right"
        panels[0].text(begins, 0.02, label, ha=side, fontsize="small", color=palette.GREY)


def _column(rows: Sequence[Row], name: str) -> list[float]:
    """Returns one entry of all rows; not-a-number, where matplotlib leaves a gap, for None."""
    return [math.nan if row.get(name) is None else float(row[name]) for row in rows]
