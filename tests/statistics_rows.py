"""Rows of statistics without a run."""


def make_row(epoch, **changes):
    """Returns the row of an epoch of 40,000 steps and 10 s."""
    values = {
        "epoch": epoch,
        "env_steps": 40_000 * epoch,
        "updates": 4000 * epoch,
        "seconds": 10.0 * epoch,
        "eval_seed": 1,
        "confirmation": None,
        "best": None,
        "actor_loss": 3.0,
        "critic_loss": 0.1,
        "q_mean": -3.0,
        "phase": "early",
        "actor_lr": 1e-3,
        "critic_lr": 1e-3,
        "angle_tolerance": None,
        "params_hash": "00ff",
        "seconds_rollouts": 3.0,
        "seconds_updates": 4.0,
        "seconds_evaluation": 2.0,
        "seconds_saving": 1.0,
    }
    for goals, success in (("", 0.5), ("_table", 0.7), ("_air", 0.3)):
        values |= {
            f"success{goals}": success,
            f"success{goals}_low": success - 0.1,
            f"success{goals}_high": success + 0.1,
            f"n{goals}": 100,
        }
    return values | changes


def success(share, n=100):
    """Returns the entries of a confirmation."""
    return {"success": share, "success_low": share - 0.01, "success_high": share + 0.01, "n": n}
