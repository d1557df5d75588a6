"""Debian packages of any architecture, resolved by apt, unpacked without running any of them.

apt is asked with a state of its own (lists, cache, an empty list of what is installed), so
neither the machine's packages nor its foreign architectures matter, and nothing needs root.
Where packages come from is the machine's own configuration: its Debian mirror, its proxies, its
keys.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

SUITE = "trixie"

# Lists older than this are fetched again, seconds. A rebuild on the same day is made of the same
# packages without asking.
LISTS_MAX_AGE_S = 24 * 3600


class BuildError(Exception):
    """What went wrong, with the remedy; shown to people as it is."""


@dataclass(frozen=True)
class Mirror:
    """Where a Debian archive and its security updates are."""

    main: str
    security: str


def machine_mirror(etc: Path = Path("/etc/apt"), debootstrap: Path = Path("/usr/sbin/debootstrap")) -> Mirror:
    """The Debian mirror of this machine.

    `WATCHWORD_DEBIAN_MIRROR` (and `WATCHWORD_DEBIAN_SECURITY_MIRROR`), else what apt's sources
    name, else (on Ubuntu) debootstrap's own. Raises `BuildError` if there is none.
    """
    main = os.environ.get("WATCHWORD_DEBIAN_MIRROR")
    security = os.environ.get("WATCHWORD_DEBIAN_SECURITY_MIRROR")
    sources = [etc / "sources.list", *sorted((etc / "sources.list.d").glob("*"))]
    for source in sources:
        if not source.is_file() or source.suffix not in (".list", ".sources"):
            continue
        for line in source.read_text(errors="replace").splitlines():
            if line.lstrip().startswith("#"):
                continue
            for uri in re.findall(r"\b(?:https?|file|mirror\+https?)://?[^\s\]]+", line):
                uri = uri.rstrip("/")
                if uri.endswith("/debian"):
                    main = main or uri
                elif uri.endswith("/debian-security"):
                    security = security or uri
    if not main and debootstrap.is_file():
        found = re.search(r'^DEF_MIRROR="?([^"\s]+)"?', debootstrap.read_text(errors="replace"), re.M)
        if found:
            main = found[1].rstrip("/")
    if not main:
        raise BuildError(
            "no Debian mirror is named in /etc/apt: set WATCHWORD_DEBIAN_MIRROR to the address of one "
            "(it ends with /debian), or install debootstrap, which knows one"
        )
    return Mirror(main, security or re.sub(r"/debian$", "/debian-security", main))


@dataclass(frozen=True)
class Package:
    """One package as the archive has it."""

    name: str
    version: str
    file: str
    bytes: int
    sha256: str

    def line(self) -> str:
        return f"{self.name} {self.version} {self.sha256}"


class Archive:
    """Debian packages of one architecture."""

    def __init__(self, cache: Path, architecture: str, suite: str = SUITE) -> None:
        self.architecture = architecture
        self.suite = suite
        self.home = (cache / "debian" / f"{suite}-{architecture}").resolve()
        # Packages lie by name and version: one folder serves every architecture.
        self.packages = (cache / "debian" / "packages").resolve()
        self.lists = self.home / "lists"

    def _apt(self, *arguments: str) -> str:
        configuration = self.home / "apt.conf"
        done = subprocess.run(
            [arguments[0], *arguments[1:]],
            env={**os.environ, "APT_CONFIG": str(configuration), "LC_ALL": "C", "DEBIAN_FRONTEND": "noninteractive"},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
        if done.returncode != 0:
            raise BuildError(f"{' '.join(arguments[:2])} for {self.suite} {self.architecture} failed:\n{done.stderr.strip()}")
        return done.stdout

    def update(self, refresh: bool = False) -> None:
        """Fetches the lists of packages if they are absent, a day old, or if told to."""
        stamp = self.home / "updated"
        fresh = stamp.is_file() and time.time() - stamp.stat().st_mtime < LISTS_MAX_AGE_S
        if fresh and not refresh:
            return
        keyring = Path("/usr/share/keyrings/debian-archive-keyring.gpg")
        if not keyring.is_file():
            raise BuildError(f"{keyring} is missing: install debian-archive-keyring")
        mirror = machine_mirror()
        # apt's own cache stays empty: it does not tell of packages that it finds there.
        for folder in (self.lists / "partial", self.home / "archives/partial", self.packages):
            folder.mkdir(parents=True, exist_ok=True)
        trust = f"[signed-by={keyring}]"
        (self.home / "sources.list").write_text(
            f"deb {trust} {mirror.main} {self.suite} main\n"
            f"deb {trust} {mirror.main} {self.suite}-updates main\n"
            f"deb {trust} {mirror.security} {self.suite}-security main\n"
        )
        (self.home / "status").write_text("")
        (self.home / "apt.conf").write_text(
            "".join(
                f'{key} "{value}";\n'
                for key, value in {
                    "Dir::State": self.home,
                    "Dir::State::status": self.home / "status",
                    "Dir::State::lists": self.lists,
                    "Dir::Cache": self.home,
                    "Dir::Cache::archives": self.home / "archives",
                    "Dir::Etc::sourcelist": self.home / "sources.list",
                    "Dir::Etc::sourceparts": "/dev/null",
                    "Dir::Etc::preferences": "/dev/null",
                    "Dir::Etc::preferencesparts": "/dev/null",
                    "APT::Architecture": self.architecture,
                    "APT::Architectures": self.architecture,
                    "APT::Install-Recommends": "false",
                    "APT::Sandbox::User": "",
                    "APT::Get::Assume-Yes": "true",
                    # No other indexes than the lists of packages.
                    "Acquire::Languages": "none",
                    "Acquire::IndexTargets::deb::DEP-11::DefaultEnabled": "false",
                    "Acquire::IndexTargets::deb::Contents-deb::DefaultEnabled": "false",
                    "Acquire::Retries": "3",
                    "Debug::NoLocking": "true",
                }.items()
            )
        )
        try:
            self._apt("apt-get", "update", "-qq", "--error-on=any")
        except BuildError:
            if not stamp.is_file():
                raise
            print("  the package lists could not be fetched; going on with those at hand", flush=True)
            return
        stamp.touch()

    def resolve(self, names: list[str]) -> list[Package]:
        """`names` and all that they depend on, in order of name.

        Raises `BuildError` if a package does not exist or conflicts.
        """
        self.update()
        listing = self._apt("apt-get", "install", "--print-uris", "-qq", *names)
        packages = []
        # 'http://…/name_1%3a2_arm64.deb' name_1%3a2_arm64.deb 12345 SHA256:…
        for line in listing.splitlines():
            found = re.fullmatch(r"'[^']+' (\S+) (\d+)(?: \S*)?", line.strip())
            if found:
                name, version = found[1].split("_")[:2]
                packages.append((name, version.replace("%3a", ":"), found[1], int(found[2])))
        if not packages:
            raise BuildError(f"apt offers nothing for {' '.join(names)} on {self.architecture}")
        hashes = self._hashes([f"{name}={version}" for name, version, _, _ in packages])
        return sorted(
            (Package(name, version, file, size, hashes[name, version]) for name, version, file, size in packages),
            key=lambda package: package.name,
        )

    def _hashes(self, wanted: list[str]) -> dict[tuple[str, str], str]:
        shown = self._apt("apt-cache", "show", "--no-all-versions", *wanted)
        found: dict[tuple[str, str], str] = {}
        for paragraph in shown.split("\n\n"):
            fields = dict(re.findall(r"^(Package|Version|SHA256): (.+)$", paragraph, re.M))
            if len(fields) == 3:
                found[fields["Package"], fields["Version"]] = fields["SHA256"]
        return found

    def download(self, packages: list[Package]) -> list[Path]:
        """The files of `packages`, each checked against its hash."""
        missing = [package for package in packages if not self._sound(package)]
        if missing:
            total = sum(package.bytes for package in missing)
            print(f"  downloading {len(missing)} packages for {self.architecture}, {total / 1e6:.0f} MB", flush=True)
            self._fetch(missing)
        for package in packages:
            if not self._sound(package):
                raise BuildError(f"{package.file}: downloaded, but it is not what the archive's list says")
        return [self.packages / package.file for package in packages]

    def _fetch(self, missing: list[Package]) -> None:
        incoming = self.home / "incoming"
        shutil.rmtree(incoming, ignore_errors=True)
        incoming.mkdir(parents=True)
        command = ["apt-get", "download", "-qq", *(f"{package.name}={package.version}" for package in missing)]
        environment = {**os.environ, "APT_CONFIG": str(self.home / "apt.conf"), "LC_ALL": "C"}
        done = subprocess.run(command, cwd=incoming, env=environment, stderr=subprocess.PIPE, text=True, check=False)
        if done.returncode != 0:
            raise BuildError(f"downloading packages for {self.architecture} failed:\n{done.stderr.strip()}")
        for package in missing:
            arrived = incoming / package.file
            if arrived.is_file():
                arrived.replace(self.packages / package.file)
        shutil.rmtree(incoming)

    def _sound(self, package: Package) -> bool:
        file = self.packages / package.file
        if not file.is_file() or file.stat().st_size != package.bytes:
            return False
        # Hashing 300 MB takes a second; it is done once a file and noted.
        note = file.with_suffix(".deb.sha256")
        if note.is_file() and note.read_text() == package.sha256 and note.stat().st_mtime >= file.stat().st_mtime:
            return True
        if sha256(file) != package.sha256:
            return False
        note.write_text(package.sha256)
        return True


def sha256(file: Path) -> str:
    """The SHA-256 of a file, in hexadecimal."""
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()


# What neither a camera nor a build reads.
UNREAD = ["usr/share/doc/*", "usr/share/man/*", "usr/share/locale/*", "usr/share/info/*", "usr/share/lintian/*",
          "usr/share/bash-completion/*", "usr/share/zsh/*", "usr/share/gtk-doc/*"]


def unpack(archives: list[Path], folder: Path, without: list[str] | None = None) -> None:
    """Lays the files of packages into `folder`, but those that match a pattern of `without`. No
    script of theirs runs."""
    excluded = [f"--exclude=./{pattern}" for pattern in [*UNREAD, *(without or [])]]
    folder.mkdir(parents=True, exist_ok=True)
    # What is a link in a merged /usr must be one before the first file is laid.
    for name in ("bin", "sbin", "lib"):
        (folder / "usr" / name).mkdir(parents=True, exist_ok=True)
        link = folder / name
        if not link.is_symlink():
            link.symlink_to(f"usr/{name}")
    for archive in archives:
        data = subprocess.Popen(["dpkg-deb", "--fsys-tarfile", archive], stdout=subprocess.PIPE)
        # tar keeps a link to a folder where a package lays files into that folder.
        laid = subprocess.run(
            ["tar", "-x", "--keep-directory-symlink", "--no-same-owner", "-p", "-C", folder, *excluded],
            stdin=data.stdout,
            check=False,
        )
        if data.wait() != 0 or laid.returncode != 0:
            raise BuildError(f"{archive.name} can't be unpacked")
