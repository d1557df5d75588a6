"""A virtual camera: one QEMU process, talked to over QMP."""

from __future__ import annotations

import json
import os
import queue
import signal
import socket
import subprocess
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

from image.emulator import Disks, EmulatorError
from image.traffic import KEPT_BYTES

# The port that the image's watchword-report.service writes to.
REPORT_PORT = "watchword.report"
CALL_TIMEOUT_S = 300.0


class Qmp:
    """QEMU's machine protocol over a socket (QEMU's docs/interop/qmp-spec)."""

    def __init__(self, sock: socket.socket) -> None:
        self._socket = sock
        self._replies: queue.Queue[dict[str, object] | None] = queue.Queue()
        self._lock = threading.Lock()
        self.events: list[dict[str, object]] = []
        threading.Thread(target=self._read, daemon=True).start()
        self.call("qmp_capabilities")

    def _read(self) -> None:
        # Bounded by what a machine says in its life: a handful of events, one reply a call.
        try:
            for line in self._socket.makefile("rb"):
                message = json.loads(line)
                if "event" in message:
                    self.events.append(message)
                elif "QMP" not in message:
                    self._replies.put(message)
        except (OSError, ValueError):
            pass
        self._replies.put(None)

    def call(self, command: str, **arguments: object) -> object:
        """Runs a command; raises `EmulatorError` if QEMU refuses it, is gone, or says nothing."""
        with self._lock:
            text = json.dumps({"execute": command, **({"arguments": arguments} if arguments else {})})
            try:
                self._socket.sendall(text.encode() + b"\n")
                reply = self._replies.get(timeout=CALL_TIMEOUT_S)
            except (OSError, queue.Empty) as error:
                raise EmulatorError(f"the emulator does not answer {command}: {error!r}") from None
        if reply is None:
            raise EmulatorError(f"the emulator ended while it was told {command}; its log says why")
        if "error" in reply:
            raise EmulatorError(f"the emulator refuses {command}: {reply['error']}")
        return reply.get("return")

    def monitor(self, line: str) -> str:
        """A command of the human monitor; what it says is an error for those used here."""
        said = str(self.call("human-monitor-command", **{"command-line": line})).strip()
        if said:
            raise EmulatorError(f"the emulator says to '{line}': {said}")
        return said

    def close(self) -> None:
        self._socket.close()


