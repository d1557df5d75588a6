"""What every part of flashing says and counts with."""

from __future__ import annotations

import sys
import time

CHUNK = 4 << 20
SECTOR = 512


class Refused(Exception):
    """Nothing was touched."""


class Failed(Exception):
    """The target may hold half an image."""


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


class Progress:
    """A line that renews itself on a terminal, a line each ten seconds elsewhere."""

    def __init__(self, label: str, total: int) -> None:
        self.label, self.total, self.done = label, total, 0
        self.begun = self.shown = time.monotonic()

    def add(self, count: int) -> None:
        self.done += count
        now = time.monotonic()
        terminal = sys.stderr.isatty()
        if now - self.shown < (0.5 if terminal else 10):
            return
        self.shown = now
        rate = self.done / max(now - self.begun, 1e-3)
        left = (self.total - self.done) / max(rate, 1)
        line = (f"{self.label} {human(self.done)} of {human(self.total)}, {rate / 1e6:.1f} MB/s, "
                f"{left:.0f} s left")
        print(f"\r\033[K{line}" if terminal else line, end="" if terminal else "\n", file=sys.stderr,
              flush=True)

    def end(self) -> None:
        seconds = max(time.monotonic() - self.begun, 1e-3)
        clear = "\r\033[K" if sys.stderr.isatty() else ""
        print(f"{clear}{self.label} {human(self.done)} in {seconds:.1f} s "
              f"({self.done / seconds / 1e6:.1f} MB/s)", file=sys.stderr)


def human(count: int) -> str:
    """Decimal, as on the card's label."""
    if count < 1000:
        return f"{count} B"
    value, unit = count / 1e3, "kB"
    for larger in ("MB", "GB", "TB"):
        if value >= 999.95:
            value, unit = value / 1e3, larger
    return f"{value:.1f} {unit}"
