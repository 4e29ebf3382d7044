# SPDX-License-Identifier: Apache-2.0
"""ghostgrad methods, rules."""

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
