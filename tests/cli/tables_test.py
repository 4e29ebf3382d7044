# SPDX-License-Identifier: Apache-2.0
"""ghostgrad methods, rules, bench."""

from program import ProgramTest


class TablesTest(ProgramTest):
    def test_methods_lists_the_table(self) -> None:
        names = [row["method"] for row in self.json_of("methods")["methods"]]
        self.assertIn("bk_mixed_opt", names)
        text = self.succeed("methods").stdout
        for name in names:
            self.assertIn(f"\n{name} ", text)

    def test_rules_lists_the_registry(self) -> None:
        rows = self.json_of("rules")["rules"]
        self.assertIn(("linear", "AddmmBackward0"), [(row["rule"], row["node"]) for row in rows])
        self.assertIn("fallback", self.succeed("rules").stdout)


class BenchTest(ProgramTest):
    def test_each_method_batch_and_number_of_threads_has_a_row(self) -> None:
        report = self.json_of("bench", "--model", "mlp_128_256", "--method", "bk", "--batch", 2, 4, "--threads", 1, 2, "--rounds", 1)
        rows = [(row["batch"], row["threads"], row["method"]) for row in report["rows"]]
        self.assertEqual(rows, [(b, t, m) for b in (2, 4) for t in (1, 2) for m in ("non_private", "bk")])
        for row in report["rows"]:
            self.assertGreater(row["ratio"], 0)
            self.assertGreater(row["peak_bytes"], 0)
        self.assertLessEqual({"machine", "versions", "commit", "rows"}, set(report))

    def test_a_memory_cap_finds_the_largest_batch(self) -> None:
        report = self.json_of("bench", "--model", "mlp_128_256", "--method", "per_example", "--memory-cap", 16, "--limit", 64)
        largest = {row["method"]: row["largest_batch"] for row in report["rows"]}
        self.assertEqual(largest["non_private"], 64)
        self.assertTrue(0 < largest["per_example"] < 64, largest)

    def test_what_cannot_be_measured_is_refused(self) -> None:
        self.refuse(2, "[model]", "bench", "--model", "perceptron")
        self.refuse(2, "[method]", "bench", "--model", "mlp", "--method", "magic")
        self.refuse(2, "[positions]", "bench", "--model", "mlp", "--positions", 7)
        self.refuse(2, "--rounds", "bench", "--rounds", 0)
        self.refuse(2, "--memory-cap", "bench", "--memory-cap", -1)
