#!/usr/bin/env python3
"""Puts libtorch where the build finds it: `.libtorch` in the checkout.

The libraries and headers come out of the pinned wheels of `wheels.txt`, without the Python
packages that the wheels ask for. They live in a per-user cache that all checkouts share; a stamp
in the cache lists every file with its size and SHA-256. Only what was checked is ever unpacked,
and only what was unpacked whole is ever moved into place, so an interrupted run leaves nothing
that a later one would take for an installation.

Needs Python 3.8 or newer, and pip only when something has to be fetched.
"""

from __future__ import annotations

import argparse
import fcntl
import hashlib
import json
import os
import platform
import re
import shutil
import signal
import subprocess
import sys
import time
import zipfile
from pathlib import Path
from typing import Callable, NamedTuple

TORCH_VERSION = "2.11.0"
STAMP = "framepack-stamp.json"
ATTEMPTS = 3
PIP_MISSING = 3

# What a CPU build leaves in the torch wheel. The libraries behind `cuda` belong to the CUDA build;
# libtorch.so links them, and nothing here links libtorch.so.
PYTHON_LIBRARIES = re.compile(r"torch/lib/libtorch_python\.|torch/lib/libshm")
CUDA_LIBRARIES = re.compile(
    r"torch/lib/(libtorch_cuda|libc10_cuda|libcaffe2_nvrtc|libtorch_nvshmem|libtorch\.so)"
)
WANTED = re.compile(
    r"(torch/include/|torch/lib/|torch/version\.py$|torchgen/|nvidia/)|.*/licenses/"
)


class SetupError(Exception):
    """Something that ends the setup, told in one sentence."""


class PipMissing(SetupError):
    """There is something to fetch and no pip to fetch it with."""


class Wheel(NamedTuple):
    """One pinned wheel."""

    device: str
    sha256: str
    size: int
    file: str

    @property
    def requirement(self) -> str:
        name, version = self.file.split("-")[:2]
        return f"{name.replace('_', '-')}=={version} --hash=sha256:{self.sha256}\n"

    @property
    def pip_options(self) -> list[str]:
        """The wheel's own tags, so that any local Python fetches this very file."""
        python, abi, platforms = self.file[: -len(".whl")].split("-")[2:]
        version = "3.11" if python == "py3" else f"{python[2]}.{python[3:]}"
        return [
            *("--only-binary=:all:", "--implementation", "cp", "--python-version", version),
            *("--abi", abi, "--platform", platforms.split(".")[0]),
        ]


def say(text: str) -> None:
    print(f"setup: {text}", flush=True)


# What is wanted ----------------------------------------------------------------------------------


def platform_name() -> str:
    machine = {"amd64": "x86_64", "arm64": "aarch64"}.get(platform.machine(), platform.machine())
    name = {
        ("Linux", "x86_64"): "linux-x86_64",
        ("Linux", "aarch64"): "linux-aarch64",
        ("Darwin", "aarch64"): "macos-arm64",
    }.get((platform.system(), machine))
    if name is None:
        raise SetupError(
            f"there is no libtorch {TORCH_VERSION} wheel for {platform.system()} on {machine}; "
            "Linux on x86_64 or arm64 and macOS on arm64 have one"
        )
    return name


def pinned_wheels(pins: Path, system: str, device: str) -> list[Wheel]:
    """The wheels of `pins` that `device` needs on `system`."""
    rows = [line.split() for line in pins.read_text().splitlines() if line and line[0] != "#"]
    wheels = [Wheel(row[1], row[2], int(row[3]), row[4]) for row in rows if row[0] == system]
    if device == "cuda" and not any(wheel.device == "cuda" for wheel in wheels):
        raise SetupError(f"there is no CUDA for {system}; run `make setup` without DEVICE=cuda")
    return [wheel for wheel in wheels if wheel.device == "cpu" or device == "cuda"]


def library_name(stem: str) -> str:
    return f"{stem}.dylib" if platform.system() == "Darwin" else f"{stem}.so"


