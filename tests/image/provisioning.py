"""The provisioning file that a camera under test starts its life with."""

from __future__ import annotations

import json
from dataclasses import dataclass, field

# The test camera of the kernel, small and slow: it draws its pictures by the emulated processor, which full
# size at full speed would leave no time for anything else.
VIVID: dict[str, str | int] = {"kind": "v4l2", "width": 640, "height": 360, "rate": 5}

# What the camera's network calls the machine that the emulator runs on.
HOST_IN_GUEST = "10.0.2.2"


@dataclass(frozen=True)
class Provisioning:
    """Keys of `provision.toml`; see docs/guides/provisioning.md."""

    camera: str
    mqtt_url: str
    username: str = ""
    password: str = ""
    time_zone: str = "Europe/London"
    source: dict[str, str | int] = field(default_factory=lambda: dict(VIVID))
    ssh_key: str = ""

    def text(self) -> str:
        """The file."""
        lines = [f"camera = {_quoted(self.camera)}", f"time_zone = {_quoted(self.time_zone)}"]
        if self.ssh_key:
            lines += ["", "[ssh]", f"authorized_keys = [{_quoted(self.ssh_key)}]"]
        lines += ["", "[mqtt]", f"url = {_quoted(self.mqtt_url)}"]
        if self.username:
            lines += [f"username = {_quoted(self.username)}", f"password = {_quoted(self.password)}"]
        lines += ["", "[source]"]
        lines += [f"{key} = {_quoted(value) if isinstance(value, str) else value}" for key, value in self.source.items()]
        return "\n".join(lines) + "\n"


def _quoted(text: str) -> str:
    """A TOML basic string. JSON's escapes are TOML's, but for DEL."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def seen_from_guest(url: str) -> str:
    """A broker's address as the camera must write it: this machine's loopback has another name there."""
    scheme, separator, rest = url.partition("://")
    if not separator:
        raise ValueError(f"{url} is no address of a broker; write mqtt://host:port")
    credentials, at, place = rest.rpartition("@")
    for loopback in ("localhost", "127.0.0.1", "[::1]"):
        if place == loopback or place.startswith((f"{loopback}:", f"{loopback}/")):
            place = HOST_IN_GUEST + place[len(loopback):]
    return f"{scheme}://{credentials}{at}{place}"
