# SPDX-License-Identifier: Apache-2.0
import os
import sys
import unittest

from house import HouseTest

import tree

sys.path.insert(0, str(tree.ROOT / "tests" / "readme"))
import readme

SAMPLE = """# Sample
```sh
not run
```
```cpp
int main() { return 0; }
```
```console
$ greet
hello, ... of 3
...
bye
$ greet | \\
  wc -l
4
```
"""


class ReadmeTest(HouseTest):
    def sessions(self, document: str) -> list[str]:
        self.write("bin/greet", '#!/bin/sh\nprintf "hello, user 1 of 3\\nstep 1\\nstep 2\\nbye\\n"\n')
        os.chmod(self.root / "bin" / "greet", 0o755)
        return readme.run_sessions(document, self.root / "bin")

    def test_programs_are_written_with_their_place_in_the_document(self) -> None:
        (path,) = readme.write_programs(SAMPLE, self.root / "programs")
        self.assertEqual(path.read_text(encoding="utf-8"), '#line 6 "README.md"\nint main() { return 0; }\n')

    def test_a_program_that_did_not_change_is_not_written_again(self) -> None:
        (path,) = readme.write_programs(SAMPLE, self.root)
        os.utime(path, (1, 1))
        readme.write_programs(SAMPLE, self.root)
        self.assertEqual(path.stat().st_mtime, 1)

    def test_a_session_that_prints_what_is_written_passes(self) -> None:
        self.assertEqual(self.sessions(SAMPLE), [])

    def test_a_session_that_prints_something_else_fails_with_its_line(self) -> None:
        (complaint,) = self.sessions(SAMPLE.replace("bye", "farewell"))
        self.assertTrue(complaint.startswith("README.md:9: $ greet\nprinted something else:\nhello, user 1 of 3"), complaint)

    def test_missing_or_additional_lines_fail(self) -> None:
        self.assertEqual(len(self.sessions("```console\n$ echo a; echo b\na\n```\n")), 1)
        self.assertEqual(len(self.sessions("```console\n$ echo a\na\nb\n```\n")), 1)
        self.assertEqual(len(self.sessions("```console\n$ true\na\n```\n")), 1)
        self.assertEqual(len(self.sessions("```console\n$ echo a\n```\n")), 1)

    def test_a_command_that_fails_fails_the_session_unless_the_session_shows_it(self) -> None:
        self.assertIn("exited 3", self.sessions("```console\n$ exit 3\n```\n")[0])
        self.assertEqual(self.sessions("```console\n$ (exit 3); echo $?\n3\n```\n"), [])

    def test_dots_stand_for_text_within_one_line_only(self) -> None:
        self.assertTrue(readme.matches(["a ... c"], "a b c\n"))
        self.assertFalse(readme.matches(["a ... c"], "a b\nb c\n"))
        self.assertTrue(readme.matches(["..."], ""))
        self.assertFalse(readme.matches(["1.5 (*)"], "1x5 (**)\n"))

    def test_a_session_that_does_not_begin_with_a_command_is_an_error(self) -> None:
        with self.assertRaisesRegex(ValueError, "line 2: a session begins with"):
            readme.run_sessions("```console\nhello\n```\n", self.root)


if __name__ == "__main__":
    unittest.main()
