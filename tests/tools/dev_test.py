# SPDX-License-Identifier: Apache-2.0
"""The set-up of ./dev on machines that lack things, played by stubs that come first on the PATH."""

import os
import shutil
import subprocess
import unittest

from house import HouseTest

import tree

LIBRARIES = "libgtest-dev libgmock-dev libbenchmark-dev libboost-math-dev libeigen3-dev nlohmann-json3-dev libfmt-dev libcli11-dev libssl-dev zlib1g-dev"


class DevTest(HouseTest):
    def setUp(self) -> None:
        super().setUp()
        shutil.copy(tree.ROOT / "dev", self.root / "dev")
        self.installed = LIBRARIES.split()
        for tool in ("c++", "ninja", "ccache", "clang-format", "clang-tidy"):
            self.stub(tool, "")
        self.stub("cmake", 'echo "cmake version 3.25.1"')
        self.stub("dpkg-query", 'for name in $INSTALLED; do printf "install ok installed\\t%s\\n" $name; done')
        self.stub("apt-get", 'echo "apt-get $*" >>"$RECORD"')
        self.environment_with_torch("/torch")

    def stub(self, program: str, body: str, folder: str = "stubs") -> None:
        self.write(f"{folder}/{program}", f"#!/bin/bash\n{body}\n")
        (self.root / folder / program).chmod(0o755)

    def environment_with_torch(self, folder: str) -> None:
        self.stub("python", f'[ "$1" = - ] && echo {folder}; echo "python $*" >>"$RECORD"', ".venv/bin")

    def user(self, number: int, sudo: bool) -> None:
        self.stub("id", f"echo {number}")
        self.stub("sudo", '[ "$1" = -n ] && exit 0; "$@"' if sudo else "exit 1")

    def dev(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        environment = {
            "PATH": f"{self.root}/stubs:/usr/bin:/bin",
            "HOME": os.environ.get("HOME", "/"),
            "INSTALLED": " ".join(self.installed),
            "RECORD": str(self.root / "record"),
        }
        return subprocess.run([str(self.root / "dev"), *arguments], env=environment, capture_output=True, text=True, stdin=subprocess.DEVNULL)

    def record(self) -> str:
        path = self.root / "record"
        return path.read_text(encoding="utf-8") if path.exists() else ""

    def test_when_nothing_is_missing_nothing_is_installed_and_nothing_is_said(self) -> None:
        self.user(1000, sudo=False)
        done = self.dev("setup")
        self.assertEqual((done.returncode, done.stdout, done.stderr), (0, "", ""))
        self.assertNotIn("apt-get", self.record())
        self.assertNotIn("pip", self.record())

    def test_without_rights_it_says_exactly_what_to_install_and_exits_1(self) -> None:
        self.user(1000, sudo=False)
        self.installed.remove("libfmt-dev")
        self.installed.remove("libssl-dev")
        done = self.dev("setup")
        self.assertEqual(done.returncode, 1)
        self.assertIn("sudo apt-get update && sudo apt-get install libfmt-dev libssl-dev\n", done.stderr)
        self.assertNotIn("apt-get", self.record())

    def test_with_rights_it_installs_what_is_missing_and_nothing_else(self) -> None:
        for number, sudo in ((0, False), (1000, True)):
            with self.subTest(user=number):
                (self.root / "record").unlink(missing_ok=True)
                self.user(number, sudo)
                self.installed = [name for name in LIBRARIES.split() if name != "zlib1g-dev"]
                done = self.dev("setup")
                self.assertEqual(done.returncode, 0, done.stderr)
                self.assertIn("apt-get update", self.record())
                self.assertRegex(self.record(), r"apt-get install .* zlib1g-dev\n")
                self.assertNotIn("libfmt-dev", self.record())
                self.assertIn("installing Debian packages: zlib1g-dev\n", done.stderr)

    def test_a_missing_torch_is_installed_into_the_environment(self) -> None:
        self.user(0, sudo=False)
        self.stub(
            "python",
            'echo "python $*" >>"$RECORD"; [ "$1" != - ] && exit 0; grep -q "pip install" "$RECORD" && echo /torch || exit 1',
            ".venv/bin",
        )
        done = self.dev("setup")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertRegex(self.record(), r"-m pip install .*torch==2\.13\.0\n")

    def test_an_old_cmake_is_replaced_inside_the_environment(self) -> None:
        self.user(0, sudo=False)
        self.stub("cmake", 'echo "cmake version 3.22.1"')
        done = self.dev("setup")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("pip install --quiet --disable-pip-version-check cmake>=3.25", self.record())

    def test_fmt_formats_every_source_with_clang_format_14_and_with_no_other(self) -> None:
        self.user(0, sudo=False)
        for program, version, after in (("clang-format-14", 14, "formatted"), ("clang-format-14", 19, "left alone")):
            with self.subTest(version):
                answer = f'[ "$1" = --version ] && echo "clang-format version {version}.0.6" || for f in "${{@:2}}"; do echo formatted >$f; done'
                self.stub(program, answer)
                self.write("ghostgrad/base/x.cpp", "left alone\n")
                subprocess.run(["git", "-C", str(self.root), "init", "-q"], check=True)
                self.assertEqual(self.dev("fmt").returncode, 0 if version == 14 else 1)
                self.assertEqual((self.root / "ghostgrad/base/x.cpp").read_text(encoding="utf-8").strip(), after)

    def test_help_lists_every_command_and_an_unknown_one_exits_2(self) -> None:
        text = self.dev("help").stdout
        for command in ("demo", "test", "fast", "program", "slow", "lint", "fmt", "bench", "asan", "tsan", "docs", "install"):
            self.assertIn(f"\n  {command} ", text)
        unknown = self.dev("frobnicate")
        self.assertEqual(unknown.returncode, 2)
        self.assertIn("no command 'frobnicate'", unknown.stderr)


if __name__ == "__main__":
    unittest.main()
