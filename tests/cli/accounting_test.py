# SPDX-License-Identifier: Apache-2.0
"""ghostgrad account, calibrate, compare: answers, files, refusals. None of it needs libtorch."""

import json
import xml.etree.ElementTree as ElementTree
from pathlib import Path

from program import ProgramTest

RUN = ("--sample-rate", 0.01, "--steps", 1000)
NOISE = ("--noise-multiplier", 1)
SVG = "{http://www.w3.org/2000/svg}"


class AccountTest(ProgramTest):
    def test_epsilon_is_the_accountants(self) -> None:
        report = self.json_of("account", "--noise-multiplier", 1.3, "--sample-rate", 0.0025, "--steps", 6000, "--delta", 1e-5, "--accountant", "rdp")
        self.assertAlmostEqual(report["epsilon"], 0.7242234026, places=7)  # TF-Privacy
        self.assertLessEqual({"epsilon", "delta", "noise_multiplier", "sample_rate", "steps", "accountant", "adjacency", "warnings"}, set(report))
        self.assertTrue(report["is_guarantee"])

    def test_the_accountant_is_pld_if_none_is_named(self) -> None:
        report = self.json_of("account", *NOISE, *RUN)
        self.assertEqual(report["accountant"], "pld")
        self.assertAlmostEqual(report["epsilon"], 1.828244, places=4)  # dp_accounting, with an interval of 1e-4
        replaced = self.json_of("account", *NOISE, "--adjacency", "replace_one", *RUN)
        self.assertAlmostEqual(replaced["epsilon"], 2.843446, places=4)
        self.assertEqual(self.json_of("calibrate", "--epsilon", 3, *RUN)["accountant"], "pld")

    def test_delta_is_the_inverse_of_epsilon(self) -> None:
        report = self.json_of("account", *NOISE, "--epsilon", 2, *RUN)
        back = self.json_of("account", *NOISE, "--delta", report["delta"], *RUN)
        self.assertAlmostEqual(back["epsilon"], 2, places=5)

    def test_no_noise_is_no_privacy(self) -> None:
        report = self.json_of("account", "--noise-multiplier", 0, "--group", 2, *RUN)
        self.assertEqual(report["epsilon"], "infinity")
        self.assertEqual(report["group"]["epsilon"], "infinity")
        self.assertEqual(report["attacker"]["accuracy"], 1)
        self.assertFalse(report["is_guarantee"])
        self.assertIn("inf", self.succeed("account", "--noise-multiplier", 0, *RUN).stdout)

    def test_the_attacker_is_described_in_plain_words(self) -> None:
        report = self.json_of("account", *NOISE, *RUN)
        words = report["attacker"]["in_words"]
        self.assertIn("is right about it at most", words)
        self.assertIn(words, self.succeed("account", *NOISE, *RUN).stdout)
        self.assertGreater(report["attacker"]["accuracy"], 0.5)
        self.assertLess(report["attacker"]["true_positive_rate"], 0.01)

    def test_the_rate_of_wrong_accusations_can_be_chosen(self) -> None:
        seldom, often = (self.json_of("account", *NOISE, "--false-positive-rate", rate, *RUN)["attacker"] for rate in (1e-4, 0.1))
        self.assertLess(seldom["true_positive_rate"], often["true_positive_rate"])
        self.assertEqual(often["false_positive_rate"], 0.1)
        self.refuse(2, "[false positive rate]", "account", *NOISE, "--false-positive-rate", 2, *RUN)

    def test_a_group_pays_more_than_its_examples_alone(self) -> None:
        asked = ("account", *NOISE, "--group", 3, *RUN)
        report = self.json_of(*asked)
        self.assertGreater(report["group"]["epsilon"], 3 * report["epsilon"])
        self.assertEqual(report["group"]["size"], 3)
        self.assertIn("3 examples", self.succeed(*asked).stdout)

    def test_the_curve_falls(self) -> None:
        curve = self.json_of("account", *NOISE, "--curve", 20, *RUN)["curve"]
        self.assertEqual(len(curve), 20)
        for one, next_ in zip(curve, curve[1:]):
            self.assertLess(one["epsilon"], next_["epsilon"])
            self.assertGreater(one["delta"], next_["delta"])

    def test_an_approximation_is_never_called_a_guarantee(self) -> None:
        report = self.json_of("account", *NOISE, "--accountant", "gdp", *RUN)
        self.assertFalse(report["is_guarantee"])
        self.assertTrue(report["attacker"]["is_approximation"])
        self.assertTrue(report["warnings"])
        self.assertIn("not a guarantee", self.succeed("account", *NOISE, "--accountant", "gdp", *RUN).stdout)

    def test_wrong_values_are_usage_errors(self) -> None:
        self.refuse(2, "[sample_rate]", "account", *NOISE, "--sample-rate", 1.5, "--steps", 10)
        self.refuse(2, "[sample_rate]", "account", *NOISE, "--sample-rate", "nan", "--steps", 10)
        self.refuse(2, "[sample_rate]", "account", *NOISE, "--sample-rate", -0.1, "--steps", 10)
        self.refuse(2, "[noise_multiplier]", "account", "--noise-multiplier", -1, *RUN)
        self.refuse(2, "[noise_multiplier]", "account", "--noise-multiplier", "nan", *RUN)
        self.refuse(2, "[noise_multiplier]", "account", "--noise-multiplier", "inf", *RUN)
        for delta in (0, 1, -1e-5, 2, "nan"):
            self.refuse(2, "[delta]", "account", *NOISE, "--delta", delta, *RUN)
        for epsilon in (-1, "nan"):
            self.refuse(2, "[epsilon]", "account", *NOISE, "--epsilon", epsilon, *RUN)
        self.refuse(2, "rdp", "account", *NOISE, "--accountant", "abacus", *RUN)
        self.refuse(2, "add_remove", "account", *NOISE, "--adjacency", "neighbour", *RUN)
        self.refuse(2, "exclude", "account", *NOISE, "--delta", 1e-5, "--epsilon", 1, *RUN)
        self.refuse(2, "[group]", "account", *NOISE, "--group", 0, *RUN)
        self.refuse(2, "--curve", "account", *NOISE, "--curve", 1, *RUN)

    def test_steps_must_be_a_count(self) -> None:
        for steps in (10.5, "1e3", "many", "99999999999999999999", ""):
            self.refuse(2, "--steps", "account", *NOISE, "--sample-rate", 0.01, "--steps", steps)
        self.refuse(2, "[count]", "account", *NOISE, "--sample-rate", 0.01, "--steps", -1)

    def test_numbers_that_are_missing_are_named(self) -> None:
        self.refuse(2, "--noise-multiplier", "account", *RUN)
        self.refuse(2, "--sample-rate", "account", *NOISE, "--steps", 1)
        self.refuse(2, "--steps", "account", *NOISE, "--sample-rate", 1)

    def test_an_adjacency_that_the_accountant_cannot_serve_fails(self) -> None:
        self.refuse(1, "replace_one", "account", *NOISE, "--accountant", "rdp", "--adjacency", "replace_one", *RUN)