@dataclass
class Machine:
    """A virtual camera that is switched on by `start`."""

    disks: Disks
    # Console, report and the emulator's own words go there.
    logs: Path
    memory_mib: int = 1536
    # Ports of this machine's loopback that lead into the camera: (here, there).
    forwards: list[tuple[int, int]] = field(default_factory=list)
    # The console is the terminal; else a file.
    interactive: bool = False
    # Whether what goes over its wire is kept, the heads of packets.
    capture: bool = False
    # A snapshot to go on from.
    snapshot: str | None = None
    qmp: Qmp | None = None
    process: subprocess.Popen[bytes] | None = None
    since: float = 0.0

    @property
    def console(self) -> Path:
        return self.logs / "console.log"

    @property
    def report(self) -> Path:
        return self.logs / "report.log"

    @property
    def traffic(self) -> Path:
        return self.logs / "network.pcap"

    def command(self, qmp_fd: int) -> list[str]:
        """QEMU's command line."""
        emulator = self.disks.emulator
        forwards = "".join(f",hostfwd=tcp:127.0.0.1:{here}-:{there}" for here, there in self.forwards)
        command: list[str | Path] = [
            emulator.qemu.bin / "qemu-system-aarch64", "-nodefaults", "-no-user-config", "-L", emulator.data,
            # Pointer authentication by the architecture's own cipher would take most of the time.
            "-machine", "virt", "-cpu", "max,pauth-impdef=on", "-smp", "2", "-accel", "tcg,thread=multi",
            "-m", str(self.memory_mib), "-rtc", "base=utc", "-display", "none",
            "-drive", f"if=pflash,unit=0,format=raw,readonly=on,file={emulator.firmware}",
            "-drive", f"if=pflash,unit=1,format=qcow2,file={self.disks.variables}",
            "-drive", f"if=none,id=medium,format=qcow2,discard=unmap,file={self.disks.medium}",
            "-device", "virtio-blk-pci,drive=medium,bootindex=0",
            # No option ROM: nobody boots over the network.
            "-netdev", f"user,id=network{forwards}", "-device", "virtio-net-pci,netdev=network,romfile=",
            "-device", "virtio-rng-pci", "-device", "i6300esb",
            "-device", "virtio-serial-pci", "-chardev", f"file,id=report,path={self.report}",
            "-device", f"virtserialport,chardev=report,name={REPORT_PORT}",
            "-chardev", f"socket,id=qmp,fd={qmp_fd}", "-mon", "chardev=qmp,mode=control",
        ]
        if self.interactive:
            command += ["-serial", "mon:stdio"]
        else:
            # A camera that resets itself under test has failed; the emulator ends instead.
            command += ["-serial", f"file:{self.console}", "-no-reboot"]
        if self.capture:
            command += ["-object", f"filter-dump,id=capture,netdev=network,maxlen={KEPT_BYTES},file={self.traffic}"]
        if self.snapshot:
            command += ["-loadvm", self.snapshot]
        return [str(word) for word in command]

    def start(self) -> None:
        """Switches it on."""
        self.logs.mkdir(parents=True, exist_ok=True)
        ours, theirs = socket.socketpair()
        with theirs, (self.logs / "emulator.log").open("ab") as log:
            self.process = subprocess.Popen(
                self.command(theirs.fileno()), pass_fds=[theirs.fileno()], env=self.disks.emulator.environment,
                stdin=None if self.interactive else subprocess.DEVNULL,
                stdout=None if self.interactive else log, stderr=log if not self.interactive else None,
                start_new_session=not self.interactive)
        self.since = time.monotonic()
        self.qmp = Qmp(ours)

    @property
    def running(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def seconds(self) -> float:
        """Since it was switched on."""
        return time.monotonic() - self.since

    def why_ended(self) -> str:
        """Of a machine that is not running: what is known."""
        reasons = []
        for event in self.qmp.events if self.qmp else []:
            data = event.get("data")
            if event["event"] in ("SHUTDOWN", "WATCHDOG", "GUEST_PANICKED"):
                reasons.append(f"{event['event']} {data if isinstance(data, dict) else ''}".strip())
        status = self.process.poll() if self.process else None
        log = self.logs / "emulator.log"
        said = log.read_text(errors="replace").strip()[-500:] if log.is_file() else ""
        return "; ".join(filter(None, [", ".join(reasons), f"the emulator's exit status is {status}", said]))

    def shut_down_by(self) -> str | None:
        """Why the machine went off, in QEMU's words (`guest-shutdown`, `guest-reset`, …)."""
        for event in self.qmp.events if self.qmp else []:
            data = event.get("data")
            if event["event"] == "SHUTDOWN" and isinstance(data, dict):
                return str(data.get("reason"))
        return None

    def press_power(self) -> None:
        """Presses the power button."""
        assert self.qmp
        self.qmp.call("system_powerdown")

    def save(self, name: str) -> None:
        """Keeps the running machine as a snapshot in its disks."""
        assert self.qmp
        self.qmp.monitor(f"savevm {name}")

    def wait(self, timeout_s: float) -> bool:
        """Whether it is off within that time."""
        assert self.process
        try:
            self.process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            return False
        return True

    def cut_power(self) -> None:
        """Pulls the plug: what is not on the medium is lost."""
        if self.running:
            assert self.process
            os.kill(self.process.pid, signal.SIGKILL)
            self.process.wait()
        if self.qmp:
            self.qmp.close()
