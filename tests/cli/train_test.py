# SPDX-License-Identifier: Apache-2.0
"""ghostgrad train: results, files, signals."""

import json
import os
import pty
import re
import signal
import subprocess

from program import ENVIRONMENT, TIMEOUT_SECONDS, ProgramTest, arguments, write_e2e, write_mnist

PINNED = {
    "epsilon", "delta", "noise_multiplier", "sample_rate", "steps", "test_accuracy", "examples_per_second", "method", "calls_by_rule",
    "independence", "private", "warnings", "interrupted", "planned_steps", "planned_epsilon", "accountant", "adjacency", "data", "model",
    "clip", "clip_function", "clip_constant", "groups", "adaptive_clipping", "final_clip", "expected_batch_size", "physical_batch", "epochs", "optimizer", "lr", "momentum", "seed",
}


class TrainTest(ProgramTest):
    def setUp(self) -> None:
        super().setUp()
        write_mnist(self.folder)
        self.train = ("train", "--data", f"mnist:{self.folder}", "--model", "cnn", "--batch", 30, "--physical-batch", 16)

    def test_json_holds_the_pinned_fields_and_stays_within_the_budget(self) -> None:
        report = self.json_of(*self.train, "--epsilon", 4, "--epochs", 2)
        self.assertLessEqual(PINNED, set(report))
        self.assertLessEqual(report["epsilon"], 4)
        self.assertGreater(report["epsilon"], 3.9)
        self.assertEqual(report["steps"], 8)
        self.assertEqual(report["sample_rate"], 30 / 120)
        self.assertEqual(report["independence"], "audited")
        self.assertTrue(report["private"])
        self.assertEqual(report["calls_by_rule"], {"linear": 2, "convolution": 2})
        self.assertNotIn("loss", json.dumps(report))

    def test_every_clip_function_and_grouping_reaches_the_training(self) -> None:
        whole = ("train", "--data", f"mnist:{self.folder}", "--model", "cnn", "--batch", 120, "--noise-multiplier", 0, "--epochs", 2)
        models = {}
        for number, options in enumerate((
            (), (), ("--clip", 0.5), ("--clip-function", "automatic"), ("--clip-function", "automatic", "--clip-constant", 0.5),
            ("--clip-function", "auto_v", "--clip", 20), ("--clip-function", "normalize"), ("--clip-function", "psac"), ("--clip-function", "global"),
            ("--groups", "per_layer"), ("--groups", "per_parameter"), ("--groups", "conv0=0.1,=1"))):  # fmt: skip
            report = self.json_of(*whole, *options, "--out", number)
            given = dict(zip(options[::2], options[1::2]))
            self.assertEqual(report["clip_function"], given.get("--clip-function", "abadi"))
            self.assertEqual(report["groups"], given.get("--groups", "flat"))
            self.assertAlmostEqual(report["clip"], 1.01**0.5 if "=" in report["groups"] else given.get("--clip", 1))
            self.assertAlmostEqual(report["final_clip"], report["clip"])
            self.assertIsNone(report["adaptive_clipping"])
            models[number] = (self.folder / str(number) / "model.pt").read_bytes()
        self.assertEqual(models.pop(0), models[1])  # all examples are drawn and there is no noise: nothing but the options makes a difference
        self.assertEqual(len(set(models.values())), len(models))

    def test_an_adaptive_threshold_moves_and_the_report_says_how_the_noise_was_split(self) -> None:
        report = self.json_of(*self.train, "--noise-multiplier", 1, "--epochs", 1, "--adaptive-quantile", 0.9, "--adaptive-rate", 0.3,
                              "--adaptive-noise", 2)
        adaptive = report["adaptive_clipping"]
        self.assertEqual([adaptive[name] for name in ("quantile", "rate", "count_noise")], [0.9, 0.3, 2])
        self.assertAlmostEqual(adaptive["sum_noise_multiplier"] ** -2 + (2 * adaptive["count_noise"]) ** -2, 1)
        self.assertNotEqual(report["final_clip"], report["clip"])
        self.refuse(2, "groups", *self.train, "--noise-multiplier", 1, "--groups", "per_layer", "--adaptive-quantile", 0.5)

    def test_adaptive_clipping_is_part_of_what_is_printed(self) -> None:
        done = self.succeed(*self.train, "--noise-multiplier", 1, "--epochs", 1, "--clip", 3, "--adaptive-quantile", 0.9, "--adaptive-noise", 2)
        self.assertRegex(done.stdout, r"clipping +adaptive, quantile 0\.9, rate 0\.2: C from 3 to \d")
        self.assertIn("noise multiplier 1.033 of the sum and noise 2 of the count", done.stdout)  # (1 - 1/16)^-1/2

    def test_the_files_are_written_and_protected(self) -> None:
        short = (*self.train, "--noise-multiplier", 1, "--epochs", 1, "--quiet", "--out", "results/first")
        printed = self.succeed(*short).stdout
        self.assertIn("test accuracy", printed)
        self.assertIn("differential privacy", printed)
        summary = json.loads((self.folder / "results/first/summary.json").read_text())
        self.assertLessEqual(PINNED, set(summary))
        self.assertGreater((self.folder / "results/first/model.pt").stat().st_size, 26010 * 4)
        self.refuse(2, "--force", *short)
        self.succeed(*short, "--force")

    def test_a_delta_that_is_too_large_is_warned_about(self) -> None:
        done = self.succeed(*self.train, "--noise-multiplier", 1, "--epochs", 1, "--delta", 0.01, "--json")
        self.assertRegex(done.stderr, r"warning: delta 0\.01 is not below 1 / data set size")
        self.assertTrue(any("delta" in warning for warning in json.loads(done.stdout)["warnings"]))

    def test_what_no_norm_bounds_in_a_second_backward_is_warned_about(self) -> None:
        short = (*self.train, "--noise-multiplier", 1, "--epochs", 1, "--json", "--method")
        for method, times in (("ghost", 1), ("bk", 0)):
            done = self.succeed(*short, method)
            self.assertEqual(done.stderr.count("warning: method ghost: no norm bounds how a second backward rounds"), times)
            self.assertEqual(sum("second backward" in warning for warning in json.loads(done.stdout)["warnings"]), times)

    def test_no_noise_is_said_to_be_no_privacy(self) -> None:
        done = self.succeed(*self.train, "--noise-multiplier", 0, "--method", "non_private", "--epochs", 1)
        self.assertIn("NOT PRIVATE", done.stdout)

    def test_progress_goes_to_standard_error_line_by_line_with_the_loss_only_if_wanted(self) -> None:
        done = self.succeed(*self.train, "--noise-multiplier", 1, "--epochs", 2, "--json")
        lines = [line for line in done.stderr.splitlines() if line.startswith("epoch ")]
        self.assertEqual(len(lines), 2)
        self.assertRegex(lines[0], r"loss \d")
        self.assertNotIn("\r", done.stderr)
        silent = self.succeed(*self.train, "--noise-multiplier", 1, "--epochs", 1, "--no-train-loss")
        self.assertNotRegex(silent.stderr + silent.stdout, r"loss \d")

    def test_a_terminal_gets_a_bar(self) -> None:
        ours, theirs = pty.openpty()
        done = subprocess.run(
            arguments(*self.train, "--noise-multiplier", 1, "--epochs", 1, "--json"), env=ENVIRONMENT, stdout=subprocess.PIPE, stderr=theirs,
            timeout=TIMEOUT_SECONDS,
        )
        os.close(theirs)
        shown = os.read(ours, 1 << 16).decode()
        os.close(ours)
        self.assertIn("\r[", shown)
        self.assertIn("] epoch 1.0/1", shown)
        self.assertEqual(json.loads(done.stdout)["steps"], 4)