class EventTest(ProgramTest):
    def event(self, document: object) -> Path:
        file = self.folder / "event.json"
        file.write_text(document if isinstance(document, str) else json.dumps(document))
        return file

    @staticmethod
    def gaussian(noise: float) -> dict:
        return {"type": "gaussian", "noise_multiplier": noise}

    def test_events_from_a_file_are_accounted_for(self) -> None:
        sampled = {"type": "poisson_sampled", "sample_rate": 0.01, "event": self.gaussian(1)}
        file = self.event({"version": 1, "event": {"type": "repeated", "count": 1000, "event": sampled}})
        report = self.json_of("account", "--event", file)
        self.assertEqual(report["epsilon"], self.json_of("account", *NOISE, *RUN)["epsilon"])
        self.assertIn("1000 x Poisson(0.01) of Gaussian(1)", report["event"])
        two = self.event({"version": 1, "event": {"type": "composed", "events": [sampled, self.gaussian(20)]}})
        self.assertTrue(self.json_of("compare", "--event", two)["accountants"][0]["supported"])

    def test_what_pld_does_not_serve_is_left_to_rdp(self) -> None:
        sampled = {"type": "fixed_size_sampled", "data_set_size": 10000, "batch_size": 100, "event": self.gaussian(2)}
        file = self.event({"version": 1, "event": {"type": "repeated", "count": 1000, "event": sampled}})
        report = self.json_of("account", "--event", file, "--adjacency", "replace_one")
        self.assertEqual(report["accountant"], "rdp")
        self.assertAlmostEqual(report["epsilon"], 3.576111, places=3)  # its noise is relative to 2 C
        self.refuse(1, "[pld]", "account", "--event", file)

    def test_what_is_no_event_is_refused(self) -> None:
        for document in ("", "{", "[]", {}, {"version": 1}, {"version": 1, "event": self.gaussian(-1)}, {"version": 1, "event": self.gaussian("1")}):
            self.refuse(2, "[", "account", "--event", self.event(document))
        self.refuse(1, "version", "account", "--event", self.event({"version": 99, "event": self.gaussian(1)}))
        self.refuse(1, "laplace", "account", "--event", self.event({"version": 1, "event": {"type": "laplace"}}))
        self.refuse(2, "twice", "account", "--event", self.event('{"version":1,"version":1,"event":{"type":"non_private"}}'))
        self.refuse(2, "nowhere.json", "account", "--event", "nowhere.json")

    def test_counts_beyond_63_bits_are_refused(self) -> None:
        many = {"type": "repeated", "count": 2**62, "event": self.gaussian(1)}
        self.refuse(2, "2^63", "account", "--event", self.event({"version": 1, "event": {"type": "repeated", "count": 4, "event": many}}))
        self.refuse(2, "2^63", "account", "--event", self.event({"version": 1, "event": {**many, "count": 2**63}}))

    def test_events_and_numbers_exclude_one_another(self) -> None:
        file = self.event({"version": 1, "event": self.gaussian(1)})
        self.refuse(2, "exclude", "account", "--event", file, *NOISE)
        self.refuse(2, "exclude", "compare", "--event", file, "--steps", 3)


