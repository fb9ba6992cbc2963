"""Where a run stands, and what follows from it: phase, rates, exploration, starts, tolerance.

Everything is a function of the evaluations so far, so a run that is resumed goes on alike. Departs
from Dext-Gen, whose settings stay the same throughout.
"""

from typing import NamedTuple

from grasp_func.config.load import Config
from grasp_func.core.noise import Exploration


class ScheduleState(NamedTuple):
    """Where a run stands, besides the agent's state; equal on all processes."""

    epoch: int = 0  # epochs completed
    late_hits: int = 0  # evaluations so far that reached `late_success`
    fine_hits: int = 0  # evaluations so far that reached `fine_success`
    best: float = 0.0  # highest success rate of an evaluation so far
    tightenings: int = 0  # how often the angle tolerance was divided

    def advanced(
        self, cfg: Config, success: float, curriculum_active: bool = False
    ) -> "ScheduleState":
        """Returns the progress after an epoch.

        Args:
            cfg: the run's.
            success: rate with which the epoch ended.
            curriculum_active: whether the angle tolerance was not yet the true task's. The fine
                phase waits for that: its steps would be too small for what is still to be learned.
        """
        late = cfg.late_success is not None and success >= cfg.late_success
        fine = (
            cfg.fine_success is not None and success >= cfg.fine_success and not curriculum_active
        )
        return ScheduleState(
            self.epoch + 1,
            self.late_hits + late,
            self.fine_hits + fine,
            max(self.best, success),
            self.tightenings + (curriculum_active and success > cfg.angle_tolerance_success),
        )

    def angle_tolerance(self, cfg: Config, true: float | None) -> float | None:
        """Returns the present angle tolerance (rad), from the true task's; None: it has none."""
        if true is None:
            return None
        return max(true, cfg.angle_tolerance_start / cfg.angle_tolerance_factor**self.tightenings)

    @property
    def phase(self) -> str:
        """Early, late or fine; one lucky evaluation does not begin a phase."""
        return "fine" if self.fine_hits >= 2 else "late" if self.late_hits >= 2 else "early"

    def lr_scale(self, cfg: Config) -> float:
        """Factor on both learning rates."""
        return {"early": 1.0, "late": cfg.late_lr, "fine": cfg.fine_lr}[self.phase]

    def action_l2(self, cfg: Config) -> float:
        """Weight of the penalty on saturated actions."""
        return self._now(cfg.action_l2, cfg.late_action_l2)

    def pregrasp_share(self, cfg: Config) -> float:
        """Share of training episodes that begin above a grasp: falls linearly, never rises."""
        return cfg.pregrasp_start * max(0.0, 1.0 - self.best / cfg.pregrasp_until)

    def exploration(self, cfg: Config) -> Exploration:
        """How loudly training episodes explore."""
        return Exploration(
            eps=self._now(cfg.eps, cfg.late_eps),
            action_noise=self._now(cfg.action_noise, cfg.late_action_noise),
            p_low_noise=cfg.p_low_noise,
            low_noise_eps=self._now(cfg.low_noise_eps, cfg.late_low_noise_eps),
            low_noise_action_noise=self._now(
                cfg.low_noise_action_noise, cfg.late_low_noise_action_noise
            ),
        )

    def _now(self, early: float, late: float | None) -> float:
        return early if self.phase == "early" or late is None else late
