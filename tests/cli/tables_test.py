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
            self.assertGreater(row["operations"], 0)
        self.assertLessEqual({"machine", "versions", "commit", "rows"}, set(report))
        self.assertLessEqual({"processor", "cores", "isa"}, set(report["machine"]))

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

    def test_a_value_out_of_range_is_told_its_bound(self) -> None:
        self.refuse(2, "--batch: must be at least 0, but got -3", "bench", "--batch", -3)
        self.refuse(2, "--threads: must be at least 1, but got 0", "bench", "--threads", 0)
        self.refuse(2, "--samples: must be at least 0, but got -1", "train", "--samples", -1)

    def test_what_a_memory_search_would_ignore_is_refused(self) -> None:
        for ignored in (("--batch", 4), ("--rounds", 2), ("--seconds", 3), ("--check",)):
            self.refuse(2, f"{ignored[0]} means nothing", "bench", "--memory-cap", 16, *ignored)
        self.refuse(2, "--threads must be one number", "bench", "--memory-cap", 16, "--threads", 1, 2)
        self.refuse(2, "--limit means nothing", "bench", "--limit", 16)

    def test_what_auto_may_keep_decides_its_largest_batch(self) -> None:
        search = ("bench", "--model", "cnn_20_50", "--method", "auto", "--memory-cap", 32, "--limit", 128)
        largest = [self.json_of(*search, "--keep-bytes", mib)["rows"][1]["largest_batch"] for mib in (0, 32)]
        self.assertGreater(largest[0], largest[1])