# What is there -----------------------------------------------------------------------------------


def digest(path: Path) -> str:
    total = hashlib.sha256()
    with path.open("rb") as file:
        for block in iter(lambda: file.read(1 << 22), b""):
            total.update(block)
    return total.hexdigest()


def flaw(root: Path, wheels: list[Wheel], verify: bool) -> str | None:
    """Why `root` is not a whole installation of `wheels`, or None when it is one."""
    try:
        stamp = json.loads((root / STAMP).read_text())
        pins, files = stamp["wheels"], stamp["files"]
    except FileNotFoundError:
        return "it has no stamp" if root.exists() else "it is not there yet"
    except (ValueError, KeyError, TypeError):
        return "its stamp cannot be read"
    for wheel in wheels:
        if pins.get(wheel.file) != wheel.sha256:
            return f"it was made without {wheel.file}"
    for name, (size, sha256) in files.items():
        try:
            found = os.stat(root / name).st_size
        except OSError:
            return f"{name} is missing"
        if found != size:
            return f"{name} has {found} bytes and should have {size}"
        if verify and digest(root / name) != sha256:
            return f"{name} has changed since it was installed"
    return None


def torch_version(torch: Path) -> str | None:
    """The version that a libtorch folder says it has."""
    header = torch / "include/torch/headeronly/version.h"
    for path, pattern in (
        (torch / "version.py", r"__version__ = ['\"]([^'\"]+)"),
        (torch / "build-version", r"(\S+)"),
        (header, r"#define TORCH_VERSION \"([^\"]+)"),
    ):
        match = re.search(pattern, path.read_text()) if path.is_file() else None
        if match:
            return match.group(1)
    if header.is_file():
        parts = re.findall(r"#define TORCH_VERSION_(?:MAJOR|MINOR|PATCH) (\d+)", header.read_text())
        return ".".join(parts) if len(parts) == 3 else None
    return None


def unresolved(library: Path) -> list[str]:
    """The shared libraries that `library` needs and the loader does not find."""
    if platform.system() != "Linux" or not library.exists():
        return []
    listing = subprocess.run(["ldd", str(library)], capture_output=True, text=True, check=False)
    lines = [line.split()[0] for line in listing.stdout.splitlines() if "not found" in line]
    # The driver's own library comes with the driver, not with a wheel.
    return sorted({name for name in lines if name != "libcuda.so.1"})


def check_given(torch: Path, device: str) -> None:
    """Refuses a TORCH_HOME that the build could not use."""
    advice = f"give the folder of libtorch {TORCH_VERSION}, or unset TORCH_HOME"
    needed = ["include/ATen/ATen.h", f"lib/{library_name('libtorch_cpu')}"]
    if device == "cuda":
        needed.append(f"lib/{library_name('libtorch_cuda')}")
    for name in needed:
        if not (torch / name).is_file():
            raise SetupError(f"TORCH_HOME is {torch}, which has no {name}; {advice}")
    version = torch_version(torch)
    if version is None or version.split("+")[0] != TORCH_VERSION:
        raise SetupError(f"TORCH_HOME is {torch}, which has version {version or '?'}; {advice}")
    missing = unresolved(torch / needed[-1])
    if missing:
        raise SetupError(f"TORCH_HOME is {torch}, whose {needed[-1]} needs {', '.join(missing)}")


# Fetching and unpacking --------------------------------------------------------------------------


def pip_command() -> list[str]:
    for python in (sys.executable, "/usr/bin/python3"):
        command = [python, "-m", "pip"]
        try:
            if subprocess.run([*command, "--version"], capture_output=True).returncode == 0:
                return command
        except OSError:
            continue
    raise PipMissing("pip is needed to fetch libtorch, and `python3 -m pip` does not run")