class CalibrateTest(ProgramTest):
    def test_the_noise_keeps_the_budget_and_uses_it(self) -> None:
        found = self.json_of("calibrate", "--epsilon", 3, "--delta", 1e-5, *RUN)
        spent = self.json_of("account", "--noise-multiplier", found["noise_multiplier"], "--delta", 1e-5, *RUN)["epsilon"]
        self.assertLessEqual(spent, 3)
        self.assertGreater(spent, 2.997)
        self.assertEqual(spent, found["epsilon"])
        self.assertTrue(found["is_guarantee"])

    def test_each_of_the_others_can_be_found(self) -> None:
        known = {"--noise-multiplier": 1, "--sample-rate": 0.01, "--steps": 1000, "--delta": 1e-5}
        for find, flag, name in (("steps", "--steps", "steps"), ("sample-rate", "--sample-rate", "sample_rate"), ("delta", "--delta", "delta")):
            others = [word for pair in known.items() if pair[0] != flag for word in pair]
            found = self.json_of("calibrate", "--find", find, "--epsilon", 2, *others)
            back = self.json_of("account", *others, flag, found[name])
            self.assertLessEqual(back["epsilon"], 2)
            self.assertGreater(back["epsilon"], 1.99)
            self.refuse(2, "is what is to be found", "calibrate", "--find", find, "--epsilon", 2, *others, flag, known[flag])

    def test_the_printed_noise_is_exact(self) -> None:
        lines = self.succeed("calibrate", "--epsilon", 3, *RUN).stdout.splitlines()
        noise = next(line.split()[2] for line in lines if line.startswith("noise multiplier"))
        self.assertLessEqual(self.json_of("account", "--noise-multiplier", noise, *RUN)["epsilon"], 3)

    def test_an_approximation_says_so(self) -> None:
        found = self.json_of("calibrate", "--epsilon", 3, "--accountant", "gdp", *RUN)
        self.assertFalse(found["is_guarantee"])
        self.assertTrue(found["warnings"])
        self.assertIn("not a guarantee", self.succeed("calibrate", "--epsilon", 3, "--accountant", "gdp", *RUN).stdout)

    def test_an_unreachable_budget_is_refused_with_the_best_there_is(self) -> None:
        self.refuse(2, "no noise reaches", "calibrate", "--epsilon", 1e-6, "--accountant", "rdp", *RUN)
        self.refuse(2, "not one step", "calibrate", "--find", "steps", "--epsilon", 1e-6, *NOISE, "--sample-rate", 0.5)

    def test_wrong_values_are_usage_errors(self) -> None:
        self.refuse(2, "[epsilon]", "calibrate", "--epsilon", -3, *RUN)
        self.refuse(2, "[epsilon]", "calibrate", "--epsilon", "nan", *RUN)
        self.refuse(2, "[delta]", "calibrate", "--epsilon", 3, "--delta", 1, *RUN)
        self.refuse(2, "[steps]", "calibrate", "--epsilon", 3, "--sample-rate", 0.01, "--steps", 0)
        self.refuse(2, "--steps", "calibrate", "--epsilon", 3, "--sample-rate", 0.01, "--steps", 1.5)
        self.refuse(2, "sample-rate", "calibrate", "--epsilon", 3, "--find", "truth", *RUN)
        self.refuse(2, "--steps", "calibrate", "--epsilon", 3, "--sample-rate", 0.01)


