# SPDX-License-Identifier: Apache-2.0
"""docs/guarantees.md names tests, and each of them exists."""

import re
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
NAMED = re.compile(r"`([A-Z]\w+)\.([A-Z]\w+)`")
NAMED_IN_PYTHON = re.compile(r"`(\w+_test\.py)::(test_\w+)`")
DEFINED = re.compile(r"^TEST(?:_F|_P)?\((\w+),\s*(\w+)\)|^TYPED_TEST(?:_P)?\((\w+),\s*(\w+)\)", re.MULTILINE)


def defined_tests() -> set[str]:
    found = set()
    for path in (ROOT / "tests").rglob("*_test.cpp"):
        for match in DEFINED.finditer(path.read_text(encoding="utf-8")):
            found.add(f"{match[1] or match[3]}.{match[2] or match[4]}")
    return found


def python_tests() -> set[tuple[str, str]]:
    found = set()
    for path in (ROOT / "tests").rglob("*_test.py"):
        found |= {(path.name, name) for name in re.findall(r"^def (test_\w+)", path.read_text(encoding="utf-8"), re.MULTILINE)}
    return found


class GuaranteesTest(unittest.TestCase):
    def test_every_test_that_the_guarantees_name_exists(self) -> None:
        text = (ROOT / "docs/guarantees.md").read_text(encoding="utf-8")
        named = {".".join(match) for match in NAMED.findall(text)}
        self.assertGreater(len(named), 30)
        self.assertEqual(sorted(named - defined_tests()), [])
        named_in_python = set(NAMED_IN_PYTHON.findall(text))
        self.assertGreater(len(named_in_python), 15)
        self.assertEqual(sorted(named_in_python - python_tests()), [])

    def test_every_promise_in_a_table_names_a_test(self) -> None:
        rows = [line for line in (ROOT / "docs/guarantees.md").read_text(encoding="utf-8").splitlines() if line.startswith("| ")]
        promises = [row for row in rows if not row.startswith(("| promise", "| trap", "| ---"))]
        self.assertEqual([row for row in promises if not NAMED.search(row) and not NAMED_IN_PYTHON.search(row)], [])


if __name__ == "__main__":
    unittest.main()