class TextTest(ProgramTest):
    def setUp(self) -> None:
        super().setUp()
        write_e2e(self.folder)
        self.options = ("--batch", 20, "--physical-batch", 10, "--positions", 64)
        self.train = ("train", "--data", f"e2e:{self.folder}", "--model", "gpt2_tiny", *self.options)

    def test_a_language_model_reports_perplexity_and_writes_samples(self) -> None:
        report = self.json_of(*self.train, "--epsilon", 8, "--epochs", 2, "--samples", 2)
        self.assertLessEqual(PINNED - {"test_accuracy"}, set(report))
        self.assertNotIn("test_accuracy", report)
        self.assertGreater(report["test_perplexity"], 1)
        self.assertLessEqual(report["epsilon"], 8)
        self.assertEqual(report["independence"], "audited")
        self.assertEqual([sample["prompt"] for sample in report["samples"]], [f"name[Place {word}], area[riverside] || " for word in "AB"])
        self.assertFalse(any("tokenizer" in warning for warning in report["warnings"]))

    def test_without_noise_it_learns_the_rule(self) -> None:
        learning = ("--noise-multiplier", 0, "--clip", 100, "--optimizer", "adam", "--lr", 0.006, "--epochs", 13)
        short = ("--batch", 20, "--physical-batch", 20, "--positions", 48, "--tokenizer", "bpe", "--vocabulary", 290)
        done = self.succeed("train", "--data", f"e2e:{self.folder}", "--model", "gpt2_tiny", *learning, *short)
        perplexity = float(re.search(r"test perplexity +([\d.]+)", done.stdout)[1])
        self.assertLess(perplexity, 4, "of 290 tokens")
        self.assertIn("area[riverside] ||", done.stdout)

    def test_a_tokenizer_that_was_learned_is_warned_about(self) -> None:
        done = self.succeed(*self.train, "--noise-multiplier", 1, "--epochs", 1, "--tokenizer", "bpe", "--vocabulary", 270, "--json")
        self.assertIn("warning: the 270 tokens", done.stderr)
        self.assertTrue(any("epsilon does not cover" in warning for warning in json.loads(done.stdout)["warnings"]))

    def test_a_classifier_of_texts_reports_accuracy(self) -> None:
        report = self.json_of("train", "--data", f"e2e_area:{self.folder}", "--model", "roberta_tiny", *self.options, "--noise-multiplier", 1, "--epochs", 1)
        self.assertGreaterEqual(report["test_accuracy"], 0)
        self.assertNotIn("samples", report)


