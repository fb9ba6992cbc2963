"""A terminal without a window: runs a program and shows what a person would see."""

import fcntl
import os
import pty
import select
import struct
import subprocess
import termios
import time

import pyte

COLUMNS, LINES = 110, 30


class Terminal:
    """Runs a program in a pseudo-terminal of its own."""

    def __init__(self, program, cwd, **environment):
        self.screen = pyte.HistoryScreen(COLUMNS, LINES, history=1000, ratio=0.5)
        self.raw = b""
        self._stream = pyte.ByteStream(self.screen)
        self._master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", LINES, COLUMNS, 0, 0))
        self.process = subprocess.Popen(
            program,
            cwd=cwd,
            env={**os.environ, "TERM": "xterm-256color", **environment},
            stdin=slave,
            stdout=slave,
            stderr=slave,
            preexec_fn=os.setsid,
        )
        os.close(slave)

    def read(self, seconds=0.2):
        """Takes in what the program prints; returns False once it has ended."""
        deadline = time.monotonic() + seconds
        while (left := deadline - time.monotonic()) > 0:
            if not select.select([self._master], [], [], left)[0]:
                return True
            try:
                data = os.read(self._master, 65536)
            except OSError:
                return False
            self.raw += data
            self._stream.feed(data)
        return True

    def wait_for(self, text, seconds=120):
        """Takes in output until a text is on the screen, and returns the screen."""
        return self.wait_until(lambda screen: text in screen, text, seconds)

    def wait_until(self, holds, what, seconds=120):
        """Takes in output until a function of the screen holds, and returns the screen.

        A program's output arrives in parts, so a screen may be one that is half drawn.
        """
        deadline = time.monotonic() + seconds
        while not holds(self.text):
            assert self.read(0.1), f"ended without {what!r}:\n{self.history}"
            assert time.monotonic() < deadline, f"no {what!r} on the screen:\n{self.text}"
        return self.text

    def finish(self, seconds=120):
        """Takes in output until the program ends; returns all that has not been overwritten."""
        deadline = time.monotonic() + seconds
        while self.read():
            assert time.monotonic() < deadline, self.text
        self.process.wait(10)
        return self.history

    @property
    def text(self):
        """What is on the screen."""
        return "\n".join(line.rstrip() for line in self.screen.display).rstrip()

    @property
    def history(self):
        """What has scrolled off the screen, and what is on it."""
        above = ["".join(row[x].data for x in range(COLUMNS)) for row in self.screen.history.top]
        return "\n".join([*(line.rstrip() for line in above), self.text])
