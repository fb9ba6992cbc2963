"""Shows a run while it trains: a live display on a terminal, lines elsewhere.

The live display leaves the terminal as it is: it hides no cursor and takes no keys, so a run that
is killed leaves nothing to restore. What the process prints meanwhile, and its warnings, go above
it.
"""

import os
import resource
import signal
import threading
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich.console import Console, ConsoleDimensions
from rich.live import Live
from rich.text import Text

from grasp_func.cli import status
from grasp_func.runtime.launch import launcher_rank
from grasp_func.training.progress import CycleResult, Progress

if TYPE_CHECKING:
    from grasp_func.storage.run_dir import RunPaths
    from grasp_func.storage.stats_log import Row
    from grasp_func.training.loop import EpochResult
    from grasp_func.training.setup import Run

REFRESHES = 4  # of the live display a second
SILENCE = 8.0  # seconds after which a line says what the run is doing


class Display:
    """Shows a run on the first process, and nothing on the others.

    Args:
        env_id: the environment.
        plain: print lines on a terminal, too.
    """

    def __init__(self, env_id: str, plain: bool) -> None:
        """Begins to show that the program is loaded."""
        self.status = status.Status(env_id)
        self._started = self._spoken = time.monotonic()
        self._is_root = not launcher_rank()
        self._live: Live | None = None
        self._ended = threading.Event()
        self._watch = threading.Thread(target=self._break_silence, daemon=True)
        self._terminal = None if plain or not self._is_root else terminal_of(1)
        self._console = _Console(force_terminal=True)
        if self._terminal is not None:
            self._live = Live(
                console=self._console,
                get_renderable=self._block,
                refresh_per_second=REFRESHES,
                transient=True,
                redirect_stderr=terminal_of(2) is not None,
            )
            self._live.start()
        elif self._is_root:
            self.say(status.status_line(self.status, 0.0))
            self._watch.start()

    @property
    def is_live(self) -> bool:
        """Whether the display is one that changes in place."""
        return self._live is not None

    def stage(self, text: str) -> None:
        """Shows what is done outside of training."""
        self.status.progress, self.status.stage = None, text

    def say(self, *lines: str) -> None:
        """Prints lines, above a live display."""
        self._spoken = time.monotonic()
        if self._live is not None:
            self._console.print(Text("\n".join(lines)), soft_wrap=True)
        elif self._is_root:
            print(*lines, sep="\n", flush=True)

    def begin(self, run: "Run", rows: "Sequence[Row]", paths: "RunPaths | None") -> None:
        """Shows a run; `rows` are its statistics so far, where it is resumed."""
        self.status.run, self.status.folder = run, paths and paths.backup
        for row in rows:
            self.status.on_row(row)

    def on_progress(self, progress: Progress) -> None:
        """Shows what this process is doing."""
        self.status.progress = progress

    def on_cycle(self, cycle: CycleResult) -> None:
        """Shows a cycle's results."""
        self.status.on_cycle(cycle, time.monotonic())

    def on_epoch(self, result: "EpochResult") -> None:
        """Shows an epoch's results."""
        from grasp_func.training.metrics import row_of

        assert self.status.run is not None
        self.status.on_row(row_of(self.status.run.cfg, result))
        lines = status.epoch_lines(self.status, _memory())
        self.say(*lines[: 1 if self.is_live else 2])

    def on_stop_request(self, number: int, resuming: str) -> None:
        """Shows that a signal asked the run to stop; may be called by its handler."""
        from grasp_func.runtime.process import write_stop_notice

        self.status.stop_requested = True
        # At Ctrl-C, mpirun ends the run before a live display shows anything.
        may_end_now = number == signal.SIGTERM and launcher_rank() is not None
        if may_end_now and self.status.row is None:
            resuming = "nothing is saved before the end of the first epoch"
        if may_end_now or not self.is_live:
            write_stop_notice(number, resuming)

    def close(self) -> None:
        """Removes the live display; lines may still be printed."""
        self._ended.set()
        if self._live is not None:
            self._live.stop()
            self._live = None
        elif self._watch.is_alive():
            self._watch.join()

    def _block(self) -> Text:
        assert self._terminal is not None
        self._console.size = ConsoleDimensions(*os.get_terminal_size(self._terminal))
        return status.block(self.status, time.monotonic() - self._started, _memory())

    def _break_silence(self) -> None:
        while not self._ended.wait(1.0):
            now = time.monotonic()
            if now - self._spoken >= SILENCE:
                self.say(status.status_line(self.status, now - self._started))


class _Console(Console):
    """A terminal whose cursor stays visible."""

    def show_cursor(self, show: bool = True) -> bool:
        """Does nothing."""
        return False


def terminal_of(output: int) -> int | None:
    """Returns a descriptor of the terminal that shows an output of this process.

    MPI's launchers pass the output of a process on, and Open MPI gives it a terminal of its own for
    that, also where its own output goes to a file. So their output counts, not this process's.

    Args:
        output: 1 for standard output, 2 for standard error.

    Returns:
        None where there is no terminal, or one that cannot move its cursor.
    """
    if os.environ.get("TERM", "dumb") == "dumb":
        return None
    descriptor = output
    try:
        if launcher_rank() is not None:
            descriptor = os.open(f"/proc/{os.getppid()}/fd/{output}", os.O_WRONLY | os.O_NOCTTY)
        columns, lines = os.get_terminal_size(descriptor)
    except OSError:
        return None
    return descriptor if columns and lines else None


def _memory() -> int:
    """Returns the most memory that this process has used so far (bytes)."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
