# SPDX-License-Identifier: Apache-2.0
"""Citations and the generated parts of the documents."""

import json
import unittest

from house import HouseTest

import citations
import generated

BLOCK = "before\n<!-- generated: {} -->\n{}<!-- end -->\nafter\n"


class CitationsTest(HouseTest):
    def test_a_citation_must_be_listed(self) -> None:
        self.write("docs/bibliography.md", "**[Bu22]** Bu et al.\n")
        self.write("ghostgrad/clip/x.h", "// as in [Bu22, Sec. 3] and [Bu22]\nint a[N12];\n")
        self.assertEqual(citations.check(self.root), [])
        self.write("ghostgrad/clip/x.h", "// first\n// as in [Bu22, Sec. 3; Li21b, Eq. 2]\n")
        self.assertEqual(citations.check(self.root), ["ghostgrad/clip/x.h:2: [Li21b] is not listed in docs/bibliography.md"])


class GeneratedTest(HouseTest):
    def program(self, report: dict) -> None:
        self.write("ghostgrad", f"#!/bin/sh\n[ \"$*\" = 'methods --json' ] || exit 2\necho '{json.dumps(report)}'\n")
        (self.root / "ghostgrad").chmod(0o755)

    def filled(self, text: str) -> str:
        return generated.filled(text, self.root, self.root / "ghostgrad")

    def test_a_block_becomes_the_table_that_the_program_reports(self) -> None:
        self.program({"count": 2, "methods": [{"name": "bk", "private": True}, {"name": "a|b", "private": False}]})
        table = "| name | private |\n| --- | --- |\n| bk | yes |\n| a\\|b | no |\n"
        self.assertEqual(self.filled(BLOCK.format("methods", "old\n")), BLOCK.format("methods", table))
        self.assertEqual(self.filled(BLOCK.format("methods", table)), BLOCK.format("methods", table))

    def test_a_help_block_becomes_what_the_command_prints(self) -> None:
        self.write("ghostgrad", "#!/bin/sh\n[ \"$*\" = 'train --help' ] || exit 2\necho 'Usage: train'\necho\n")
        (self.root / "ghostgrad").chmod(0o755)
        self.assertEqual(self.filled(BLOCK.format("help-train", "")), BLOCK.format("help-train", "```text\nUsage: train\n```\n"))

    def test_the_bench_table_comes_from_the_kept_results(self) -> None:
        self.write("bench/results.json", json.dumps({"machine": {"threads": 1}, "rows": [{"model": "mlp", "ratio": 1.08432}]}))
        self.assertIn("| mlp | 1.084 |\n", self.filled(BLOCK.format("bench", "")))

    def test_missing_results_are_an_error_that_says_how_to_make_them(self) -> None:
        with self.assertRaisesRegex(ValueError, r"bench/results.json is missing; ./dev bench --json >bench/results.json"):
            self.filled(BLOCK.format("bench", ""))

    def test_a_block_that_nothing_generates_is_an_error(self) -> None:
        with self.assertRaisesRegex(ValueError, "nothing generates 'weather'"):
            self.filled(BLOCK.format("weather", ""))

    def test_check_changes_nothing_and_exits_1_when_a_document_is_out_of_date(self) -> None:
        self.program({"methods": [{"name": "bk"}]})
        self.write("README.md", BLOCK.format("methods", ""))
        arguments = ["--program", str(self.root / "ghostgrad"), str(self.root / "README.md")]
        self.assertEqual(generated.main(["--check", *arguments]), 1)
        self.assertEqual((self.root / "README.md").read_text(encoding="utf-8"), BLOCK.format("methods", ""))
        self.assertEqual(generated.main(arguments), 0)
        self.assertEqual(generated.main(["--check", *arguments]), 0)


if __name__ == "__main__":
    unittest.main()
