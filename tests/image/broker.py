"""A Mosquitto broker of a run's own, and an operator that sees everything and says little."""

from __future__ import annotations

import os
import pwd
import secrets
import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from image.emulator import EmulatorError, run

OPERATOR = "operator"


@dataclass(frozen=True)
class Message:
    """What the broker passed on. `at` is seconds of this machine's monotonic clock."""

    at: float
    retained: bool
    topic: str
    payload: bytes


def free_port() -> int:
    """A TCP port of loopback that nobody uses now."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


def find(program: str) -> str:
    """Where a program of Mosquitto's is."""
    found = shutil.which(program, path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")
    if found is None:
        raise EmulatorError(f"{program} is missing: run scripts/setup-host test (packages mosquitto, mosquitto-clients)")
    return found


class Broker:
    """Mosquitto on loopback: a password for the camera and one for the operator, nobody else."""

    def __init__(self, camera: str, folder: Path, logs: Path, port: int | None = None,
                 password: str | None = None) -> None:
        self.camera = camera
        self.port = port or free_port()
        # Hexadecimal, so that it stands in a TOML file, on FAT and in ext4 as the same bytes.
        self.password = password or secrets.token_hex(16)
        self.folder = folder
        self.logs = logs
        self.operator_password = secrets.token_hex(16)
        self._process: subprocess.Popen[bytes] | None = None
        self._watcher: subprocess.Popen[str] | None = None
        self._news = threading.Condition()
        self._messages: list[Message] = []

    @property
    def root(self) -> str:
        return f"watchword/{self.camera}"

    def start(self) -> None:
        """Starts the broker, and begins to watch and to write down what is said."""
        self.folder.mkdir(parents=True, exist_ok=True)
        self.logs.mkdir(parents=True, exist_ok=True)
        passwords, access, configuration, client = (
            self.folder / name for name in ("passwords", "access", "mosquitto.conf", "mosquitto_sub"))
        for file in (passwords, client):
            file.touch(mode=0o600)
        passwords.write_text(f"{self.camera}:{self.password}\n{OPERATOR}:{self.operator_password}\n")
        run([find("mosquitto_passwd"), "-U", passwords])
        access.write_text(
            f"user {self.camera}\ntopic readwrite {self.root}/#\n"
            f"topic write homeassistant/device/watchword_{self.camera}/config\ntopic read homeassistant/status\n\n"
            f"user {OPERATOR}\ntopic readwrite watchword/#\n")
        configuration.write_text(
            f"listener {self.port} 127.0.0.1\nallow_anonymous false\npassword_file {passwords}\nacl_file {access}\n"
            # Root would become another user, who may not read the files.
            f"user {pwd.getpwuid(os.getuid()).pw_name}\n"
            "persistence false\nlog_type all\nlog_dest stdout\nlog_timestamp_format %Y-%m-%dT%H:%M:%S\n")
        # Options of the clients come from a file, so that the password is in no process list.
        client.write_text(f"-h 127.0.0.1\n-p {self.port}\n-u {OPERATOR}\n-P {self.operator_password}\n-q 1\n")
        shutil.copy(client, self.folder / "mosquitto_pub")
        with (self.logs / "broker.log").open("ab") as log:
            self._process = subprocess.Popen([find("mosquitto"), "-c", configuration], stdout=log,
                                             stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, start_new_session=True)
        self._until_it_listens()
        with (self.logs / "watcher.log").open("ab") as log:
            self._watcher = subprocess.Popen(
                [find("mosquitto_sub"), "-t", "watchword/#", "-F", "%r %t %x"], env=self._environment(),
                stdout=subprocess.PIPE, stderr=log, stdin=subprocess.DEVNULL, text=True, start_new_session=True)
        threading.Thread(target=self._watch, daemon=True).start()

    def _environment(self) -> dict[str, str]:
        return {**os.environ, "XDG_CONFIG_HOME": str(self.folder)}

    def _until_it_listens(self) -> None:
        assert self._process
        end = time.monotonic() + 30
        while time.monotonic() < end and self._process.poll() is None:
            try:
                socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
                return
            except OSError:
                time.sleep(0.05)
        raise EmulatorError(f"Mosquitto does not start on port {self.port}; see {self.logs / 'broker.log'}")

    def _watch(self) -> None:
        assert self._watcher and self._watcher.stdout
        with (self.logs / "mqtt.log").open("a") as trace:
            for line in self._watcher.stdout:
                now = time.monotonic()
                retained, topic, payload = (line.rstrip("\n").split(" ") + [""])[:3]
                message = Message(now, retained == "1", topic, bytes.fromhex(payload))
                trace.write(f"{time.strftime('%H:%M:%S')} {'r' if message.retained else ' '} {topic} {_shown(message)}\n")
                trace.flush()
                with self._news:
                    # All are kept: a run sees some thousands at most, and is judged by their order.
                    self._messages.append(message)
                    self._news.notify_all()

    def publish(self, topic: str, payload: str) -> None:
        """Says something as the operator, QoS 1; returns when the broker has it. Empty deletes."""
        what = ["-m", payload] if payload else ["-n"]
        run([find("mosquitto_pub"), "-t", f"{self.root}/{topic}", *what], self._environment())

    def messages(self) -> list[Message]:
        """All that was said until now, in order."""
        with self._news:
            return list(self._messages)

    def wait(self, wanted: Callable[[Message], bool], timeout_s: float, after: int = 0,
             going_on: Callable[[], bool] = lambda: True) -> tuple[int, Message] | None:
        """The first message from number `after` on that is wanted, and its number; `None` if it does not come
        in time, or nothing is going on any more."""
        end = time.monotonic() + timeout_s
        at = after
        with self._news:
            while True:
                while at < len(self._messages):
                    if wanted(self._messages[at]):
                        return at, self._messages[at]
                    at += 1
                left = end - time.monotonic()
                if left <= 0 or not going_on():
                    return None
                self._news.wait(min(left, 1.0))

    def retained(self, topic: str) -> dict[str, bytes]:
        """What a new subscriber would be told at once, by topic."""
        # Not with --retained-only, which ends at the first message that is not, whatever is yet to come.
        said = run([find("mosquitto_sub"), "-t", f"{self.root}/{topic}", "-W", "2", "-F", "%r %t %x"],
                   self._environment(), ok=(0, 27))
        lines = (line.split(" ") for line in said.splitlines() if line.startswith("1 watchword/"))
        return {topic: bytes.fromhex(payload) for _, topic, payload in lines}

    def stop(self) -> None:
        for process in (self._watcher, self._process):
            if process and process.poll() is None:
                process.terminate()
                try:
                    process.wait(5)
                except subprocess.TimeoutExpired:
                    process.kill()
                    process.wait()


def _shown(message: Message) -> str:
    try:
        text = message.payload.decode()
        if text.isprintable():
            return text
    except UnicodeDecodeError:
        pass
    return f"({len(message.payload)} bytes)"
