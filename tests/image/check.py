"""`scripts/qemu --check`: from the power button to a clean end, as an operator sees it."""

from __future__ import annotations

import hashlib
import json
import re
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from image import jpeg, report, traffic
from imaging import gpt
from image.broker import Broker, Message, free_port
from image.emulator import PROVISION_SAYS, Disks, Emulator, EmulatorError, holds
from image.login import Person
from image.machine import Machine
from image.phases import CheckFailed, Phases
from image.provisioning import HOST_IN_GUEST, VIVID, Provisioning

CAMERA = "gate-7"
# On vivid's colour bars there is nobody, on the rendered clip somebody comes: one rule fires, the other must not.
FIRES, QUIET = "fires", "quiet"
SAYS = {
    "vivid": {FIRES: "alert me when nobody is at the desk for 2 seconds", QUIET: "alert me when a person is in view"},
    "clip": {FIRES: "alert me when a person is in view", QUIET: "alert me when there are more than 60 people"},
}
ILL, ILL_SAYS = "ill", "tell me when it is too busy"
GONE, GONE_SAYS = "gone", "alert me when there are more than 4 people for 3 seconds"

# The console of a machine on its way, in order.
FIRMWARE = re.compile(rb"UEFI|BdsDxe|EDK II", re.I)
KERNEL = re.compile(rb"EFI stub:|Booting Linux on|Linux version|systemd\[1\]")

POWER_OFF_S = 120.0
# What is left free at the end of the medium by a partition that was grown to it.
GROWN_SLACK = 4 << 20


@dataclass
class Options:
    """What the command line said."""

    image: Path
    fast: bool = False
    memory_mib: int = 1536
    disk_size: str = "4G"
    timeout_s: float = 600.0
    # What the camera looks at: a key of `SAYS`, and its `[source]`.
    camera: str = "vivid"
    source: dict[str, str | int] = field(default_factory=lambda: dict(VIVID))


@dataclass
class Camera:
    """A machine that runs, and the broker that it talks to."""

    machine: Machine
    broker: Broker
    timeout_s: float

    def await_message(self, what: str, wanted: Callable[[Message], bool], after: int = 0,
                      timeout_s: float | None = None) -> tuple[int, Message]:
        """Waits for a message; raises `CheckFailed` in time, or as soon as the machine is off."""
        limit = timeout_s or self.timeout_s
        found = self.broker.wait(wanted, limit, after, lambda: self.machine.running)
        if found is None:
            if not self.machine.running:
                raise CheckFailed(f"the camera went off before {what} ({self.machine.why_ended()})")
            raise CheckFailed(f"{what} did not come within {limit:.0f} s")
        return found

    def await_state(self, topic: str, what: str, wanted: Callable[[dict], bool], after: int = 0,  # type: ignore[type-arg]
                    timeout_s: float | None = None) -> tuple[int, dict]:  # type: ignore[type-arg]
        """Waits for JSON on a topic of the camera."""
        last = b""

        def suits(message: Message) -> bool:
            nonlocal last
            if message.topic != f"{self.broker.root}/{topic}" or not message.payload:
                return False
            last = message.payload
            return wanted(parsed(message))

        try:
            number, message = self.await_message(f"{what} on …/{topic}", suits, after, timeout_s)
        except CheckFailed as error:
            raise CheckFailed(f"{error}; the last one was {last.decode(errors='replace')[:600] or 'none'}") from None
        return number, parsed(message)

    def await_console(self, pattern: re.Pattern[bytes], what: str) -> None:
        end = time.monotonic() + self.timeout_s
        while not pattern.search(self.machine.console.read_bytes() if self.machine.console.is_file() else b""):
            if not self.machine.running:
                raise CheckFailed(f"the camera went off before {what} ({self.machine.why_ended()})")
            if time.monotonic() > end:
                raise CheckFailed(f"no {what} on the console within {self.timeout_s:.0f} s")
            time.sleep(0.1)

    def await_report(self) -> report.Report:
        end = time.monotonic() + self.timeout_s
        while True:
            text = self.machine.report.read_text(errors="replace") if self.machine.report.is_file() else ""
            read = report.parse(text)
            if read.complete:
                return read
            if not self.machine.running or time.monotonic() > end:
                raise CheckFailed(f"the report from inside has only {', '.join(read.sections) or 'nothing'}: "
                                  "does watchword-report.service run?")
            time.sleep(0.5)

    def set_rule(self, rule: str, text: str) -> tuple[int, dict]:  # type: ignore[type-arg]
        """Says a sentence and waits for its echo."""
        after = len(self.broker.messages())
        self.broker.publish(f"rules/{rule}/set", text)
        return self.await_state(f"rules/{rule}", "an echo", lambda echo: echo.get("text") == text, after)