def pip_fetch(wheel: Wheel, folder: Path) -> None:
    """Has pip put one wheel into `folder`; pip compares its SHA-256 too."""
    temporary = folder / "pip"
    shutil.rmtree(temporary, ignore_errors=True)
    temporary.mkdir(parents=True)
    requirement = temporary / "requirement.txt"
    requirement.write_text(wheel.requirement)
    environment = {**os.environ, "TMPDIR": str(temporary), "PIP_REQUIRE_VIRTUALENV": "0"}
    quiet = [] if sys.stderr.isatty() else ["--quiet"]
    command = [
        *(*pip_command(), "download", "--no-deps", "--no-cache-dir", "--require-hashes"),
        *("--disable-pip-version-check", "--retries", "5", "--timeout", "60", "--no-input"),
        *(*quiet, *wheel.pip_options, "--dest", str(temporary), "--requirement", str(requirement)),
    ]
    # The lock stays with pip (its descriptor is inherited), so that a pip that outlives a killed
    # setup keeps the next one waiting.
    process = subprocess.Popen(command, env=environment, close_fds=False)
    try:
        status = process.wait()
    finally:
        if process.poll() is None:
            process.terminate()
            process.wait()
    if status != 0:
        raise SetupError(f"pip could not fetch {wheel.file}")
    os.replace(temporary / wheel.file, folder / wheel.file)
    shutil.rmtree(temporary)


def fetch(wheel: Wheel, folder: Path, attempt: Callable[[Wheel, Path], None]) -> Path:
    """A wheel in `folder` whose SHA-256 is the pinned one."""
    target = folder / wheel.file
    for number in range(1, ATTEMPTS + 1):
        if target.exists():
            if target.stat().st_size == wheel.size and digest(target) == wheel.sha256:
                return target
            say(f"{wheel.file} is incomplete or damaged; fetching it again")
            target.unlink()
        if number > 1:
            time.sleep(2 * (number - 1))
        say(f"fetching {wheel.file} ({wheel.size / 1e6:.0f} MB)")
        try:
            attempt(wheel, folder)
        except PipMissing:
            raise
        except SetupError as error:
            say(f"{error} (attempt {number} of {ATTEMPTS})")
    if target.exists() and digest(target) == wheel.sha256:
        return target
    target.unlink(missing_ok=True)
    raise SetupError(
        f"{wheel.file} could not be fetched whole in {ATTEMPTS} attempts; see the lines above, "
        "check the network, and run `make setup` again"
    )


def wanted(name: str, device: str) -> bool:
    if name.endswith(("/", ".a", ".pyc")) or not WANTED.match(name):
        return False
    return not PYTHON_LIBRARIES.match(name) and (device == "cuda" or not CUDA_LIBRARIES.match(name))


def unpack(wheel: Path, tree: Path, device: str) -> dict[str, tuple[int, str]]:
    """Unpacks what the build needs; returns each file's size and SHA-256."""
    files = {}
    with zipfile.ZipFile(wheel) as archive:
        for entry in archive.infolist():
            if not wanted(entry.filename, device):
                continue
            target = tree / entry.filename
            target.parent.mkdir(parents=True, exist_ok=True)
            total = hashlib.sha256()
            with archive.open(entry) as source, target.open("wb") as destination:
                for block in iter(lambda: source.read(1 << 20), b""):
                    total.update(block)
                    destination.write(block)
            # The wheel's own time: what was built against these headers stays up to date.
            moment = time.mktime((*entry.date_time, 0, 0, -1))
            os.utime(target, (moment, moment))
            files[entry.filename] = (entry.file_size, total.hexdigest())
    return files


# Installing --------------------------------------------------------------------------------------


def check_space(folder: Path, wheels: list[Wheel]) -> None:
    """Asks for room before gigabytes are on their way: the wheels, unpacked beside them."""
    needed = 3 * sum(wheel.size for wheel in wheels)
    free = shutil.disk_usage(folder).free
    if free < needed:
        raise SetupError(
            f"{folder} has {free / 1e9:.1f} GB free, and fetching libtorch takes "
            f"{needed / 1e9:.1f} GB; make room, or set XDG_CACHE_HOME to another disk"
        )


