"""Debian's kernel: the drivers that a camera has a use for, and no others."""

from __future__ import annotations

import fnmatch
import lzma
import re
import shutil
from dataclasses import dataclass, replace
from pathlib import Path

from .debian import BuildError
from .tools import Tools

# The kernel, and what boots it.
PACKAGES = ["linux-image-arm64", "systemd-boot-efi", "grub-efi-arm64-bin", "busybox-static", "dmsetup"]

# What modprobe and the kernel read beside the modules themselves.
_LISTS = ["modules.builtin", "modules.builtin.modinfo", "modules.order"]


@dataclass(frozen=True)
class Choice:
    """Patterns below `kernel/` of the modules' folder, and the modules of the initrd by name."""

    modules: tuple[str, ...]
    initrd: tuple[str, ...]

    @staticmethod
    def of(table: dict) -> Choice:
        return Choice(tuple(table["modules"]), tuple(table["initrd"]))

    def with_more(self, table: dict) -> Choice:
        return replace(
            self,
            modules=self.modules + tuple(table.get("modules", ())),
            initrd=self.initrd + tuple(table.get("initrd", ())),
        )


class Modules:
    """All modules of a kernel's package."""

    def __init__(self, staged: Path, tools: Tools) -> None:
        found = sorted((staged / "usr/lib/modules").iterdir())
        if len(found) != 1:
            raise BuildError(f"expected one kernel, the packages have {len(found)}")
        self.folder = found[0]
        self.release = self.folder.name
        if not (self.folder / "modules.dep").is_file():
            tools.run("depmod", "-b", str(staged), self.release)
        self.needs: dict[str, list[str]] = {}
        for line in (self.folder / "modules.dep").read_text().splitlines():
            module, _, needs = line.partition(":")
            self.needs[module] = needs.split()
        self.by_name = {_name(module): module for module in self.needs}

    def matching(self, patterns: tuple[str, ...]) -> set[str]:
        """Modules by pattern, with all that they depend on."""
        matchers = [re.compile(fnmatch.translate(f"kernel/{pattern}")) for pattern in patterns]
        chosen = {module for module in self.needs if any(matcher.match(module) for matcher in matchers)}
        return self._with_needs(chosen)

    def named(self, names: tuple[str, ...]) -> set[str]:
        """Modules by name, with all that they depend on; those that this kernel has built in or
        does not have are passed over."""
        wanted = (name.replace("-", "_") for name in names)
        return self._with_needs({self.by_name[name] for name in wanted if name in self.by_name})

    def _with_needs(self, chosen: set[str]) -> set[str]:
        return chosen | {need for module in chosen for need in self.needs[module]}

    def lay(self, chosen: set[str], root: Path) -> None:
        """Copies modules into `root`, unpacked: whoever packs the whole packs better, and the
        camera unpacks once instead of twice."""
        target = root / "usr/lib/modules" / self.release
        for module in sorted(chosen):
            data = (self.folder / module).read_bytes()
            if module.endswith(".xz"):
                data = lzma.decompress(data)
            file = target / module.removesuffix(".xz")
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(data)
        for name in _LISTS:
            if (self.folder / name).is_file():
                shutil.copyfile(self.folder / name, target / name)


def modules(staged: Path, choice: Choice, tools: Tools, root: Path) -> str:
    """Lays the modules of the choice into `root`; returns the kernel's release."""
    all_of_them = Modules(staged, tools)
    all_of_them.lay(all_of_them.matching(choice.modules), root)
    return all_of_them.release


def image(staged: Path, release: str) -> Path:
    """The kernel itself."""
    return staged / "boot" / f"vmlinuz-{release}"


def _name(module: str) -> str:
    return Path(module).name.split(".ko")[0].replace("-", "_")
