#!/usr/bin/env python3
"""Tests of libtorch.py with wheels of a few bytes: no network, no pip, about a second."""

from __future__ import annotations

import fcntl
import hashlib
import os
import subprocess
import sys
import tempfile
import unittest
import zipfile
from pathlib import Path
from unittest import mock

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parent))
import libtorch
from libtorch import SetupError, Wheel

CONTENTS = {
    "torch/include/ATen/ATen.h": b"// header",
    "torch/lib/libtorch_cpu.so": b"not a library",
    "torch/lib/libtorch_cuda.so": b"not a library either",
    "torch/lib/libtorch_python.so": b"for Python",
    "torch/nn/functional.py": b"for Python too",
    "torch/version.py": b"__version__ = '2.11.0+cu130'\n",
    "torchgen/packaged/ATen/native/native_functions.yaml": b"[]",
    "torch-2.11.0.dist-info/licenses/LICENSE": b"BSD",
}


class LibtorchTests(unittest.TestCase):
    def setUp(self) -> None:
        scratch = tempfile.TemporaryDirectory()
        self.addCleanup(scratch.cleanup)
        self.folder = Path(scratch.name)
        self.root = self.folder / "cache" / "torch-2.11.0"
        self.root.parent.mkdir()
        self.good = self.folder / "torch-2.11.0-cp311-cp311-manylinux_2_28_x86_64.whl"
        with zipfile.ZipFile(self.good, "w") as archive:
            for name, data in CONTENTS.items():
                archive.writestr(name, data)
        data = self.good.read_bytes()
        self.wheel = Wheel("cpu", hashlib.sha256(data).hexdigest(), len(data), self.good.name)
        self.fetches = 0
        for patch in (mock.patch.object(libtorch, "say"), mock.patch.object(libtorch.time, "sleep")):
            patch.start()
            self.addCleanup(patch.stop)

    def fetch_good(self, wheel: Wheel, folder: Path) -> None:
        self.fetches += 1
        (folder / wheel.file).write_bytes(self.good.read_bytes())

    def fetch_damaged_then_good(self, wheel: Wheel, folder: Path) -> None:
        self.fetch_good(wheel, folder)
        if self.fetches == 1:
            data = bytearray(self.good.read_bytes())
            data[40] ^= 1
            (folder / wheel.file).write_bytes(data)

    def install(self, attempt=None, device="cpu") -> None:
        libtorch.install(self.root, [self.wheel], device, attempt or self.fetch_good)

    def flaw(self, verify=False):
        return libtorch.flaw(self.root, [self.wheel], verify)

    def test_an_installation_is_whole_and_holds_what_the_build_needs(self) -> None:
        self.assertEqual(self.flaw(), "it is not there yet")
        self.install()
        self.assertIsNone(self.flaw(verify=True))
        names = {str(p.relative_to(self.root)) for p in self.root.rglob("*") if p.is_file()}
        left_out = {n for n in CONTENTS if "cuda" in n or "python" in n or "functional" in n}
        self.assertEqual(names, (set(CONTENTS) - left_out) | {libtorch.STAMP})
        self.assertEqual([p.name for p in self.root.parent.iterdir()], ["torch-2.11.0"])

    def test_cuda_keeps_its_library_and_serves_a_cpu_build(self) -> None:
        self.install(device="cuda")
        self.assertTrue((self.root / "torch/lib/libtorch_cuda.so").exists())
        self.assertIsNone(self.flaw())

    def test_a_damaged_download_is_fetched_again(self) -> None:
        self.install(self.fetch_damaged_then_good)
        self.assertEqual(self.fetches, 2)
        self.assertIsNone(self.flaw(verify=True))

    def test_a_truncated_leftover_is_fetched_again_and_a_whole_one_is_kept(self) -> None:
        partial = self.root.with_name(".torch-2.11.0.partial")
        partial.mkdir()
        (partial / self.wheel.file).write_bytes(self.good.read_bytes()[:-9])
        self.install()
        self.assertEqual(self.fetches, 1)
        partial.mkdir()
        (partial / self.wheel.file).write_bytes(self.good.read_bytes())
        self.install()
        self.assertEqual(self.fetches, 1)

    def test_a_download_that_stays_damaged_is_never_used(self) -> None:
        def damaged(wheel: Wheel, folder: Path) -> None:
            self.fetches += 1
            (folder / wheel.file).write_bytes(b"no wheel at all")

        with self.assertRaisesRegex(SetupError, "could not be fetched whole in 3 attempts"):
            self.install(damaged)
        self.assertEqual(self.fetches, 3)
        self.assertFalse(self.root.exists())

    def test_a_failed_renewal_leaves_the_old_installation(self) -> None:
        self.install()

        def offline(wheel: Wheel, folder: Path) -> None:
            raise SetupError("no network")

        with self.assertRaises(SetupError):
            self.install(offline)
        self.assertIsNone(self.flaw(verify=True))

    def test_flaws_are_named(self) -> None:
        header = self.root / "torch/include/ATen/ATen.h"
        cases = {
            "is missing": header.unlink,
            "has 3 bytes and should have 9": lambda: header.write_bytes(b"abc"),
            "has changed": lambda: header.write_bytes(b"// HEADER"),
            "no stamp": (self.root / libtorch.STAMP).unlink,
            "cannot be read": lambda: (self.root / libtorch.STAMP).write_text("{"),
        }
        for expected, damage in cases.items():
            self.install()
            damage()
            self.assertIn(expected, self.flaw(verify=True))
        self.install()
        other = self.wheel._replace(sha256="0" * 64)
        self.assertIn("made without", libtorch.flaw(self.root, [other], False))

    def test_a_given_folder_must_be_the_right_libtorch(self) -> None:
        self.install()
        torch = self.root / "torch"
        library = libtorch.library_name("libtorch_cpu")
        (torch / "lib" / library).write_bytes(b"")
        libtorch.check_given(torch, "cpu")
        with self.assertRaisesRegex(SetupError, "has no lib/libtorch_cuda"):
            libtorch.check_given(torch, "cuda")
        (torch / "version.py").write_text("__version__ = '2.10.0'\n")
        with self.assertRaisesRegex(SetupError, "has version 2.10.0"):
            libtorch.check_given(torch, "cpu")
        (torch / "version.py").unlink()
        with self.assertRaisesRegex(SetupError, r"has version \?"):
            libtorch.check_given(torch, "cpu")
        (torch / "include/ATen/ATen.h").unlink()
        with self.assertRaisesRegex(SetupError, "has no include/ATen/ATen.h"):
            libtorch.check_given(torch, "cpu")

    def test_the_link_is_replaced_and_a_folder_in_its_place_is_not(self) -> None:
        for target in ("one", "two"):
            libtorch.link(self.folder, self.folder / target)
            self.assertEqual(os.readlink(self.folder / ".libtorch"), str(self.folder / target))
        (self.folder / ".libtorch").unlink()
        (self.folder / ".libtorch").mkdir()
        with self.assertRaisesRegex(SetupError, "is not a link"):
            libtorch.link(self.folder, self.folder / "one")

    def test_a_second_setup_waits_for_the_first(self) -> None:
        pins = self.folder / "pins"
        row = f"{libtorch.platform_name()} cpu {self.wheel.sha256} {self.wheel.size}"
        pins.write_text(f"# pins\n{row} {self.wheel.file}\n")
        program = (
            "import sys; sys.dont_write_bytecode = True; import libtorch; from pathlib import Path;"
            f"libtorch.ensure(Path({str(self.root)!r}), Path({str(pins)!r}), 'cpu', False)"
        )
        with (self.root.parent / ".setup.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            command = [sys.executable, "-c", program]
            second = subprocess.Popen(
                command, cwd=Path(libtorch.__file__).parent, stdout=subprocess.PIPE, text=True
            )
            self.assertIn("waiting for another setup", second.stdout.readline())
            self.install()
        self.assertEqual(second.wait(timeout=20), 0)
        self.assertEqual(second.stdout.read(), "")
        second.stdout.close()

    def test_a_platform_has_its_pins(self) -> None:
        pins = Path(libtorch.__file__).with_name("wheels.txt")
        for system, cpu, cuda in (("linux-x86_64", 3, 16), ("linux-aarch64", 3, 16)):
            self.assertEqual(len(libtorch.pinned_wheels(pins, system, "cpu")), cpu)
            self.assertEqual(len(libtorch.pinned_wheels(pins, system, "cuda")), cuda)
        self.assertEqual(len(libtorch.pinned_wheels(pins, "macos-arm64", "cpu")), 1)
        with self.assertRaisesRegex(SetupError, "no CUDA for macos-arm64"):
            libtorch.pinned_wheels(pins, "macos-arm64", "cuda")

    def test_a_wheel_asks_for_its_own_tags(self) -> None:
        options = self.wheel.pip_options
        self.assertEqual(options[options.index("--python-version") + 1], "3.11")
        self.assertEqual(options[options.index("--abi") + 1], "cp311")
        self.assertEqual(options[options.index("--platform") + 1], "manylinux_2_28_x86_64")
        self.assertTrue(self.wheel.requirement.startswith("torch==2.11.0 --hash=sha256:"))


if __name__ == "__main__":
    unittest.main()