def install(
    root: Path,
    wheels: list[Wheel],
    device: str,
    attempt: Callable[[Wheel, Path], None] = pip_fetch,
) -> None:
    """Fetches `wheels` and moves what was unpacked from them to `root`."""
    partial = root.with_name(f".{root.name}.partial")
    tree, retired = partial / "tree", partial / "retired"
    for folder in (tree, retired):
        shutil.rmtree(folder, ignore_errors=True)
    partial.mkdir(exist_ok=True)
    check_space(partial, wheels)
    paths = [fetch(wheel, partial, attempt) for wheel in wheels]
    say("unpacking")
    files: dict[str, tuple[int, str]] = {}
    for path in paths:
        files.update(unpack(path, tree, device))
    for stem in ("libtorch_cpu", "libtorch_cuda"):
        missing = unresolved(tree / "torch/lib" / library_name(stem))
        if missing:
            raise SetupError(f"{library_name(stem)} needs {', '.join(missing)}, which is nowhere")
    stamp = {"wheels": {wheel.file: wheel.sha256 for wheel in wheels}, "files": files}
    (tree / STAMP).write_text(json.dumps(stamp, indent=0))
    os.sync()
    if root.exists():
        os.rename(root, retired)
    os.rename(tree, root)
    shutil.rmtree(partial, ignore_errors=True)


def ensure(root: Path, pins: Path, device: str, verify: bool) -> None:
    """Makes `root` a whole installation, one setup at a time."""
    wheels = pinned_wheels(pins, platform_name(), device)
    if not verify and flaw(root, wheels, verify=False) is None:
        return
    root.parent.mkdir(parents=True, exist_ok=True)
    with (root.parent / ".setup.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            say("waiting for another setup that is under way")
            fcntl.flock(lock, fcntl.LOCK_EX)
        os.set_inheritable(lock.fileno(), True)
        reason = flaw(root, wheels, verify)
        if reason is None:
            return
        say(f"installing libtorch {TORCH_VERSION} in {root}: {reason}")
        start = time.monotonic()
        install(root, wheels, device)
        say(f"libtorch is ready after {time.monotonic() - start:.0f} s")


def link(checkout: Path, torch: Path) -> None:
    """Points `.libtorch` at `torch`, in one step."""
    path = checkout / ".libtorch"
    if path.is_symlink() and os.readlink(path) == str(torch):
        return
    if not path.is_symlink() and path.exists():
        raise SetupError(f"{path} is not a link; move it away and run `make setup` again")
    temporary = checkout / f".libtorch.{os.getpid()}"
    temporary.symlink_to(torch)
    os.replace(temporary, path)
    say(f"linked .libtorch to {torch}")


def cache_folder() -> Path:
    given = os.environ.get("XDG_CACHE_HOME", "")
    return (Path(given) if given else Path.home() / ".cache") / "framepack"


def main() -> int:
    parser = argparse.ArgumentParser(description="Puts libtorch where the build finds it.")
    parser.add_argument("--device", choices=["cpu", "cuda"], default="cpu")
    parser.add_argument("--verify", action="store_true", help="compare every file's SHA-256")
    options = parser.parse_args()
    here = Path(__file__).resolve().parent
    checkout = here.parent.parent
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(128 + number))
    try:
        given = os.environ.get("TORCH_HOME", "")
        if given:
            torch = Path(given).expanduser().resolve()
            check_given(torch, options.device)
        else:
            root = cache_folder() / f"torch-{TORCH_VERSION}"
            ensure(root, here / "wheels.txt", options.device, options.verify)
            torch = root / "torch"
        link(checkout, torch)
    except SetupError as error:
        print(f"setup: {error}", file=sys.stderr)
        return PIP_MISSING if isinstance(error, PipMissing) else 1
    except KeyboardInterrupt:
        print("setup: interrupted; run `make setup` again to finish", file=sys.stderr)
        return 130
    except OSError as error:
        print(f"setup: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
