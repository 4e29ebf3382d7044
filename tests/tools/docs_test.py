# SPDX-License-Identifier: Apache-2.0
"""Citations and the generated parts of the documents."""

import json
import unittest
import xml.etree.ElementTree

from house import HouseTest

import citations
import generated
import plots

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

    def keep(self, name: str, rows: list[dict]) -> None:
        usual = {"model": "mlp", "what": "mlp of 4", "batch": 2, "method": "bk", "ratio": 1.084, "peak_bytes": 2**20}
        self.write(f"bench/{name}.json", json.dumps({"rows": [{**usual, **row} for row in rows]}))

    def test_the_bench_table_comes_from_the_kept_results(self) -> None:
        self.keep("results", [{}, {"method": "naive", "ratio": 31.2}, {"model": "gpt", "what": "gpt of 8"}])
        table = self.filled(BLOCK.format("bench", ""))
        self.assertIn("| method | mlp of 4, B 2 | gpt of 8, B 2 |\n", table)
        self.assertIn("| `bk` | 1.08 (1 MiB) | 1.08 (1 MiB) |\n| `naive` | 31 (1 MiB) | - |\n", table)

    def test_memory_is_told_beyond_that_of_ordinary_training(self) -> None:
        self.keep("zoo", [{"method": "non_private", "formula_extra_bytes": 0}, {"peak_bytes": 3 * 2**20, "formula_extra_bytes": 2**20}])
        self.assertIn("| `mlp of 4, B 2` | 2 (1) |\n", self.filled(BLOCK.format("bench-bytes", "")))

    def test_a_batch_that_is_only_limited_by_the_search_says_so(self) -> None:
        self.keep("memory", [{"largest_batch": 64, "is_limit": True}, {"method": "ghost", "largest_batch": 7, "is_limit": False}])
        self.assertIn("| `mlp` | ≥ 64 | 7 |\n", self.filled(BLOCK.format("bench-memory", "")))

    def test_operations_as_the_papers_do_them_stand_beside_ours_where_they_differ(self) -> None:
        ordinary = {"method": "non_private", "operations": 2.5e9, "formula_ratio": 1, "paper_ratio": 1}
        ghost = {"method": "ghost", "operations": 3.3e9, "formula_ratio": 1.34, "paper_ratio": 1.67}
        auto = {"method": "auto", "operations": 2.5e9, "formula_ratio": 1.0, "paper_ratio": None}
        self.keep("zoo", [ordinary, ghost, auto])
        self.assertIn("| `mlp of 4, B 2` | 2.5 G | 1.34 / 1.67 | 1.00 |\n", self.filled(BLOCK.format("bench-operations", "")))

    def test_an_ordering_that_does_not_hold_says_which_and_by_how_much(self) -> None:
        names = ("naive", "multi_loss", "per_example", "reweight", "ghost", "mixed_ghost", "bk", "bk_mixed_ghost", "bk_mixed_opt")
        rows = lambda model, ratios: [
            {"model": model, "method": name, "ratio": ratio, "operations": ratio} for name, ratio in zip(names, ratios)
        ]
        self.keep("results", rows("fits", (9, 8, 2, 2, 6, 2, 5, 1.9, 1.94)))
        self.keep("zoo", rows("fits_not", (9, 8, 12, 2, 4, 2, 4.3, 1.9, 1.5)))
        table = self.filled(BLOCK.format("bench-orderings", ""))
        self.assertIn("| `fits` | yes | yes: 6.00 | yes | yes | yes |\n", table)
        loops = "**no**: `naive` 9.00 < `per_example` 12, `multi_loss` 8.00 < `per_example` 12"
        self.assertIn(f"| `fits_not` | {loops} | **no**: 4.00 | yes | **no**: `ghost` 4.00 < `bk` 4.30 | yes |\n", table)

    def test_what_is_simulated_is_never_shown_as_measured(self) -> None:
        worker = lambda method, n, seen, model: {
            "method": method, "workers": n, "speed_up": seen, "model_speed_up": model, "simulated": seen is None
        }  # fmt: skip
        self.keep("scaling", [worker(m, n, 1.9 if n == 2 else None, s) for m, s in (("non_private", 3.0), ("auto", 3.6)) for n in (2, 4)])
        text = self.filled(BLOCK.format("scaling", ""))
        self.assertIn("| 2 | 1.90 | 3.00 | 1.90 | 3.60 |\n| 4 (simulated) | - | 3.00 | - | 3.60 |\n", text)
        self.assertIn("scales better than ordinary training: 1.20 times", text)

    def test_missing_results_are_an_error_that_says_how_to_make_them(self) -> None:
        with self.assertRaisesRegex(ValueError, r"bench/results.json is missing; ./dev bench --json >bench/results.json"):
            self.filled(BLOCK.format("bench", ""))

    def test_the_coverage_table_comes_from_what_the_tests_measured(self) -> None:
        self.write("tests/python/coverage/layers.json", json.dumps({"versions": {}, "rows": [{"name": "Linear", "sums": "exact"}]}))
        self.assertIn("| Linear | exact |\n", self.filled(BLOCK.format("coverage-layers", "")))
        with self.assertRaisesRegex(ValueError, r"architectures.json is missing; python tests/python/coverage/measure.py"):
            self.filled(BLOCK.format("coverage-architectures", ""))

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


class PlotsTest(HouseTest):
    def test_bars_lie_inside_of_the_picture_and_those_that_are_cut_off_say_their_number(self) -> None:
        picture = plots.bars("title", ["mlp", "gpt"], ["bk", "naive"], {("mlp", "bk"): 1.5, ("mlp", "naive"): 31.0, ("gpt", "bk"): 1.0}, 4.0, [1, 2])
        root = xml.etree.ElementTree.fromstring(picture)
        size = {side: float(root.get(side)) for side in ("width", "height")}
        bars = root.findall("{http://www.w3.org/2000/svg}rect")
        self.assertEqual(len(bars), 1 + 3 + 2, "the ground, three bars, two names")
        for bar in bars:
            for start, side in (("x", "width"), ("y", "height")):
                self.assertGreaterEqual(float(bar.get(start)), 0)
                self.assertLessEqual(float(bar.get(start)) + float(bar.get(side)), size[side])
        self.assertIn("31", [text.text for text in root.findall("{http://www.w3.org/2000/svg}text")])


if __name__ == "__main__":
    unittest.main()
