"""Puts what is known of a run into words: a line, the lines of an epoch, a block for a terminal.

Imports nothing heavy, so that there is something to show before torch is loaded.
"""

from collections import deque
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.text import Text

from grasp_func.training import palette
from grasp_func.training.progress import CycleResult, Progress

if TYPE_CHECKING:
    from grasp_func.storage.stats_log import Row
    from grasp_func.training.setup import Run

# Environment steps after which an evaluation first reached a success of .95: medians of the runs
# from scratch in docs/results, with the shipped settings of their time.
TYPICAL_SUCCESS = 0.95
TYPICAL_STEPS = {
    "FlatPJCube-v0": 400_000,
    "FlatBarrettCube-v0": 480_000,
    "FlatSHCube-v0": 1_440_000,
    "FlatSHMesh-v0": 880_000,
}
GOALS = (
    ("success", "all goals", palette.ALL_GOALS),
    ("success_table", "on the table", palette.TABLE_GOALS),
    ("success_air", "in the air", palette.AIR_GOALS),
)
OUTSIDE = {
    "environment": "starting the environment",
    "compiling": "compiling the updates",
    "saving": "saving",
}
BAR, LABEL = 24, 14  # width in characters
GIB = 2**30


@dataclass
class Status:
    """What is known of a run; its callbacks change it."""

    env: str
    stage: str = "loading PyTorch and JAX"  # before there is a report
    run: "Run | None" = None
    folder: Path | None = None  # of this run alone
    progress: Progress | None = None
    cycle: CycleResult | None = None
    row: "Row | None" = None  # of the last epoch
    best: "Row | None" = None  # of the epoch with the best agent
    reached: bool = False  # whether an evaluation reached TYPICAL_SUCCESS
    stop_requested: bool = False
    # (time, environment steps, updates) after the last cycles
    speed: deque[tuple[float, int, int]] = field(default_factory=deque)

    def on_cycle(self, cycle: CycleResult, now: float) -> None:
        """Notes a cycle; the speed is that of about one epoch, evaluation included."""
        assert self.run is not None
        self.cycle = cycle
        self.speed.append((now, cycle.env_steps, cycle.updates))
        if len(self.speed) > self.run.cfg.cycles + 1:
            self.speed.popleft()

    def on_row(self, row: "Row") -> None:
        """Notes an epoch."""
        self.row = row
        self.reached |= row["success"] >= TYPICAL_SUCCESS
        if row["best"]:
            self.best = row

    @property
    def speeds(self) -> tuple[float, float] | None:
        """Environment steps and updates a second; None: not known yet."""
        if len(self.speed) < 2:
            return None
        (t0, steps0, updates0), (t1, steps1, updates1) = self.speed[0], self.speed[-1]
        seconds = max(t1 - t0, 1e-9)
        return (steps1 - steps0) / seconds, (updates1 - updates0) / seconds


def doing(status: Status) -> str:
    """Says what the run is doing."""
    now = status.progress
    if now is None:
        return status.stage
    if now.activity in OUTSIDE:
        return OUTSIDE[now.activity]
    if now.activity in ("evaluation", "confirmation"):
        verb = "evaluating" if now.activity == "evaluation" else "confirming"
        return f"{verb} {now.done}/{now.total}"
    if status.cycle is not None:
        return now.activity
    traced = status.run is not None and status.run.cfg.updates == "traced"
    tracing = "tracing the " if traced and now.activity == "updates" else ""
    return f"first cycle: {tracing}{now.activity}"


def position(status: Status) -> tuple[int, int]:
    """Returns the number of the present epoch, and how many of its cycles are completed."""
    assert status.run is not None
    now = status.progress
    # A pre-trained agent is evaluated before the first epoch.
    before = -1 if status.run.cfg.load_pretrained else 0
    epoch = 1 + (status.row["epoch"] if status.row else before)
    if now is None or epoch == 0 or now.activity in ("environment", "compiling"):
        return epoch, 0
    inside = now.activity in ("rollouts", "updates")
    return epoch, now.done if inside else status.run.cfg.cycles


def status_line(status: Status, elapsed: float) -> str:
    """Returns what a run is doing as one line."""
    words = [doing(status)]
    if status.run is not None:
        epoch, cycle = position(status)
        cfg = status.run.cfg
        words[:0] = [f"epoch {epoch}/{cfg.epochs}", f"cycle {cycle}/{cfg.cycles}"]
    return f"{status.env}: {', '.join([*words, *_speeds(status), duration(elapsed)])}"


def epoch_lines(status: Status, memory: int) -> list[str]:
    """Returns the two lines that are printed after an epoch: results, and how it went."""
    assert status.run is not None and status.row is not None
    row = status.row
    intervals = (
        f"{label} {interval(row, name)}" for name, label, _ in GOALS if row[f"n{name[7:]}"]
    )
    losses = []  # epoch 0 has none
    if row["actor_loss"] is not None:
        losses = [f"loss actor {row['actor_loss']:.3f}, critic {row['critic_loss']:.3f}"]
    used = f"{memory / GIB:.2f} GiB"
    parts = (intervals, losses, _speeds(status), _shares(row), [used], time_left(status))
    details = "; ".join(filter(None, map(", ".join, parts)))
    return [progress_line(row, status.run.cfg.epochs), f"  {details}"]


