"""What the camera says of itself from inside: the report of watchword-report.service."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from ipaddress import ip_address

# What may be reached from the network, and by whom it is documented (docs/guides/qemu.md). Ports of
# clients, which accept what they asked for only.
CLIENT_PORTS = {("udp", 68), ("udp", 546)}
SSH = ("tcp", 22)


@dataclass(frozen=True)
class Socket:
    """A socket that listens."""

    protocol: str
    address: str
    port: int
    process: str

    @property
    def reachable(self) -> bool:
        """Whether anybody but the camera itself can talk to it."""
        bare = self.address.split("%")[0].strip("[]")
        if bare == "*":
            return True
        address = ip_address(bare)
        return not (getattr(address, "ipv4_mapped", None) or address).is_loopback

    def __str__(self) -> str:
        return f"{self.protocol} {self.address}:{self.port} ({self.process or 'unknown'})"


@dataclass
class Report:
    """Sections by name, and the journal so far."""

    sections: dict[str, str] = field(default_factory=dict)
    # Exit status of what made each.
    status: dict[str, int] = field(default_factory=dict)
    journal: list[str] = field(default_factory=list)
    # Whether all sections are there: the journal has begun.
    complete: bool = False

    def lines(self, section: str) -> list[str]:
        return [line for line in self.sections.get(section, "").splitlines() if line.strip()]

    def broken(self) -> list[str]:
        """What the camera could not tell, of that without which it can't be judged."""
        return [f"{name}: {self.sections.get(name, 'not told')}" for name in ("sockets", "failed", "accounts", "identity")
                if self.status.get(name) != 0]

    def sockets(self) -> list[Socket]:
        return [parse_socket(line) for line in self.lines("sockets")]

    def undocumented(self, ssh: bool) -> list[Socket]:
        """Sockets that listen to the network and should not; `ssh`: a key was provisioned."""
        allowed = CLIENT_PORTS | ({SSH} if ssh else set())
        return [each for each in self.sockets() if each.reachable and (each.protocol, each.port) not in allowed]

    def failed_units(self) -> list[str]:
        return [line.strip("●* ").split()[0] for line in self.lines("failed")]

    def passwords(self) -> list[str]:
        """Accounts that one could log into by typing."""
        return [line for line in self.lines("accounts") if line.startswith(("password ", "no-password-needed "))]

    def identity(self) -> list[str]:
        return sorted(self.lines("identity"))

    def boot_seconds(self) -> float | None:
        """From the kernel's start to the end of the boot, as systemd has it."""
        found = re.search(r"= (?:(\d+)min )?([\d.]+)s", self.sections.get("times", ""))
        return int(found[1] or 0) * 60 + float(found[2]) if found else None

    def watchdogs(self) -> list[str]:
        return self.lines("watchdogs")

    def disk_errors(self) -> list[str]:
        """What the kernel says of a broken file system; replaying a journal is no such thing."""
        wrong = re.compile(r"EXT4-fs (?:error|\([^)]*\): (?:error|warning: mounting fs with errors))|I/O error|"
                           r"device-mapper: verity:.*(?:corrupt|fail)|SQUASHFS error|FAT-fs .*(?:error|corrupt)", re.I)
        return [line for line in self.journal if wrong.search(line)]


def parse(text: str) -> Report:
    """Reads what has come of a report so far; a section that is cut is left out."""
    report = Report()
    name: str | None = None
    body: list[str] = []
    lines = iter(text.splitlines())
    for line in lines:
        if line.startswith("@section "):
            name, body = line.removeprefix("@section ").strip(), []
        elif line.startswith("@end ") and name is not None:
            report.sections[name] = "\n".join(body).strip()
            report.status[name] = int(line.split()[1])
            name = None
        elif line == "@journal" and name is None:
            report.complete = True
            report.journal = list(lines)
        elif name is not None:
            body.append(line)
    return report


def parse_socket(line: str) -> Socket:
    """A line of `ss -Hlntup`: netid, state, two queues, local, peer, process.

    Raises `ValueError` if it is none.
    """
    words = line.split(maxsplit=6)
    if len(words) < 6:
        raise ValueError(f"no line of ss: {line}")
    address, _, port = words[4].rpartition(":")
    process = re.search(r'\(\("([^"]*)"', words[6]) if len(words) > 6 else None
    return Socket(words[0], address, int(port), process[1] if process else "")
