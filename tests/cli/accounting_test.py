# SPDX-License-Identifier: Apache-2.0
"""ghostgrad account, calibrate, methods, rules."""

from program import ProgramTest

RUN = ("--sample-rate", 0.01, "--steps", 1000)


class AccountTest(ProgramTest):
    def test_epsilon_is_the_accountants(self) -> None:
        report = self.json_of("account", "--noise-multiplier", 1.3, "--sample-rate", 0.0025, "--steps", 6000, "--delta", 1e-5)
        self.assertAlmostEqual(report["epsilon"], 0.7242234026, places=7)  # TF-Privacy
        self.assertEqual(
            set(report), {"epsilon", "delta", "noise_multiplier", "sample_rate", "steps", "accountant", "adjacency", "warnings"}
        )

    def test_delta_is_the_inverse_of_epsilon(self) -> None:
        report = self.json_of("account", "--noise-multiplier", 1, "--epsilon", 2, *RUN)
        back = self.json_of("account", "--noise-multiplier", 1, "--delta", report["delta"], *RUN)
        self.assertAlmostEqual(back["epsilon"], 2, places=6)

    def test_no_noise_is_no_privacy(self) -> None:
        self.assertEqual(self.json_of("account", "--noise-multiplier", 0, *RUN)["epsilon"], "infinity")

    def test_wrong_values_are_usage_errors(self) -> None:
        self.refuse(2, "[sample_rate]", "account", "--noise-multiplier", 1, "--sample-rate", 1.5, "--steps", 10)
        self.refuse(2, "[delta]", "account", "--noise-multiplier", 1, "--delta", 1, *RUN)
        self.refuse(2, "rdp", "account", "--noise-multiplier", 1, "--accountant", "abacus", *RUN)
        self.refuse(2, "add_remove", "account", "--noise-multiplier", 1, "--adjacency", "neighbour", *RUN)
        self.refuse(2, "exclude", "account", "--noise-multiplier", 1, "--delta", 1e-5, "--epsilon", 1, *RUN)

    def test_an_adjacency_that_the_accountant_cannot_serve_fails(self) -> None:
        self.refuse(1, "replace_one", "account", "--noise-multiplier", 1, "--adjacency", "replace_one", *RUN)


class CalibrateTest(ProgramTest):
    def test_the_noise_as_printed_keeps_the_budget_and_uses_it(self) -> None:
        found = self.json_of("calibrate", "--epsilon", 3, "--delta", 1e-5, *RUN)
        self.assertIn(f" {found['noise_multiplier']}\n", self.succeed("calibrate", "--epsilon", 3, *RUN).stdout)
        spent = self.json_of("account", "--noise-multiplier", found["noise_multiplier"], "--delta", 1e-5, *RUN)["epsilon"]
        self.assertLessEqual(spent, 3)
        self.assertGreater(spent, 2.99)
        self.assertEqual(spent, found["epsilon"])

    def test_an_unreachable_budget_is_refused_with_the_best_there_is(self) -> None:
        self.refuse(2, "no noise reaches", "calibrate", "--epsilon", 1e-6, *RUN)

    def test_wrong_values_are_usage_errors(self) -> None:
        self.refuse(2, "[epsilon]", "calibrate", "--epsilon", -3, *RUN)
        self.refuse(2, "[steps]", "calibrate", "--epsilon", 3, "--sample-rate", 0.01, "--steps", 0)


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
