"""The root file system: a folder that is the same whenever its inputs are the same."""

from __future__ import annotations

import fnmatch
import hashlib
import os
import re
import shutil
import tomllib
from dataclasses import dataclass
from pathlib import Path

from . import elf, kernel
from .daemon import TRIPLET
from .debian import Archive, BuildError, Package, sha256, unpack
from .tools import Tools

# Where the dynamic loader of the camera looks, and where programs of systemd's look beside that.
LIBRARY_FOLDERS = [f"usr/lib/{TRIPLET}", f"usr/lib/{TRIPLET}/systemd", "usr/lib/systemd", "usr/lib/watchword"]


@dataclass
class Recipe:
    """`board/common/image.toml`, and what `board/<board>/image.toml` adds to it."""

    whole: list[str]
    parts: dict[str, list[str]]
    sources: list[str]
    libraries: list[str]
    skip: list[str]
    remove: list[str]
    pipelines: list[str]
    plugins_besides: list[str]
    plugins: dict[str, str]
    modules: kernel.Choice
    # Programs of busybox's, where no package brings a better one.
    applets: list[str]
    # What the board adds to the kernel's command line.
    command_line: str = ""

    @staticmethod
    def load(repository: Path, board: str) -> Recipe:
        common = tomllib.loads((repository / "board/common/image.toml").read_text())
        packages, gstreamer = common["packages"], common["gstreamer"]
        recipe = Recipe(
            whole=packages["whole"],
            parts=packages["parts"],
            sources=packages["from"],
            libraries=packages["libraries"],
            skip=packages["skip"],
            remove=common["remove"]["patterns"],
            pipelines=gstreamer["pipelines"],
            plugins_besides=gstreamer["besides"],
            plugins=gstreamer["plugins"],
            modules=kernel.Choice.of(common["kernel"]),
            applets=packages["applets"],
        )
        own = repository / "board" / board / "image.toml"
        if own.is_file():
            added = tomllib.loads(own.read_text())
            unknown = added.keys() - {"packages", "kernel"}
            if unknown:
                raise BuildError(f"{own}: nothing knows the table {', '.join(sorted(unknown))}")
            recipe.whole = recipe.whole + added.get("packages", {}).get("whole", [])
            recipe.modules = recipe.modules.with_more(added.get("kernel", {}))
            recipe.command_line = added.get("kernel", {}).get("command_line", "")
        return recipe


@dataclass
class Inputs:
    """All that a root file system is made of."""

    repository: Path
    board: str
    version: str
    daemon: Path
    onnxruntime: Path
    certificate: Path
    # Seconds since 1970 that every file is dated with.
    epoch: int


def resolve(cache: Path, recipe: Recipe, refresh: bool = False) -> list[Package]:
    """The packages of the root and of the kernel."""
    archive = Archive(cache, "arm64")
    archive.update(refresh)
    names = [*recipe.whole, *recipe.parts, *recipe.sources, *kernel.PACKAGES]
    return [package for package in archive.resolve(sorted(set(names))) if package.name not in recipe.skip]


def stage(cache: Path, packages: list[Package], recipe: Recipe) -> Path:
    """All files of all packages, and who brought which file."""
    # A package that is a mere dependency today may be wanted whole tomorrow.
    wanted = [*sorted(recipe.whole), *(package.line() for package in packages)]
    key = hashlib.sha256("\n".join(wanted).encode()).hexdigest()[:16]
    folder = (cache / "stage" / key).resolve()
    if (folder / "complete").is_file():
        return folder
    shutil.rmtree(folder.parent, ignore_errors=True)
    files = Archive(cache, "arm64").download(packages)
    print(f"  unpacking {len(files)} packages", flush=True)
    # What is taken whole must be told apart; of the others only files are picked.
    wholes = {package.file for package in packages if package.name in recipe.whole}
    unpack([file for file in files if file.name in wholes], folder / "whole")
    unpack([file for file in files if file.name not in wholes], folder / "others")
    (folder / "complete").touch()
    return folder


def elements(repository: Path, recipe: Recipe, board: dict) -> dict[str, str]:
    """The elements that this board's pipelines name, and the plugin of each."""
    video = board["video"]
    encoders = video["encoder"] if isinstance(video["encoder"], list) else [video["encoder"]]
    names = [*recipe.pipelines, f"source-{video['source']}", *(f"encoder-{name}" for name in encoders)]
    found: dict[str, str] = {}
    for name in sorted(set(names)):
        file = repository / "pipelines" / f"{name}.toml"
        if not file.is_file():
            raise BuildError(f"the board names {file.relative_to(repository)}, which is not there")
        launch = tomllib.loads(file.read_text())["launch"]
        for link in re.split(r"!|\n(?=\S)", launch):
            words = link.strip().lstrip("(").split()
            if words and re.fullmatch(r"[a-z][a-z0-9]*", words[0]):
                element = words[0]
                if element not in recipe.plugins:
                    raise BuildError(f"{file.name} names the element {element}: add its plugin to [gstreamer.plugins] of board/common/image.toml")
                found[element] = recipe.plugins[element]
    return found


