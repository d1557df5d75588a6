"""Logging into the camera as a person whose key was provisioned, and as one who has none."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

from image.emulator import EmulatorError, run
from image.phases import CheckFailed


class Person:
    """Somebody with a key of his own."""

    def __init__(self, folder: Path) -> None:
        self.key = folder / "id_ed25519"
        for program in ("ssh", "ssh-keygen"):
            if shutil.which(program) is None:
                raise EmulatorError(f"{program} is missing: install openssh-client, or use --fast")
        run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "check", "-f", self.key])

    @property
    def public(self) -> str:
        return self.key.with_suffix(".pub").read_text().strip()

    def log_in(self, port: int) -> str:
        """Runs a command on the camera; what it says. Raises `CheckFailed` if the camera does not let us."""
        done = self._ssh(port, "-i", str(self.key), "-o", "IdentitiesOnly=yes")
        if done.returncode != 0 or "VARIANT_ID=" not in done.stdout:
            raise CheckFailed(f"a person with a provisioned key can't log in: {(done.stderr or done.stdout).strip()[-500:]}")
        return done.stdout

    def try_without_key(self, port: int) -> None:
        """Raises `CheckFailed` if the camera lets anybody in, or as much as asks for a password."""
        done = self._ssh(port, "-o", "PubkeyAuthentication=no", "-o", "NumberOfPasswordPrompts=0")
        if done.returncode == 0:
            raise CheckFailed("the camera lets a person in who has no key")
        if "Permission denied (publickey)" not in done.stderr:
            raise CheckFailed(f"the camera offers more than keys to log in with: {done.stderr.strip()[-500:]}")

    @staticmethod
    def _ssh(port: int, *options: str) -> subprocess.CompletedProcess[str]:
        command = ["ssh", "-F", "none", "-p", str(port), "-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null",
                   "-o", "ConnectTimeout=60", "-o", "LogLevel=ERROR", *options, "root@127.0.0.1", "cat /etc/os-release"]
        try:
            return subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=180, check=False)
        except subprocess.TimeoutExpired:
            raise CheckFailed("the camera's SSH does not answer within 180 s") from None
