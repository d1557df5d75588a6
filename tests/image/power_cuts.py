"""`scripts/qemu --power-cuts`: the plug is pulled at random moments of a running machine, and nothing that
the camera acknowledged may be lost.

The machine boots once and is kept as a snapshot while its rules are armed and alerts flow. Each cut goes on
from there with copies of its disks: an operator sets, changes and deletes rules, the emulator is killed, and the
same disk boots cold. Lost is what the camera had not yet written to its disk, and what QEMU holds of the disk file's
tables until the camera flushes. What a medium itself loses of its write cache, or tears, is not simulated.
"""

from __future__ import annotations

import random
import shutil
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

from image import report
from image.broker import Broker, Message
from image.check import FIRES, Camera, Check, Options, expect, parsed
from image.emulator import Emulator
from image.phases import CheckFailed, Phases

SNAPSHOT = "armed"
# Rules that the operator changes while the plug is pulled.
CHANGING = [f"changing-{number}" for number in range(4)]
SHORTEST_S, LONGEST_S = 0.1, 8.0
# Some cuts are timed from the moment the machine goes on, when it has yet to find its broker again; the rest from
# when orders reach it.
EARLY_SHARE = 0.2


@dataclass
class Ledger:
    """What the operator ordered of one rule: sentences, `None` for none."""

    # What the camera last said that it does.
    echoed: str | None
    # What it was told and has not answered yet.
    ordered: list[str | None] = field(default_factory=list)

    def order(self, text: str | None) -> None:
        self.ordered.append(text)

    def hear(self, text: str | None) -> bool:
        """An echo; whether it answers an order."""
        if text not in self.ordered:
            return False
        self.echoed = text
        # Orders are carried out in order: those before this one are answered with it.
        del self.ordered[:self.ordered.index(text) + 1]
        return True

    @property
    def allowed(self) -> list[str | None]:
        """What may stand after a power cut now."""
        return [self.echoed, *self.ordered]


def sentence(number: int) -> str:
    """A rule unlike all others of a run."""
    return f"alert me when there are more than {1 + number % 90} people for {2 + number // 90} seconds"


class Operator(threading.Thread):
    """Orders something of each rule as soon as its last order was echoed, until told to stop."""

    def __init__(self, broker: Broker, ledgers: dict[str, Ledger], rng: random.Random, first: int) -> None:
        super().__init__(daemon=True)
        self.broker, self.ledgers, self.rng, self.number = broker, ledgers, rng, first
        self.stop = threading.Event()
        self.acknowledged = 0
        self._heard = 0

    def run(self) -> None:
        while not self.stop.is_set():
            self.listen()
            for rule, ledger in self.ledgers.items():
                if not ledger.ordered and not self.stop.is_set():
                    self._order(rule, ledger)
            time.sleep(0.02)

    def _order(self, rule: str, ledger: Ledger) -> None:
        self.number += 1
        delete = ledger.echoed is not None and self.rng.random() < 0.3
        text = None if delete else sentence(self.number)
        # Noted first: it may be carried out before `publish` returns.
        ledger.order(text)
        self.broker.publish(f"rules/{rule}/set", text or "")

    def listen(self) -> None:
        """Takes in the echoes that came since."""
        messages = self.broker.messages()
        for message in messages[self._heard:]:
            rule = rule_of(message, self.broker.root)
            if rule in self.ledgers:
                self.acknowledged += self.ledgers[rule].hear(text_of(message))
        self._heard = len(messages)


def rule_of(message: Message, root: str) -> str | None:
    """The rule whose echo a message is."""
    rest = message.topic.removeprefix(f"{root}/rules/")
    return rest if rest != message.topic and "/" not in rest else None


def text_of(message: Message) -> str | None:
    """The sentence of an echo; `None` of a rule that is gone."""
    return parsed(message).get("text") if message.payload else None


