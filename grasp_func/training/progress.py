"""What a run reports while it works: facts for callbacks, which show or record them.

Training itself prints nothing. Every process reports its own work.
"""

import time
from collections.abc import Callable
from typing import Literal, NamedTuple

Activity = Literal[
    "environment",  # is started
    "compiling",  # the updates
    "rollouts",
    "updates",
    "evaluation",
    "confirmation",  # the second evaluation of an agent that may be the best or the last
    "saving",  # and whatever else happens between two epochs
]


class Progress(NamedTuple):
    """What a process is doing."""

    activity: Activity
    # Episodes of an evaluation or confirmation, else cycles of the epoch; 0 of 0 outside of both.
    done: int = 0
    total: int = 0


class UpdateMetrics(NamedTuple):
    """Means over the batches of one update."""

    actor_loss: float
    critic_loss: float
    q_mean: float


class CycleResult(NamedTuple):
    """A run after a cycle."""

    cycle: int  # cycles completed since the run began
    env_steps: int  # of all workers since the run began
    updates: int  # since the run began
    metrics: UpdateMetrics  # of the cycle's last update


class Times(NamedTuple):
    """Where a process spent the time of an epoch (s)."""

    rollouts: float
    updates: float
    evaluation: float  # confirmation included
    saving: float  # between the epoch before and this one


OnProgress = Callable[[Progress], None]
OnCycle = Callable[[CycleResult], None]


class Reporter:
    """Reports what this process is doing, and adds up the time that each activity takes.

    Args:
        on_progress: called with every report; None: the time is added up only.
    """

    def __init__(self, on_progress: OnProgress | None = None) -> None:
        """Starts the clock."""
        self._on_progress = on_progress
        self._activity: Activity = "saving"
        self._since = time.monotonic()
        self._seconds: dict[Activity, float] = {}

    def __call__(self, activity: Activity, done: int = 0, total: int = 0) -> None:
        """Reports an activity; it takes the time until the next report."""
        self._count()
        self._activity = activity
        if self._on_progress is not None:
            self._on_progress(Progress(activity, done, total))

    def lap(self) -> Times:
        """Returns the time since the last lap."""
        self._count()
        seconds, self._seconds = self._seconds, {}
        return Times(
            rollouts=seconds.get("rollouts", 0.0),
            updates=seconds.get("updates", 0.0),
            evaluation=seconds.get("evaluation", 0.0) + seconds.get("confirmation", 0.0),
            saving=seconds.get("saving", 0.0),
        )

    def _count(self) -> None:
        now = time.monotonic()
        so_far = self._seconds.get(self._activity, 0.0)
        self._seconds[self._activity] = so_far + now - self._since
        self._since = now
