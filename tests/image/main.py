"""The command line of scripts/qemu."""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import random
import shutil
import signal
import sys
import tempfile
import time
from pathlib import Path

from imaging.debian import BuildError
from image.broker import OPERATOR, Broker
from image.check import CAMERA, Check, Options
from image.clip import ROOT, Clip
from image.emulator import Disks, Emulator, EmulatorError
from imaging.gpt import GptError
from image.machine import Machine
from image.phases import CheckFailed, Phases
from image.power_cuts import PowerCuts
from image.provisioning import HOST_IN_GUEST, VIVID, Provisioning, seen_from_guest

MEMORY_MIB = 1536
# How long the logs of failed runs are kept, and what a run left that was killed: a week, seconds.
LOGS_AGE_S = 7 * 24 * 3600


def arguments(words: list[str] | None, description: str) -> argparse.Namespace:
    """Reads the command line; ends with status 2 if it makes no sense."""
    parser = argparse.ArgumentParser(prog="scripts/qemu", description=description,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--image", type=Path, required=True, metavar="F", help="the disk image; it is never written to")
    parser.add_argument("--memory", type=int, default=MEMORY_MIB, metavar="MIB", help=f"of the camera ({MEMORY_MIB})")
    parser.add_argument("--disk-size", default="4G", metavar="SIZE", help="of its medium, such as 4G (the default)")
    parser.add_argument("--camera", choices=["vivid", "clip"], default="vivid",
                        help="what it sees: the kernel's test camera, or a rendered clip from this machine over RTSP")
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--check", action="store_true", help="boot it, let it do its job, switch it off, say how it went")
    what.add_argument("--power-cuts", type=int, metavar="N", help="pull the plug N times at random moments")
    parser.add_argument("--fast", action="store_true", help="with --check: one boot only")
    parser.add_argument("--seed", type=int, metavar="S", help="of --power-cuts, to repeat a run")
    parser.add_argument("--json", action="store_true", help="the summary as JSON on standard output")
    parser.add_argument("--keep", type=Path, metavar="DIR", help="keep logs and disks there, also if all went well")
    parser.add_argument("--timeout", type=float, default=600.0, metavar="S", help="of each step, seconds (600)")
    parser.add_argument("--provision", type=Path, metavar="P", help="your own provisioning file instead of one made here")
    parser.add_argument("--broker", metavar="URL", help="your own broker, mqtt://[user:password@]host:port")
    parser.add_argument("--forward-ssh", type=int, metavar="PORT", help="port of this machine that leads to the camera's SSH")
    args = parser.parse_args(words)
    checking = args.check or args.power_cuts is not None
    for name in ("provision", "broker", "forward_ssh"):
        if checking and getattr(args, name) is not None:
            parser.error(f"--{name.replace('_', '-')} is for trying the image by hand; a check brings its own")
    for name in ("fast", "json", "keep", "seed"):
        if not checking and getattr(args, name):
            parser.error(f"--{name} goes with --check or --power-cuts")
    if args.power_cuts is not None and args.power_cuts < 1:
        parser.error("--power-cuts needs a number of 1 or more")
    if args.provision and (args.broker or args.camera != "vivid"):
        parser.error("--provision says all that --broker and --camera would")
    if not 512 <= args.memory <= 65536:
        parser.error(f"--memory {args.memory}: choose 512 to 65536 MiB")
    for file in filter(None, (args.image, args.provision)):
        if not file.is_file():
            parser.error(f"{file}: there is no such file")
    return args


def main(description: str, words: list[str] | None = None) -> int:
    """Exit status: 0 as it should be, 1 not so, 2 a command line that makes no sense."""
    args = arguments(words, description)
    # What is under way is ended by the same way out as after Ctrl-C.
    signal.signal(signal.SIGTERM, lambda *_: (_ for _ in ()).throw(KeyboardInterrupt()))
    cache = Path(os.environ.get("WATCHWORD_CACHE") or ROOT / ".cache").resolve()
    runs = cache / "qemu"
    runs.mkdir(parents=True, exist_ok=True)
    for old in runs.glob("run-*"):
        if time.time() - old.stat().st_mtime > LOGS_AGE_S:
            shutil.rmtree(old, ignore_errors=True)
    folder = Path(tempfile.mkdtemp(prefix="run-", dir=runs))
    keep = False
    try:
        if args.check or args.power_cuts is not None:
            status, keep = checked(args, cache, folder)
            return status
        return by_hand(args, cache, folder)
    except (EmulatorError, BuildError, GptError) as error:
        print(f"qemu: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("qemu: stopped", file=sys.stderr)
        return 130
    finally:
        if not keep:
            shutil.rmtree(folder, ignore_errors=True)


def checked(args: argparse.Namespace, cache: Path, folder: Path) -> tuple[int, bool]:
    """A check or a series of power cuts: the exit status, and whether the folder holds logs to be kept."""
    phases = Phases(quiet=args.json)
    logs, disks = folder / "logs", folder / "disks"
    for each in (logs, disks):
        each.mkdir()
    options = Options(args.image.resolve(), args.fast, args.memory, args.disk_size, args.timeout, args.camera)
    why = ""
    online_s: float | None = None
    start = time.monotonic()
    with contextlib.ExitStack() as stack:
        if args.json:
            # Whoever has something to tell meanwhile must not tell it into the JSON.
            stack.enter_context(contextlib.redirect_stdout(sys.stderr))
        try:
            with phases.phase("emulator"):
                emulator = Emulator.provide(cache)
            if args.camera == "clip":
                with phases.phase("clip"):
                    clip = Clip(cache, folder, logs)
                    stack.callback(clip.stop)
                    clip.start()
                    options.source = clip.source
            if args.power_cuts is not None:
                seed = args.seed if args.seed is not None else random.SystemRandom().randrange(1 << 32)
                check: Check = PowerCuts(options, emulator, phases, disks, logs, args.power_cuts, seed)
            else:
                check = Check(options, emulator, phases, disks, logs)
            try:
                check.run()
            finally:
                online_s = check.online_s
        except (CheckFailed, EmulatorError, BuildError, GptError) as error:
            why = str(error)
    ok = phases.ok and not why
    kept: Path | None = None
    if args.keep:
        args.keep.mkdir(parents=True, exist_ok=True)
        for each in (logs, disks):
            shutil.copytree(each, args.keep / each.name, dirs_exist_ok=True, copy_function=sparse_copy)
        kept = args.keep.resolve() / "logs"
    elif not ok:
        shutil.rmtree(disks, ignore_errors=True)
        kept = logs
    phases.tell("\n" + phases.table())
    if why:
        phases.tell(f"FAILED: {why}")
    if kept:
        phases.tell(f"console, broker's log, MQTT trace and report: {kept}")
    if args.json:
        print(json.dumps({"image": str(args.image), "ok": ok, "seconds": round(time.monotonic() - start, 1),
                          "online_seconds": round(online_s, 1) if online_s else None, "failed": why or None, "logs": str(kept) if kept else None, "phases": phases.as_json()}))
    return (0 if ok else 1), kept == logs


def sparse_copy(source: str, target: str) -> None:
    """Copies a file as `shutil.copy2` would, holes as holes."""
    from image.emulator import run
    run(["cp", "--reflink=auto", "--sparse=always", "--preserve=mode,timestamps", source, target])


def by_hand(args: argparse.Namespace, cache: Path, folder: Path) -> int:
    """The camera's console in this terminal, and what one needs to talk to it."""
    emulator = Emulator.provide(cache)
    broker: Broker | None = None
    clip: Clip | None = None
    machine: Machine | None = None
    try:
        if args.provision:
            text = args.provision.read_text()
            print("provisioned with your file")
        else:
            source = dict(VIVID)
            if args.camera == "clip":
                clip = Clip(cache, folder, folder)
                clip.start()
                source = clip.source
            if args.broker:
                text = with_broker(args.broker, source).text()
                print(f"camera {CAMERA}, broker as you said")
            else:
                broker = Broker(CAMERA, folder / "broker", folder)
                broker.start()
                text = Provisioning(CAMERA, f"mqtt://{HOST_IN_GUEST}:{broker.port}", CAMERA, broker.password,
                                    source=source).text()
                print(how_to(broker))
        forwards = [(args.forward_ssh, 22)] if args.forward_ssh else []
        for here, there in forwards:
            print(f"port {here} of 127.0.0.1 is the camera's port {there}")
        print("leave: Ctrl-A X pulls the plug; Ctrl-A C, then system_powerdown, presses the power button\n"
              "the image stays as it is; what the camera writes is gone when you leave\n", flush=True)
        machine = Machine(Disks.make(emulator, args.image.resolve(), folder, args.disk_size, text), folder,
                          args.memory, forwards, interactive=True)
        machine.start()
        assert machine.process
        return machine.process.wait()
    finally:
        if machine:
            machine.cut_power()
        for each in (broker, clip):
            if each:
                each.stop()


def with_broker(url: str, source: dict[str, str | int]) -> Provisioning:
    """Provisioning for a broker of the user's own, whose address may carry a name and a password."""
    try:
        scheme, _, rest = seen_from_guest(url).partition("://")
    except ValueError as error:
        raise EmulatorError(f"--broker: {error}") from None
    credentials, at, place = rest.rpartition("@")
    username, _, password = credentials.partition(":") if at else ("", "", "")
    return Provisioning(CAMERA, f"{scheme}://{place}", username, password, source=source)


def how_to(broker: Broker) -> str:
    """What to type into a second terminal."""
    login = f"-h 127.0.0.1 -p {broker.port} -u {OPERATOR} -P {broker.operator_password}"
    return (f"camera {CAMERA}; its broker is Mosquitto on port {broker.port} of 127.0.0.1, for this run only.\n"
            "In a second terminal:\n\n"
            f"  mosquitto_sub {login} -v -t '{broker.root}/#' -T '{broker.root}/alerts/+/image'\n"
            f"  mosquitto_pub {login} -q 1 -t {broker.root}/rules/desk/set \\\n"
            "      -m 'alert me when nobody is at the desk for 2 seconds'\n"
            f"  mosquitto_sub {login} -C 1 -N -t {broker.root}/alerts/desk/image > alert.jpg\n")