class InterruptTest(ProgramTest):
    def start(self, *words: object) -> subprocess.Popen:
        """A training that would take hours; returns when its first epoch is over."""
        write_mnist(self.folder)
        process = subprocess.Popen(
            arguments("train", "--data", f"mnist:{self.folder}", "--model", "mlp", "--batch", 8, "--epochs", 100000, "--noise-multiplier", 2, *words),
            cwd=self.folder, env=ENVIRONMENT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )
        self.addCleanup(process.kill)
        while not process.stderr.readline().startswith("epoch "):
            self.assertIsNone(process.poll(), "ended before its first epoch")
        return process

    def test_ctrl_c_and_sigterm_end_cleanly_with_what_was_spent(self) -> None:
        for number in (signal.SIGINT, signal.SIGTERM):
            process = self.start("--json", "--force", "--out", "results")
            process.send_signal(number)
            output, _ = process.communicate(timeout=TIMEOUT_SECONDS)
            self.assertEqual(process.returncode, 128 + number)
            report = json.loads(output)
            self.assertTrue(report["interrupted"])
            self.assertGreaterEqual(report["steps"], 15)
            self.assertLess(report["steps"], report["planned_steps"])
            self.assertLess(report["epsilon"], report["planned_epsilon"])
            self.assertTrue(any("stopped after" in warning for warning in report["warnings"]))
            self.assertEqual(json.loads((self.folder / "results/summary.json").read_text()), report)
            self.assertTrue((self.folder / "results/model.pt").exists())