def parsed(message: Message) -> dict:  # type: ignore[type-arg]
    """A JSON object; an empty one if the payload is none."""
    try:
        value = json.loads(message.payload)
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}


def status_of(message: Message) -> str:
    """The payload of `…/status`, which is JSON text."""
    return message.payload.decode(errors="replace").strip().strip('"')


def expect(condition: object, why: str) -> None:
    if not condition:
        raise CheckFailed(why)


class Check:
    """One run. `folder` holds the disks, `logs` what is kept if it fails."""

    def __init__(self, options: Options, emulator: Emulator, phases: Phases, folder: Path, logs: Path) -> None:
        self.options = options
        self.emulator = emulator
        self.phases = phases
        self.folder = folder
        self.logs = logs
        self.says = SAYS[options.camera]
        self.open: list[Machine | Broker] = []
        self.capture = True
        self.online_s: float | None = None
        # Who may log in; with --fast nobody, so that SSH has to be off.
        self.person: Person | None = None
        self.ssh_port = 0

    def run(self) -> None:
        """All phases; the first failure ends them. Nothing is left running either way."""
        try:
            self._run()
        except BaseException:
            self._provisioning_says()
            raise
        finally:
            self.close()

    def close(self) -> None:
        for each in reversed(self.open):
            each.cut_power() if isinstance(each, Machine) else each.stop()
        self.open.clear()

    def broker(self, logs: Path, before: Broker | None = None) -> Broker:
        """A broker that has heard nothing yet, on the port and with the password of an earlier one if there is one."""
        broker = Broker(CAMERA, self.folder / logs.name / "broker", logs, before.port if before else None,
                        before.password if before else None)
        self.open.append(broker)
        broker.start()
        return broker

    def machine(self, logs: Path, disks: Disks | None = None, snapshot: str | None = None) -> Machine:
        """A machine that is on."""
        forwards = [(self.ssh_port, 22)] if self.person else []
        machine = Machine(disks or self.disks, logs, self.options.memory_mib, forwards, snapshot=snapshot,
                          capture=self.capture)
        self.open.append(machine)
        machine.start()
        return machine

    def prepare(self) -> tuple[Broker, gpt.Table]:
        """The disks, provisioned, and the broker; and the partition table before anything ran."""
        with self.phases.phase("disk and broker"):
            broker = self.broker(self.logs)
            provisioning = Provisioning(CAMERA, f"mqtt://{HOST_IN_GUEST}:{broker.port}", CAMERA, broker.password,
                                        source=self.options.source, ssh_key=self.person.public if self.person else "")
            self.disks = Disks.make(self.emulator, self.options.image, self.folder, self.options.disk_size,
                                    provisioning.text())
            before = self.disks.table(self.folder)
            # Else finding nothing later would prove nothing.
            esp = self.disks.partition("esp", self.folder)
            expect(holds(esp, broker.password.encode()), "the provisioning file did not get onto the ESP")
            esp.unlink()
        return broker, before

    def _run(self) -> None:
        if not self.options.fast:
            self.person, self.ssh_port = Person(self.folder), free_port()
        broker, before = self.prepare()
        camera = self.first_boot(broker)
        inside = self._orders(camera)
        self._power_off(camera, "")
        self._traffic(camera)
        self._disk(before, broker.password)
        if not self.options.fast:
            self._second_boot(broker, inside)

    def first_boot(self, broker: Broker) -> Camera:
        """From the power button to `online`."""
        with self.phases.phase("firmware"):
            machine = self.machine(self.logs)
            camera = Camera(machine, broker, self.options.timeout_s)
            camera.await_console(FIRMWARE, "firmware")
        with self.phases.phase("kernel"):
            camera.await_console(KERNEL, "kernel")
        self.online(camera, "provisioned and online")
        return camera

    def online(self, camera: Camera, name: str) -> None:
        """Waits until it says so."""
        topic = f"{camera.broker.root}/status"
        with self.phases.phase(name) as phase:
            camera.await_message("status online", lambda m: m.topic == topic and status_of(m) == "online")
            seconds = camera.machine.seconds()
            self.online_s = self.online_s or seconds
            phase.detail = f"{seconds:.1f} s after power-on"

    def _orders(self, camera: Camera) -> report.Report:
        broker = camera.broker
        with self.phases.phase("info") as phase:
            _, info = camera.await_state("info", "what the camera is", lambda info: info.get("v") == 1)
            expect(info.get("camera") == CAMERA, f"it calls itself {info.get('camera')}")
            expect(info.get("models"), f"it names no model: {info}")
            expect({"rules", "ask"} <= set(info.get("capabilities", [])), f"it can't do its job: {info}")
            expect(info.get("limits", {}).get("rules", 0) > 0, f"it has no room for rules: {info}")
            phase.detail = f"{info['board']} {info['version']}, {', '.join(info['models'])}"
        with self.phases.phase("pictures"):
            camera.await_state("source", "that pictures come", lambda source: source.get("state") == "live")
        with self.phases.phase("a sentence becomes a rule") as phase:
            armed, echo = camera.set_rule(FIRES, self.says[FIRES])
            expect(echo.get("state") in ("armed", "slowed") and echo.get("says"), f"it is not armed: {echo}")
            phase.detail = f"{echo['state']}: {echo['says']}"
        with self.phases.phase("an ill sentence is refused") as phase:
            _, echo = camera.set_rule(ILL, ILL_SAYS)
            error = echo.get("error") or {}
            expect(echo.get("state") == "rejected" and error.get("kind") and error.get("why"), f"it is not refused: {echo}")
            phase.detail = f"{error['kind']}: {error['why']}"
        with self.phases.phase("a rule is deleted"):
            said, _ = camera.set_rule(GONE, GONE_SAYS)
            broker.publish(f"rules/{GONE}/set", "")
            topic = f"{broker.root}/rules/{GONE}"
            camera.await_message("the end of the deleted rule's echo", lambda m: m.topic == topic and not m.payload, said)
            # Its topics are cleared one after the other.
            end = time.monotonic() + 30
            while True:
                kept = broker.retained("rules/#")
                left = [each for each in kept if each == topic or each.startswith(f"{topic}/")]
                if not left or time.monotonic() > end:
                    break
            expect(not left, f"the broker still keeps {', '.join(left)}")
            expect(kept.get(f"{broker.root}/rules/{FIRES}"), "the other rule's echo is not retained")
        watched, _ = camera.set_rule(QUIET, self.says[QUIET])
        with self.phases.phase("an alert with its picture") as phase:
            phase.detail = self._alert(camera, armed)
        with self.phases.phase("the other rule is looked at") as phase:
            _, why = camera.await_state(
                f"rules/{QUIET}/why", "an answer of the model",
                lambda why: any(not each["text"].startswith(("unknown", "not looked at")) for each in why.get("why", [])), watched)
            phase.detail = why["why"][-1]["text"]
        with self.phases.phase("report from inside") as phase:
            phase.detail = self._judge(inside := camera.await_report())
        if self.person:
            with self.phases.phase("a key opens SSH, and nothing else does"):
                self.person.log_in(self.ssh_port)
                self.person.try_without_key(self.ssh_port)
        with self.phases.phase("no alert that should not be"):
            wrong = [parsed(m) for m in broker.messages() if m.topic == f"{broker.root}/alerts"]
            wrong = [alert for alert in wrong if alert.get("rule") != FIRES]
            expect(not wrong, f"there was {wrong[:1]}")
        return inside

    def _alert(self, camera: Camera, after: int) -> str:
        root = camera.broker.root
        number, alert = camera.await_state("alerts", "an alert of the rule", lambda alert: alert.get("rule") == FIRES, after)
        expect(alert.get("phase") == "new", f"the rule's first alert is not new: {alert}")
        evidence = alert.get("evidence") or {}
        pictures = [m for m in camera.broker.messages()[:number] if m.topic == f"{root}/alerts/{FIRES}/image"]
        expect(pictures, "no picture came before the alert")
        picture = pictures[-1].payload
        found = hashlib.sha256(picture).hexdigest()
        expect(found == evidence.get("image_sha256"),
               f"the picture has SHA-256 {found}, the alert says {evidence.get('image_sha256')}")
        (self.logs / "alert.jpg").write_bytes(picture)
        try:
            read = jpeg.read(picture)
        except jpeg.JpegError as error:
            raise CheckFailed(f"the picture is no JPEG: {error}") from None
        return f"{alert.get('says')} ({read.width}x{read.height}, {len(picture)} bytes, model {evidence.get('model')})"

    def _judge(self, inside: report.Report) -> str:
        (self.logs / "report.txt").write_text(
            "\n".join(f"== {name}\n{text}\n" for name, text in inside.sections.items()))
        expect(not inside.broken(), f"the report is not whole: {inside.broken()}")
        expect(not inside.failed_units(), f"units failed: {', '.join(inside.failed_units())}")
        wrong = inside.undocumented(ssh=self.person is not None)
        expect(not wrong, f"undocumented sockets listen: {', '.join(map(str, wrong))}")
        expect(not inside.passwords(), f"accounts have passwords: {', '.join(inside.passwords())}")
        expect(inside.watchdogs(), "there is no watchdog")
        expect(not inside.disk_errors(), f"the disk has errors: {inside.disk_errors()[:1]}")
        boot = inside.boot_seconds()
        listening = sum(each.reachable for each in inside.sockets())
        return f"{f'booted in {boot:.0f} s' if boot else 'still booting'}, {listening} sockets to the network, all documented"

    def _power_off(self, camera: Camera, name: str) -> None:
        topic = f"{camera.broker.root}/status"
        heard = len(camera.broker.messages())
        with self.phases.phase(f"power-off{name}"):
            camera.machine.press_power()
            expect(camera.machine.wait(POWER_OFF_S), f"it is still on {POWER_OFF_S:.0f} s after the power button")
            by = camera.machine.shut_down_by()
            expect(by == "guest-shutdown", f"it did not shut down, but: {by or camera.machine.why_ended()}")
        with self.phases.phase(f"the camera said that it stops{name}"):
            # The broker has had it for long; this is for the watcher's pipe.
            camera.broker.wait(lambda m: m.topic == topic, 5, heard)
            said = [status_of(m) for m in camera.broker.messages()[heard:] if m.topic == topic]
            expect(said == ["stopped"], f"its last words were {said}, not 'stopped'")

    def _traffic(self, camera: Camera) -> None:
        with self.phases.phase("it talked to nobody else") as phase:
            found = traffic.peers(camera.machine.traffic.read_bytes())
            broker = traffic.Peer("tcp", HOST_IN_GUEST, camera.broker.port)
            expect(broker in found, f"the capture does not even show its broker, only {', '.join(map(str, found))}")
            source = urlsplit(str(self.options.source.get("url", "")))
            known = {broker, traffic.Peer("tcp", source.hostname or "", source.port or 554)}
            wrong = traffic.strangers(found, known)
            expect(not wrong, f"it talked to {', '.join(map(str, wrong))}")
            others = {traffic.SERVICES[peer.protocol, peer.port] for peer in found - known}
            phase.detail = ", ".join(["its broker", *sorted(others)])

    def _disk(self, before: gpt.Table, password: str) -> None:
        with self.phases.phase("no secret is left on the ESP") as phase:
            esp = self.disks.partition("esp", self.folder)
            try:
                expect(not holds(esp, password.encode()), "the broker's password is still there in its raw bytes")
                phase.detail = self._words(esp)
                expect("provision.toml" not in self.emulator.tool("mdir", "-b", "-i", esp, "::"),
                       "provision.toml is still there")
            finally:
                esp.unlink()
        with self.phases.phase("the data partition fills the medium") as phase:
            after = self.disks.table(self.folder)
            phase.detail = f"{before['data'].size >> 20} MiB became {after['data'].size >> 20} MiB"
            expect(after["data"].size > before["data"].size, "it did not grow")
            size = json.loads(self.emulator.image("info", "--output=json", self.disks.medium))["virtual-size"]
            expect(after["data"].end >= size - GROWN_SLACK, f"it ends {size - after['data'].end} bytes before the medium's end")
            others = {p.label: p.start for p in before.partitions if p.label != "data"}
            expect(others == {p.label: p.start for p in after.partitions if p.label != "data"}, "other partitions moved")
        with self.phases.phase("the data's file system is whole"):
            self.check_file_system(self.disks)

    def check_file_system(self, disks: Disks) -> str:
        """Checks ext4 on the data partition of a machine that is off, on a copy: replaying the journal is allowed,
        finding an error is not."""
        data = disks.partition("data", self.folder)
        try:
            # 1: mended, which a journal's replay counts as. 4 and more: not to be mended without asking.
            said = self.emulator.tool("e2fsck", "-f", "-p", data, ok=(0, 1))
            self.emulator.tool("e2fsck", "-f", "-n", data)
            return said.strip()
        except EmulatorError as error:
            raise CheckFailed(f"the data partition's file system is broken: {error}") from None
        finally:
            data.unlink()

    def _second_boot(self, first: Broker, before: report.Report) -> None:
        first.stop()
        logs = self.logs / "second-boot"
        # A broker that has never heard of it: what is said now comes from the camera's own disk.
        with self.phases.phase("second boot: on"):
            broker = self.broker(logs, first)
            camera = Camera(self.machine(logs), broker, self.options.timeout_s)
        self.online(camera, "second boot: online")
        with self.phases.phase("second boot: rules are still there"):
            for rule, text in self.says.items():
                camera.await_state(f"rules/{rule}", "the rule's echo", lambda echo, text=text: (  # type: ignore[misc]
                    echo.get("text") == text and echo.get("state") in ("armed", "slowed")))
            kept = broker.retained(f"rules/{GONE}")
            expect(not kept, "the deleted rule is back")
        with self.phases.phase("second boot: report from inside") as phase:
            inside = camera.await_report()
            (logs / "report.txt").write_text("\n".join(f"== {name}\n{text}\n" for name, text in inside.sections.items()))
            expect(not inside.broken(), f"the report is not whole: {inside.broken()}")
            expect(not inside.failed_units(), f"units failed: {', '.join(inside.failed_units())}")
            wrong = inside.undocumented(ssh=self.person is not None)
            expect(not wrong, f"undocumented sockets listen: {', '.join(map(str, wrong))}")
            expect(inside.identity() == before.identity() and before.identity(),
                   f"it is another camera: {before.identity()} became {inside.identity()}")
            phase.detail = f"booted in {inside.boot_seconds()} s, the same identity"
        self._power_off(camera, ", second boot")

    def _words(self, esp: Path) -> str:
        """What the camera left on the ESP for people."""
        said = []
        for name in PROVISION_SAYS:
            try:
                said.append(f"{name}: {' '.join(self.emulator.tool('mtype', '-i', esp, f'::{name}').split())[:300]}")
            except EmulatorError:
                continue
        return "; ".join(said)

    def _provisioning_says(self) -> None:
        """After a failure: what the camera wrote onto the ESP, into the logs."""
        self.close()
        try:
            esp = self.disks.partition("esp", self.folder)
            (self.logs / "provisioning.txt").write_text(self._words(esp) + "\n")
            esp.unlink()
        except (AttributeError, EmulatorError, OSError, gpt.GptError):
            # There is no disk yet, or none that can be read: nothing to add to the failure itself.
            pass
