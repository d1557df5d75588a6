"""What was done, how long it took, and how it went."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field


class CheckFailed(Exception):
    """What the camera did not do, in a sentence."""


@dataclass
class Phase:
    """One line of the table."""

    name: str
    seconds: float = 0.0
    ok: bool = False
    detail: str = ""


@dataclass
class Phases:
    """The table, which is also told line by line while it grows."""

    quiet: bool = False
    done: list[Phase] = field(default_factory=list)

    @contextmanager
    def phase(self, name: str) -> Iterator[Phase]:
        """Times what is done within; whatever it raises makes the phase a failed one and goes on up."""
        phase = Phase(name)
        self.tell(f"… {name}")
        start = time.monotonic()
        try:
            yield phase
            phase.ok = True
        except BaseException as error:
            phase.detail = str(error) or type(error).__name__
            raise
        finally:
            phase.seconds = time.monotonic() - start
            self.done.append(phase)
            self.tell(f"  {self.line(phase)}")

    def tell(self, text: str) -> None:
        """A line of progress; on standard error if standard output is for JSON."""
        print(text, file=sys.stderr if self.quiet else sys.stdout, flush=True)

    @staticmethod
    def line(phase: Phase) -> str:
        return f"{'ok' if phase.ok else 'FAILED':<7}{phase.seconds:7.1f} s  {phase.name}" + (
            f": {phase.detail}" if phase.detail else "")

    @property
    def ok(self) -> bool:
        return bool(self.done) and all(phase.ok for phase in self.done)

    def table(self) -> str:
        total = sum(phase.seconds for phase in self.done)
        failed = sum(not phase.ok for phase in self.done)
        return "\n".join(["=== summary", *map(self.line, self.done),
                          f"{len(self.done) - failed} passed, {failed} failed, {total:.0f} s in all"])

    def as_json(self) -> list[dict[str, object]]:
        return [{"name": phase.name, "seconds": round(phase.seconds, 2), "ok": phase.ok, "detail": phase.detail}
                for phase in self.done]