def progress_line(row: "Row", epochs: int) -> str:
    """Returns an epoch's results as one line."""
    line = (
        f"epoch {row['epoch']:4d}/{epochs}  {row['env_steps']:>9,} steps  {row['seconds']:7.0f} s  "
        f"success {_rate(row['success'])} "
        f"(table {_rate(row['success_table'])}, air {_rate(row['success_air'])})  "
        f"Q {'-' if row['q_mean'] is None else format(row['q_mean'], '.2f'):>7}  {row['phase']}"
    )
    if row["angle_tolerance"] is not None:
        line += f"  within {row['angle_tolerance']:.3f} rad"
    for name, text in (("confirmation", "confirmed"), ("best", "best so far")):
        if row[name]:
            line += f"  {text} {row[name]['success']:.3f}"
    return line


def block(status: Status, elapsed: float, memory: int) -> Text:
    """Returns all that is known as lines for a terminal."""
    text = Text(no_wrap=True, overflow="ellipsis", end="")
    text.append(f"{status.env}  {doing(status)}\n", style="bold")
    if status.run is not None:
        _write_progress(text, status)
        _write_success(text, status)
        _write_costs(text, status)
        text.append(f"{'memory':{LABEL}}{memory / GIB:.2f} GiB a process\n")
        text.append(f"{'files':{LABEL}}{status.folder or 'nothing is saved'}\n")
    text.append(f"{'time':{LABEL}}{', '.join([duration(elapsed), *time_left(status)])}\n")
    stopping = "stopping after this epoch; Ctrl-C ends at once\n" if status.stop_requested else ""
    # A launcher may hold back a line that does not end, so the last one is empty.
    return text.append(stopping, style="bold").append(" ")


def _write_progress(text: Text, status: Status) -> None:
    assert status.run is not None
    epoch, cycle = position(status)
    cfg = status.run.cfg
    completed = max(0, epoch - 1)
    for label, done, total in (("epoch", completed, cfg.epochs), ("cycle", cycle, cfg.cycles)):
        text.append(f"{label:{LABEL}}")
        _write_bar(text, done / total, palette.GREY)
        text.append(f"  {epoch if label == 'epoch' else cycle}/{total}\n")


def _write_success(text: Text, status: Status) -> None:
    row, best = status.row, status.best
    for name, label, colour in GOALS:
        value = row and row[name]
        text.append(f"{label:{LABEL}}")
        # Black would not be seen on a dark terminal.
        _write_bar(text, value or 0.0, "default" if colour == palette.ALL_GOALS else colour)
        text.append("  -\n" if row is None or value is None else f"  {interval(row, name)}\n")
    confirmed = f"{interval(best['best'])}, epoch {best['epoch']}" if best else "none confirmed yet"
    text.append(f"{'best agent':{LABEL}}{confirmed}\n")


def _write_costs(text: Text, status: Status) -> None:
    metrics, row = status.cycle and status.cycle.metrics, status.row
    losses = "-"
    if metrics is not None:
        losses = f"actor {metrics.actor_loss:.3f}, critic {metrics.critic_loss:.3f}, "
        losses += f"Q {metrics.q_mean:.2f}, {row['phase'] if row else 'early'} phase"
    text.append(f"{'losses':{LABEL}}{losses}\n")
    text.append(f"{'speed':{LABEL}}{', '.join(_speeds(status)) or '-'}\n")
    text.append(f"{'last epoch':{LABEL}}")
    shares = zip(_shares(row or {}), palette.TIMES.values(), strict=False)
    text.append_tokens((f"{share}  ", colour) for share, colour in shares)
    text.append("\n")


def _write_bar(text: Text, share: float, colour: str) -> None:
    full = round(share * BAR)
    text.append("━" * full, style=colour)
    text.append("─" * (BAR - full), style="dim")


def time_left(status: Status) -> list[str]:
    """Returns the time to the last epoch, and to a success of .95 where that is known."""
    run, speeds, cycle = status.run, status.speeds, status.cycle
    if run is None or speeds is None or cycle is None:
        return []
    last = run.cfg.epochs * run.cfg.cycles * run.steps_per_cycle
    left = [f"{duration((last - cycle.env_steps) / speeds[0])} left to epoch {run.cfg.epochs}"]
    typical = TYPICAL_STEPS.get(status.env)
    if typical and cycle.env_steps < typical and not status.reached:
        seconds = (typical - cycle.env_steps) / speeds[0]
        left.append(f"typically {duration(seconds)} to success .95")
    return left


def duration(seconds: float) -> str:
    """Returns a time as hours, minutes and seconds."""
    minutes, seconds = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{seconds:02}"


def interval(row: "Row", name: str = "success") -> str:
    """Returns a success rate with its interval."""
    return f"{row[name]:.3f} [{row[f'{name}_low']:.3f}, {row[f'{name}_high']:.3f}]"


def _speeds(status: Status) -> list[str]:
    if status.speeds is None:
        return []
    return [f"{status.speeds[0]:,.0f} steps/s", f"{status.speeds[1]:,.0f} updates/s"]


def _shares(row: "Row") -> list[str]:
    """Returns how an epoch's time was divided."""
    seconds = {name: row.get(f"seconds_{name}", 0.0) for name in palette.TIMES}
    total = sum(seconds.values())
    return [f"{name} {value / total:.0%}" for name, value in seconds.items()] if total else []


def _rate(value: Any) -> str:
    return "  -  " if value is None else f"{value:.3f}"
