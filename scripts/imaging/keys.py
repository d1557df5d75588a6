"""Who may sign updates."""

from __future__ import annotations

import subprocess
from pathlib import Path

from .debian import BuildError


def development(cache: Path) -> Path:
    """A certificate of this machine's own, made once. Cameras that carry it take updates that were
    signed here and no others; for cameras in the field give your own with `--keyring`."""
    folder = cache / "development-key"
    certificate, key = folder / "certificate.pem", folder / "key.pem"
    if certificate.is_file() and key.is_file():
        return certificate
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    print(f"  making a development key for updates in {folder}", flush=True)
    done = subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:3072", "-nodes", "-days", "7300", "-sha256", "-subj", "/O=Watchword/CN=development",
         "-keyout", str(key), "-out", str(certificate)],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise BuildError(f"openssl could not make a key:\n{done.stderr}")
    key.chmod(0o600)
    return certificate
