"""A network camera on this machine: a rendered clip over RTSP, played by watchword itself."""

from __future__ import annotations

import hashlib
import os
import subprocess
import time
from pathlib import Path

from image.broker import free_port
from image.emulator import EmulatorError, run
from image.provisioning import HOST_IN_GUEST

ROOT = Path(__file__).resolve().parent.parent.parent
SCENE = "station"


class Clip:
    """A camera that plays a clip over and over; its watching and its broker stay idle."""

    def __init__(self, cache: Path, folder: Path, logs: Path) -> None:
        self.cache, self.folder, self.logs = cache, folder, logs
        self.port = free_port()
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def source(self) -> dict[str, str | int]:
        """The camera's `[source]`."""
        return {"kind": "rtsp", "url": f"rtsp://{HOST_IN_GUEST}:{self.port}/main"}

    def start(self) -> None:
        """Builds the player and renders the clip unless they are there, and plays."""
        target = Path(os.environ.get("CARGO_TARGET_DIR") or ROOT / "target") / "release"
        if not ((target / "watchword").is_file() and (target / "render").is_file()):
            print("building the clip's renderer and player (once, some minutes)", flush=True)
            run(["cargo", "build", "--manifest-path", ROOT / "Cargo.toml", "--release", "--locked", "--quiet",
                 "-p", "watchword", "-p", "render"])
        clip = self._render(target / "render")
        home = self.folder / "clip"
        home.mkdir()
        v4, v5 = free_port(), free_port()
        (home / "config.toml").write_text(
            f'camera = "clip"\ndata_dir = "data"\n[source]\nkind = "file"\npath = "{clip}"\n'
            f'[video]\nrtsp = "127.0.0.1:{self.port}"\n[mqtt]\ninside_v4 = "127.0.0.1:{v4}"\ninside_v5 = "127.0.0.1:{v5}"\n')
        library = run([ROOT / "scripts/fetch-onnxruntime"]).strip().splitlines()[-1]
        with (self.logs / "clip.log").open("ab") as log:
            self._process = subprocess.Popen(
                [target / "watchword", "run", "--config", home / "config.toml"], stdin=subprocess.DEVNULL,
                env={**os.environ, "WATCHWORD_SHARE": str(ROOT), "ORT_DYLIB_PATH": library},
                stdout=log, stderr=subprocess.STDOUT, start_new_session=True)
        time.sleep(2)
        if self._process.poll() is not None:
            raise EmulatorError(f"the clip can't be played; see {self.logs / 'clip.log'}")

    def _render(self, program: Path) -> Path:
        sources = sorted((ROOT / "tests/render/src").rglob("*.rs"))
        key = hashlib.sha256(b"".join(file.read_bytes() for file in sources)).hexdigest()[:16]
        clip = (self.cache / "clips" / f"{SCENE}-{key}.mp4").resolve()
        if not clip.is_file():
            clip.parent.mkdir(parents=True, exist_ok=True)
            part = clip.with_suffix(f".{os.getpid()}.mp4")
            run([program, "clip", "--scene", SCENE, "--out", part])
            part.replace(clip)
        return clip

    def stop(self) -> None:
        if self._process and self._process.poll() is None:
            self._process.terminate()
            try:
                self._process.wait(10)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
