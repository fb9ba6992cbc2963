"""The schedule of a run: phase, learning rates, exploration, hindsight, starts, angle tolerance.

All of it is a function of the evaluations so far, so a resumed run continues as it would have.
Departs from Dext-Gen, whose settings stay the same throughout.
"""

from typing import NamedTuple

from grasp_func.config.load import Config
from grasp_func.core.noise import Exploration

HITS = 2  # evaluations at a success rate that begin a phase; one alone may be luck


class ScheduleState(NamedTuple):
    """What the schedule depends on; equal on all processes.

    The curriculum is active while the angle tolerance is wider than the true task's. Success is
    easy then, so it counts for nothing but the tolerance: only `epoch` and `tightenings` change.
    """

    epoch: int = 0  # epochs completed
    late_hits: int = 0  # evaluations of the true task that reached `late_success`
    fine_hits: int = 0  # evaluations of the true task that reached `fine_success`
    best: float = 0.0  # highest success rate of an evaluation of the true task
    tightenings: int = 0  # number of times that the angle tolerance was divided
    # Lower end of the 95% interval of the best agent's success rate, in both of its evaluations:
    # 0.98 of 100 episodes is not yet better than 0.97 of 1000.
    best_confirmed: float = 0.0
    without_better: int = 0  # epochs since the best agent; the early phase does not count

    def advanced(
        self,
        cfg: Config,
        success: float,
        curriculum_active: bool = False,
        confirmed: float = 0.0,
    ) -> "ScheduleState":
        """Returns the schedule after one more epoch.

        Args:
            cfg: settings of the run.
            success: success rate of the epoch's evaluation.
            curriculum_active: whether its angle tolerance was wider than the true task's.
            confirmed: lower end of the interval of the epoch's agent in both evaluations; 0 if
                it was not played.
        """
        if curriculum_active:
            tightened = success > cfg.angle_tolerance_success
            return self._replace(epoch=self.epoch + 1, tightenings=self.tightenings + tightened)
        return self._replace(
            epoch=self.epoch + 1,
            late_hits=self.late_hits + _reached(success, cfg.late_success),
            fine_hits=self.fine_hits + _reached(success, cfg.fine_success),
            best=max(self.best, success),
            best_confirmed=max(self.best_confirmed, confirmed),
            without_better=0
            if self.phase == "early" or confirmed > self.best_confirmed
            else self.without_better + 1,
        )

    def pretrained(self, cfg: Config, success: float, confirmed: float) -> "ScheduleState":
        """Returns the schedule of a run that begins with an agent of this success rate.

        The agent begins in the phase that it has reached for certain (`confirmed`, the lower end
        of its interval in both evaluations), so that neither large steps nor strong noise undo
        what it can. It is the first best agent.
        """
        return self._replace(
            late_hits=HITS * _reached(confirmed, cfg.late_success),
            fine_hits=HITS * _reached(confirmed, cfg.fine_success),
            best=success,
            best_confirmed=confirmed,
        )

    def angle_tolerance(self, cfg: Config, true: float | None) -> float | None:
        """Returns the angle tolerance of the next epoch (rad).

        Args:
            cfg: settings of the run.
            true: tolerance of the true task (rad); None: goals name no rotation.
        """
        if true is None:
            return None
        return max(true, cfg.angle_tolerance_start / cfg.angle_tolerance_factor**self.tightenings)

    @property
    def phase(self) -> str:
        """The phase of training: early, late or fine."""
        if self.fine_hits >= HITS:
            return "fine"
        return "late" if self.late_hits >= HITS else "early"

    def lr_scale(self, cfg: Config) -> float:
        """Factor on both learning rates."""
        return {"early": 1.0, "late": cfg.late_lr, "fine": cfg.fine_lr}[self.phase]

    def p_starts(self, cfg: Config) -> dict[str, float]:
        """Probabilities that a training episode has an easy start, by its name; they never rise."""
        share = max(0.0, 1.0 - self.best / cfg.easy_start_until)
        return {"pregrasp": share * cfg.pregrasp_start, "grasp": share * cfg.grasp_start}

    def k(self, cfg: Config) -> float:
        """Hindsight goals per original goal."""
        return self._now(cfg.k, cfg.late_k)

    def exploration(self, cfg: Config) -> Exploration:
        """Exploration of training episodes."""
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
        """Returns the value for the present phase; `late` None: it never changes."""
        return early if self.phase == "early" or late is None else late


def _reached(success: float, threshold: float | None) -> bool:
    return threshold is not None and success >= threshold
