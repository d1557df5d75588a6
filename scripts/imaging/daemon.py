"""The daemon for ARM64: built with the machine's Rust, linked against Debian's arm64 libraries."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
from pathlib import Path

from .debian import SUITE, Archive, BuildError, unpack
from .tools import TRIPLETS, host_architecture

TARGET = "aarch64-unknown-linux-gnu"
TRIPLET = TRIPLETS["arm64"]
# Dependencies of theirs that nothing here links to, half of what there is to fetch, by prefix.
NOT_LINKED = (
    "dpkg", "fonts-", "gir1.2-", "gstreamer1.0-", "iso-codes", "libaom", "libdnnl", "libflite", "libgtk-3", "libicu", "libllvm", "libmysofa", "libonnx",
    "libopenexr", "libperl", "libpython3", "librsvg2-2", "libspa", "libsvtav1", "libx265", "libz3", "mesa-", "perl", "procps", "python3", "systemd",
    "timgm6mb",
)
# What the daemon links to.
LIBRARIES = ["libc6-dev", "libgstreamer1.0-dev", "libgstreamer-plugins-base1.0-dev", "libgstrtspserver-1.0-dev"]


def sysroot(cache: Path) -> Path:
    """Headers, libraries and pkg-config files for ARM64."""
    archive = Archive(cache, "arm64")
    packages = [package for package in archive.resolve(LIBRARIES) if not package.name.startswith(NOT_LINKED)]
    key = hashlib.sha256("\n".join(package.line() for package in packages).encode()).hexdigest()[:16]
    # Always in the same place: the path is among the linker's arguments, and another one would have
    # everything compiled anew.
    root = (cache / "sysroot").resolve()
    complete = root / "complete"
    if not complete.is_file() or complete.read_text() != key:
        print(f"  unpacking {len(packages)} packages to link against", flush=True)
        shutil.rmtree(root, ignore_errors=True)
        unpack(archive.download(packages), root, without=["usr/bin/*", "usr/sbin/*", "etc/*", "var/*", "usr/share/gir-1.0/*"])
        complete.write_text(key)
    return root


def build(repository: Path, cache: Path) -> Path:
    """Builds the daemon and returns the program, stripped.

    Raises `BuildError` if the compiler for ARM64 is missing or the build fails.
    """
    if shutil.which("aarch64-linux-gnu-gcc") is None and host_architecture() != "arm64":
        raise BuildError("aarch64-linux-gnu-gcc is missing: run scripts/setup-host image")
    root = sysroot(cache)
    environment = {**os.environ, **_rust(cache)}
    target = Path(environment.get("CARGO_TARGET_DIR", repository / "target"))
    # Paths of this machine must not be in the program: the same sources, the same bytes. Those of the
    # workspace are relative to it as they are.
    home = environment.get("CARGO_HOME", str(Path.home() / ".cargo"))
    flags = [
        f"-Clink-arg=--sysroot={root}",
        f"-Clink-arg=-Wl,-rpath-link,{root}/usr/lib/{TRIPLET}",
        f"--remap-path-prefix={home}/registry/src=/crates",
    ]
    name = TARGET.upper().replace("-", "_")
    environment |= {
        f"CARGO_TARGET_{name}_LINKER": "aarch64-linux-gnu-gcc" if host_architecture() != "arm64" else "gcc",
        f"CARGO_TARGET_{name}_RUSTFLAGS": " ".join(flags),
        f"CC_{TARGET.replace('-', '_')}": "aarch64-linux-gnu-gcc" if host_architecture() != "arm64" else "gcc",
        f"CFLAGS_{TARGET.replace('-', '_')}": f"--sysroot={root} -ffile-prefix-map={home}/registry/src=/crates",
        "PKG_CONFIG_ALLOW_CROSS": "1",
        "PKG_CONFIG_SYSROOT_DIR": str(root),
        "PKG_CONFIG_LIBDIR": f"{root}/usr/lib/{TRIPLET}/pkgconfig:{root}/usr/share/pkgconfig",
        # Lines in backtraces would cost as much as the program; a panic's message has its own.
        "CARGO_PROFILE_RELEASE_DEBUG": "false",
        "CARGO_PROFILE_RELEASE_STRIP": "symbols",
    }
    command = ["cargo", "build", "--locked", "--release", "--target", TARGET, "-p", "watchword"]
    if not os.isatty(2):
        command.append("-q")
    done = subprocess.run(command, cwd=repository, env=environment, check=False)
    if done.returncode != 0:
        raise BuildError("the daemon does not build for ARM64 (above)")
    return target / TARGET / "release" / "watchword"


def _rust(cache: Path) -> dict[str, str]:
    """The environment in which cargo has a standard library for ARM64."""
    if _has_target("rustc"):
        return {}
    if shutil.which("rustup"):
        print(f"  rustup target add {TARGET}", flush=True)
        subprocess.run(["rustup", "target", "add", "-q", TARGET], check=False)
        if _has_target("rustc"):
            return {}
    return _debian_rust(cache)


def _has_target(rustc: str, environment: dict[str, str] | None = None) -> bool:
    asked = subprocess.run(
        [rustc, "--print", "target-libdir", "--target", TARGET],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, **(environment or {})},
    )
    return asked.returncode == 0 and any(Path(asked.stdout.strip()).glob("libstd-*.rlib"))


def _debian_rust(cache: Path) -> dict[str, str]:
    """Debian 12's compiler for its browsers, with the standard library of both architectures."""
    here = host_architecture()
    packages = Archive(cache, here, "bookworm").resolve(["rustc-web"])
    wanted = [package for package in packages if "rust" in package.name or "llvm" in package.name.lower()]
    foreign = [
        package
        for package in Archive(cache, "arm64", "bookworm").resolve(["libstd-rust-web-dev"])
        if package.name == "libstd-rust-web-dev"
    ]
    key = hashlib.sha256("\n".join(package.line() for package in wanted + foreign).encode()).hexdigest()[:16]
    root = (cache / "rust" / key).resolve()
    if not (root / "complete").is_file():
        print("  unpacking Debian's compiler with the standard library for ARM64", flush=True)
        shutil.rmtree(root.parent, ignore_errors=True)
        files = Archive(cache, here, "bookworm").download(wanted) + Archive(cache, "arm64", "bookworm").download(foreign)
        unpack(files, root)
        (root / "complete").touch()
    environment = {
        "RUSTC": str(root / "usr/bin/rustc"),
        "LD_LIBRARY_PATH": f"{root}/usr/lib/{TRIPLETS[here]}:{root}/usr/lib",
    }
    if not _has_target(environment["RUSTC"], environment):
        raise BuildError(
            f"no Rust standard library for {TARGET}: install rustup and run `rustup target add {TARGET}` "
            f"(Debian {SUITE}'s own compiler is older than this project needs)"
        )
    return environment