class PowerCuts(Check):
    """A run of `count` cuts; the same `seed` cuts at the same moments."""

    def __init__(self, options: Options, emulator: Emulator, phases: Phases, folder: Path, logs: Path,
                 count: int, seed: int) -> None:
        super().__init__(options, emulator, phases, folder, logs)
        self.capture = False
        self.count = count
        self.rng = random.Random(seed)
        self.seed = seed

    def _run(self) -> None:
        self.phases.tell(f"{self.count} power cuts, seed {self.seed}")
        broker, _ = self.prepare()
        camera = self.first_boot(broker)
        with self.phases.phase("rules are armed and alerts flow"):
            armed = [camera.set_rule(rule, text)[0] for rule, text in self.says.items()]
            for number, rule in enumerate(CHANGING):
                camera.set_rule(rule, sentence(number))
            camera.await_state("alerts", "an alert of the rule", lambda alert: alert.get("rule") == FIRES, armed[0])
        before = camera.await_report()
        with self.phases.phase("snapshot of the running machine"):
            camera.machine.save(SNAPSHOT)
        self.close()
        for number in range(1, self.count + 1):
            try:
                with self.phases.phase(f"cut {number} of {self.count}") as phase:
                    phase.detail = self._cut(number, broker, before)
            except CheckFailed as error:
                # The other cuts tell more about it than an early end.
                self.phases.tell(f"  cut {number}: {error}")
            finally:
                self.close()
                shutil.rmtree(self.folder / f"cut-{number}", ignore_errors=True)
        failed = [phase for phase in self.phases.done if not phase.ok]
        expect(not failed, f"{len(failed)} of {self.count} cuts did harm")

    def _cut(self, number: int, first: Broker, before: report.Report) -> str:
        logs = self.logs / f"cut-{number}"
        disks = self.disks.copy(self.folder / f"cut-{number}")
        after_s, early = self.rng.uniform(SHORTEST_S, LONGEST_S), self.rng.random() < EARLY_SHARE
        ledgers = {rule: Ledger(sentence(index)) for index, rule in enumerate(CHANGING)}

        broker = self.broker(logs / "before", first)
        machine = self.machine(logs / "before", disks, SNAPSHOT)
        camera = Camera(machine, broker, self.options.timeout_s)
        if not early:
            topic = f"{broker.root}/status"
            camera.await_message("its return to the broker", lambda m: m.topic == topic)
        operator = Operator(broker, ledgers, random.Random(self.rng.random()), 100 * number)
        operator.start()
        time.sleep(after_s)
        machine.cut_power()
        operator.stop.set()
        operator.join(30)
        # What it had said before the cut may still be on its way to us.
        time.sleep(1)
        operator.listen()
        in_flight = sum(len(ledger.ordered) for ledger in ledgers.values())
        broker.stop()
        file_system = self.check_file_system(disks)
        (logs / "e2fsck.log").write_text(file_system + "\n")

        camera = Camera(self.machine(logs / "after", disks), self.broker(logs / "after", first), self.options.timeout_s)
        topic = f"{camera.broker.root}/status"
        camera.await_message("status online after the cut", lambda m: m.topic == topic and m.payload == b"online"
                             or m.topic == topic and m.payload == b'"online"')
        online_s = camera.machine.seconds()
        self._rules_are_there(camera, ledgers)
        inside = camera.await_report()
        expect(not inside.broken(), f"the report is not whole: {inside.broken()}")
        worse = set(inside.failed_units()) - set(before.failed_units())
        expect(not worse, f"units failed that did not before: {', '.join(worse)}")
        expect(not inside.disk_errors(), f"the disk has errors: {inside.disk_errors()[:1]}")
        expect(inside.identity() == before.identity(), f"it is another camera: {inside.identity()}")
        return (f"{after_s:.1f} s after {'going on' if early else 'reconnection'}, {operator.acknowledged} orders echoed, "
                f"{in_flight} in flight; online in {online_s:.0f} s, all rules as they should be")

    def _rules_are_there(self, camera: Camera, ledgers: dict[str, Ledger]) -> None:
        for rule, text in self.says.items():
            camera.await_state(f"rules/{rule}", "the rule's echo", lambda echo, text=text: (  # type: ignore[misc]
                echo.get("text") == text and echo.get("state") in ("armed", "slowed")))
        for rule, ledger in ledgers.items():
            if None not in ledger.allowed:
                camera.await_state(f"rules/{rule}", "the rule's echo", lambda echo: bool(echo.get("text")))
        # Those that may be gone are judged when all have had the time to come.
        time.sleep(3)
        root = f"{camera.broker.root}/rules/"
        there = {topic.removeprefix(root): parsed(Message(0, True, topic, payload))
                 for topic, payload in camera.broker.retained("rules/+").items()}
        for rule, ledger in ledgers.items():
            said = there.get(rule, {}).get("text")
            expect(said in ledger.allowed, f"{rule} is {said!r}, may be {ledger.allowed}")
            expect(said is None or there[rule].get("state") in ("armed", "slowed"), f"{rule} is not armed: {there.get(rule)}")
        strange = set(there) - set(ledgers) - set(self.says)
        expect(not strange, f"rules that nobody set: {strange}")