def build(inputs: Inputs, recipe: Recipe, staged: Path, tools: Tools, root: Path) -> dict[str, int]:
    """Makes the root in `root`, and returns what of it weighs what, bytes."""
    shutil.rmtree(root, ignore_errors=True)
    whole, others = staged / "whole", staged / "others"
    _copy_tree(whole, root, recipe.remove)
    for patterns in recipe.parts.values():
        for pattern in patterns:
            _pick(others, root, pattern)
    plugins = set(recipe.plugins_besides)
    board = tomllib.loads((inputs.repository / "board" / inputs.board / "board.toml").read_text())
    plugins |= set(elements(inputs.repository, recipe, board).values())
    for plugin in sorted(plugins):
        _pick(others, root, f"usr/lib/{TRIPLET}/gstreamer-1.0/libgst{plugin}.so")
    _own_files(inputs, root)
    release = kernel.modules(others, recipe.modules, tools, root)
    _close_over_libraries(recipe, others, whole, root)
    _settle(inputs, recipe, tools, root, release)
    _date(root, inputs.epoch)
    return {
        "kernel modules": _weight(root / "usr/lib/modules"),
        "programs and libraries": _weight(root / "usr") - _weight(root / "usr/lib/modules") - _weight(root / "usr/share/watchword"),
        "models, boards, pipelines": _weight(root / "usr/share/watchword"),
    }


def _copy_tree(source: Path, root: Path, remove: list[str]) -> None:
    matchers = [re.compile(fnmatch.translate(pattern)) for pattern in remove]
    for folder, folders, files in os.walk(source):
        here = Path(folder)
        relative = here.relative_to(source)
        for name in [*folders]:
            inside = str(relative / name)
            if any(matcher.match(inside) for matcher in matchers):
                folders.remove(name)
            elif (here / name).is_symlink():
                folders.remove(name)
                _copy(here / name, root / inside)
            else:
                (root / inside).mkdir(parents=True, exist_ok=True)
                shutil.copymode(here / name, root / inside)
        for name in files:
            inside = str(relative / name)
            if not any(matcher.match(inside) for matcher in matchers):
                _copy(here / name, root / inside)