class CompareTest(ProgramTest):
    def test_every_accountant_answers_or_says_why_not(self) -> None:
        rows = {row["accountant"]: row for row in self.json_of("compare", *NOISE, *RUN)["accountants"]}
        self.assertTrue(rows["rdp"]["is_guarantee"])
        self.assertFalse(rows["gdp"]["is_guarantee"])
        self.assertFalse(rows["analytic"]["supported"])
        self.assertIn("[analytic]", rows["analytic"]["refusal"])
        guaranteed = [row for row in rows.values() if row.get("is_guarantee")]
        self.assertEqual(min(row["above_least"] for row in guaranteed), 0)
        for row in guaranteed:
            self.assertGreater(row["milliseconds"], 0)
            self.assertLessEqual(row.get("lower", 0), row["epsilon"])

    def test_the_table_names_what_is_no_guarantee(self) -> None:
        lines = self.succeed("compare", *NOISE, *RUN).stdout.splitlines()
        self.assertIn("yes", next(line for line in lines if line.startswith("rdp ")))
        self.assertIn("no: an approximation", next(line for line in lines if line.startswith("gdp ")))
        self.assertIn("refused", next(line for line in lines if line.startswith("analytic ")))

    def test_accountants_can_be_chosen(self) -> None:
        rows = self.json_of("compare", "--accountant", "rdp", "--accountant", "gdp", "--rounds", 3, *NOISE, *RUN)["accountants"]
        self.assertEqual([row["accountant"] for row in rows], ["rdp", "gdp"])
        self.refuse(2, "rdp", "compare", "--accountant", "abacus", *NOISE, *RUN)

    def test_no_noise_is_infinite_for_all(self) -> None:
        for row in self.json_of("compare", "--noise-multiplier", 0, *RUN)["accountants"]:
            self.assertEqual(row["epsilon"], "infinity")


class PlotTest(ProgramTest):
    def plot(self, *words: object) -> ElementTree.Element:
        self.succeed(*words, "--plot", "plot.svg")
        return ElementTree.parse(self.folder / "plot.svg").getroot()

    @staticmethod
    def words(svg: ElementTree.Element) -> list:
        return [text.text for text in svg.iter(SVG + "text")]

    def lines(self, svg: ElementTree.Element) -> list:
        return [[tuple(map(float, point.split(","))) for point in line.get("points").split()] for line in svg.iter(SVG + "polyline")]

    def test_account_draws_two_labelled_panels(self) -> None:
        svg = self.plot("account", *NOISE, "--accountant", "rdp", *RUN)
        self.assertEqual(svg.tag, SVG + "svg")
        words = self.words(svg)
        for word in ("delta for each epsilon", "epsilon at delta 1e-05", "epsilon", "delta", "steps", "rdp", "1000", "0.01"):
            self.assertIn(word, words)
        delta, epsilon = self.lines(svg)
        self.assertGreater(len(delta), 30)
        self.assertEqual(delta, sorted(delta), "delta falls, so y grows downwards with x")
        self.assertEqual(sorted(y for _, y in delta), [y for _, y in delta])
        self.assertEqual(sorted((y for _, y in epsilon), reverse=True), [y for _, y in epsilon])

    def test_everything_lies_inside_of_the_picture(self) -> None:
        svg = self.plot("compare", *NOISE, *RUN)
        width, height = float(svg.get("width")), float(svg.get("height"))
        for line in self.lines(svg):
            for x, y in line:
                self.assertTrue(0 <= x <= width and 0 <= y <= height, (x, y))

    def test_compare_draws_every_accountant_and_dashes_approximations(self) -> None:
        svg = self.plot("compare", "--accountant", "rdp", "--accountant", "gdp", *NOISE, *RUN)
        drawn = list(svg.iter(SVG + "polyline"))
        self.assertEqual([line.get("stroke-dasharray") is not None for line in drawn], [False, True, False, True])
        self.assertEqual(len({line.get("stroke") for line in drawn}), 2)
        self.assertEqual(self.words(svg).count("gdp"), 2)

    def test_odd_runs_can_be_drawn_too(self) -> None:
        for words in (("--noise-multiplier", 0, *RUN), (*NOISE, "--sample-rate", 1, "--steps", 1), (*NOISE, "--sample-rate", 0.5, "--steps", 0)):
            self.plot("account", *words)

    def test_a_file_that_cannot_be_written_fails(self) -> None:
        self.refuse(1, "[plot]", "account", *NOISE, *RUN, "--plot", self.folder / "nowhere" / "plot.svg")
