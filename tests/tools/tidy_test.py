# SPDX-License-Identifier: Apache-2.0
import json
import shutil
import subprocess
import unittest
from pathlib import Path

from house import HouseTest

import tidy
import tree


class TidyTest(HouseTest):
    def findings(self, code: str) -> str:
        """What clang-tidy says with our checks; the file includes nothing, so this takes a moment only."""
        self.write("ghostgrad/base/x.cpp", code)
        program = shutil.which(f"clang-tidy-{tidy.VERSION}") or shutil.which("clang-tidy")
        self.assertIsNotNone(program, "clang-tidy is missing; ./dev test installs it")
        command = [str(program), "--quiet", f"--config-file={tree.ROOT / '.clang-tidy'}", str(self.root / "ghostgrad/base/x.cpp"), "--", "-std=c++20"]
        run = subprocess.run(command, capture_output=True, text=True)
        return run.stdout if run.returncode else ""

    def test_names_follow_our_style(self) -> None:
        self.assertEqual(self.findings("class Rule {\n public:\n  int cost() const { return cost_; }\n\n private:\n  int cost_ = 0;\n};\n"), "")
        for code in ("class rule {};", "void DoIt();", "class Rule {\n  int cost = 0;\n};", "int f() { int Cost = 1; return Cost; }"):
            with self.subTest(code):
                self.assertIn("readability-identifier-naming", self.findings(code + "\n"))
        self.assertEqual(self.findings("int f(int B) { const int T = 2; constexpr int kMost = 3; return B * T * kMost; }\n"), "")

    def test_a_bug_is_found(self) -> None:
        self.assertIn("bugprone-suspicious-semicolon", self.findings("int f(int a) {\n  if (a > 1);\n    a = 2;\n  return a;\n}\n"))

    def test_precompiled_headers_of_another_compiler_are_left_out(self) -> None:
        command = "/usr/bin/c++ -O3 -Winvalid-pch -include /b/cmake_pch.hxx -o x.o -c /r/ghostgrad/base/x.cpp"
        self.write("build/compile_commands.json", json.dumps([{"file": str(self.root / "ghostgrad/base/x.cpp"), "command": command}]))
        (entry,) = tidy.commands(self.root, self.root / "build").values()
        self.assertEqual(entry["command"], "/usr/bin/c++ -O3 -o x.o -c /r/ghostgrad/base/x.cpp")

    def test_cheap_rooms_are_read_always_and_the_others_when_they_changed(self) -> None:
        for path in ("ghostgrad/base/a.cpp", "ghostgrad/clip/b.cpp", "ghostgrad/clip/c.cpp", "tests/base/d.cpp"):
            self.write(path, "int x;\n")
        git = ["git", "-C", str(self.root), "-c", "user.name=t", "-c", "user.email=t@example.org"]
        subprocess.run([*git, "init", "-q", "-b", "main"], check=True)
        subprocess.run([*git, "add", "."], check=True)
        subprocess.run([*git, "commit", "-q", "-m", "x"], check=True)
        self.assertEqual(tidy.chosen(self.root, False, []), [Path("ghostgrad/base/a.cpp")])
        self.write("ghostgrad/clip/b.cpp", "int y;\n")
        self.assertEqual(tidy.chosen(self.root, False, []), [Path("ghostgrad/base/a.cpp"), Path("ghostgrad/clip/b.cpp")])
        self.assertEqual(len(tidy.chosen(self.root, True, [])), 3)

    def test_a_verdict_is_forgotten_when_a_header_changes(self) -> None:
        self.write("ghostgrad/base/a.cpp", "int x;\n")
        self.write("ghostgrad/base/a.h", "int x;\n")

        def stamp() -> Path:
            return tidy.Memory(self.root, self.root, "true").stamp(Path("ghostgrad/base/a.cpp"), "c++")

        before = stamp()
        self.assertEqual(stamp(), before)
        self.write("ghostgrad/base/a.h", "int y;\n")
        self.assertNotEqual(stamp(), before)


if __name__ == "__main__":
    unittest.main()