def _copy(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    if target.is_symlink() or target.exists():
        target.unlink()
    if source.is_symlink():
        target.symlink_to(os.readlink(source))
    else:
        shutil.copyfile(source, target)
        shutil.copymode(source, target)
        # Nothing on a camera runs with more rights than who starts it.
        target.chmod(target.stat().st_mode & 0o777)


def _pick(source: Path, root: Path, pattern: str) -> None:
    found = sorted(source.glob(pattern))
    if not found:
        raise BuildError(f"no package has {pattern}: correct board/common/image.toml")
    for file in found:
        if file.is_symlink() or file.is_file():
            _copy(file, root / file.relative_to(source))
            # A link is of no use without what it leads to.
            if file.is_symlink() and (target := file.parent / os.readlink(file)).is_file():
                _copy(target, root / target.relative_to(source))
        else:
            _copy_tree(file, root / file.relative_to(source), [])


def _own_files(inputs: Inputs, root: Path) -> None:
    """The overlay that all images share, the board's own, and the firmware itself."""
    repository = inputs.repository
    for overlay in (repository / "board/common", repository / "board" / inputs.board / "root"):
        for top in ("etc", "usr"):
            if (overlay / top).is_dir():
                _copy_tree(overlay / top, root / top, ["*__pycache__*"])
    share = root / "usr/share/watchword"
    _copy_tree(repository / "pipelines", share / "pipelines", [])
    _copy_tree(repository / "models/scout", share / "models/scout", ["*.csv", "evaluation.json"])
    for file in ("board.toml", "README.md"):
        _copy(repository / "board" / inputs.board / file, share / "board" / inputs.board / file)
    _copy(inputs.daemon, root / "usr/bin/watchword")
    _copy(inputs.onnxruntime, root / "usr/lib/watchword/libonnxruntime.so")
    _copy(inputs.certificate, root / "etc/rauc/keyring.pem")
    system = root / "etc/rauc/system.conf"
    system.write_text(system.read_text().replace("@BOARD@", inputs.board))
    # Modes do not depend on how a checkout was made.
    for path in root.rglob("*"):
        if not path.is_symlink():
            path.chmod(0o755 if path.is_dir() or path.stat().st_mode & 0o100 else 0o644)
    for script in (root / "usr/lib/watchword").glob("*"):
        script.chmod(0o644 if script.suffix == ".so" else 0o755)


def _close_over_libraries(recipe: Recipe, others: Path, whole: Path, root: Path) -> None:
    """Brings the libraries that what is here links to, and theirs."""
    waiting = [file for file in root.rglob("*") if file.is_file() and not file.is_symlink() and "modules" not in file.parts]
    wanted: list[tuple[str, str]] = [(name, "board/common/image.toml") for name in recipe.libraries]
    have: set[str] = set()
    while waiting or wanted:
        if waiting:
            file = waiting.pop()
            for name in elf.needed(file) or []:
                wanted.append((name, str(file.relative_to(root))))
            continue
        name, by = wanted.pop()
        if name in have:
            continue
        have.add(name)
        if any((root / folder / name).exists() for folder in LIBRARY_FOLDERS):
            continue
        for folder in LIBRARY_FOLDERS:
            library = next((at / folder / name for at in (others, whole) if (at / folder / name).exists()), None)
            if library is not None:
                real = library.resolve()
                _copy(real, root / folder / real.name)
                if library.is_symlink():
                    _copy(library, root / folder / name)
                waiting.append(root / folder / real.name)
                break
        else:
            raise BuildError(
                f"{by} links to {name}, which none of the packages has: add its package to `from` of board/common/image.toml, or take it out of `skip`"
            )


def _settle(inputs: Inputs, recipe: Recipe, tools: Tools, root: Path, release: str) -> None:
    """Does what the packages' scripts would do, with tools of this machine."""

    for folder in ("dev", "proc", "sys", "run", "tmp", "var", "data", "root", "etc", "mnt"):
        (root / folder).mkdir(parents=True, exist_ok=True)
    for name in ("lib64", "srv", "home", "media"):
        shutil.rmtree(root / name, ignore_errors=True)
    for link, to in {
        "usr/bin/sh": "dash",
        "usr/sbin/init": "../lib/systemd/systemd",
        "etc/resolv.conf": "../run/systemd/resolve/resolv.conf",
        "etc/localtime": "../data/system/localtime",
        "etc/os-release": "../usr/lib/os-release",
        "etc/mtab": "../proc/self/mounts",
    }.items():
        path = root / link
        if path.is_symlink() or path.exists():
            path.unlink()
        path.symlink_to(to)
    for applet in recipe.applets:
        if not any((root / folder / applet).exists() for folder in ("usr/bin", "usr/sbin")):
            (root / "usr/bin" / applet).symlink_to("busybox")
    (root / "usr/lib/os-release").write_text(
        'NAME="Watchword"\nID=watchword\nID_LIKE=debian\n'
        f'PRETTY_NAME="Watchword {inputs.version} for {inputs.board}"\n'
        f"VERSION_ID={inputs.version}\nIMAGE_ID=watchword\nIMAGE_VERSION={inputs.version}\nVARIANT_ID={inputs.board}\n"
    )
    # Bound over by the initrd with the camera's own.
    (root / "etc/machine-id").write_text("")
    (root / "etc/hostname").write_text("watchword\n")
    bundle = "".join(file.read_text() for file in sorted((root / "usr/share/ca-certificates/mozilla").glob("*.crt")))
    shutil.rmtree(root / "usr/share/ca-certificates")
    (root / "etc/ssl/certs").mkdir(parents=True, exist_ok=True)
    (root / "etc/ssl/certs/ca-certificates.crt").write_text(bundle)
    for name in ("passwd", "group", "shadow", "gshadow"):
        (root / "etc" / name).unlink(missing_ok=True)
    tools.run("systemd-sysusers", f"--root={root}")
    _no_passwords(root)
    accounts = root / "etc/passwd"
    accounts.write_text(accounts.read_text().replace("/bin/bash", "/bin/sh"))
    tools.run("systemctl", f"--root={root}", "preset-all", "--preset-mode=enable-only")
    tools.run("systemctl", f"--root={root}", "set-default", "multi-user.target")
    tools.run("depmod", "-b", str(root), release)
    # No cache of libraries: another architecture's ldconfig reads none of these, and they all lie where
    # the loader looks by itself.
    (root / "etc/.updated").unlink(missing_ok=True)
    shutil.rmtree(root / "run", ignore_errors=True)
    (root / "run").mkdir()
    for name in ("passwd-", "group-", "shadow-", "gshadow-"):
        (root / "etc" / name).unlink(missing_ok=True)


def _no_passwords(root: Path) -> None:
    """No account has a password, and none can be given one: the root is read-only."""
    shadow = root / "etc/shadow"
    for file in (shadow, root / "etc/gshadow"):
        file.chmod(0o600)
    lines = []
    for line in shadow.read_text().splitlines():
        fields = line.split(":")
        # `*` is no password, and leaves a login by key possible; the date of the last change
        # would be that of the build.
        fields[1], fields[2] = "*", ""
        lines.append(":".join(fields))
    shadow.write_text("\n".join(lines) + "\n")


def _date(root: Path, epoch: int) -> None:
    for folder, folders, files in os.walk(root):
        for name in [*folders, *files]:
            os.utime(Path(folder) / name, (epoch, epoch), follow_symlinks=False)
    os.utime(root, (epoch, epoch))


def _weight(folder: Path) -> int:
    return sum(file.lstat().st_size for file in folder.rglob("*") if not file.is_dir())


def digest(root: Path) -> str:
    """One hash of all names, modes, links and contents."""
    total = hashlib.sha256()
    for file in sorted(root.rglob("*")):
        kind = os.readlink(file) if file.is_symlink() else sha256(file) if file.is_file() else "folder"
        total.update(f"{file.relative_to(root)} {file.lstat().st_mode:o} {kind}\n".encode())
    return total.hexdigest()
