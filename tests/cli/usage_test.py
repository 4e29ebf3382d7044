# SPDX-License-Identifier: Apache-2.0
"""Help, wrong flags and values, configuration files: everything that ends before a step of training."""

from program import ProgramTest, write_e2e, write_mnist

COMMANDS = ("train", "account", "calibrate", "compare", "methods", "models", "rules")
TRAIN = ("train", "--noise-multiplier", 1)


class HelpTest(ProgramTest):
    def test_the_commands_and_their_help_are_on_standard_output(self) -> None:
        overview = self.succeed("--help").stdout
        for command in COMMANDS:
            self.assertRegex(overview, rf"\n  {command} +\S")
        self.assertIn("--json", self.succeed("account", "--help").stdout)

    def test_help_of_train_lists_what_can_be_chosen(self) -> None:
        text = self.succeed("train", "--help").stdout
        for word in ("--json", "mnist:DIR", "cifar10:DIR", "e2e:DIR", "ghostgrad models", "bpe", "abadi", "adam", "rdp", "--no-train-loss", "130"):
            self.assertIn(word, text)

    def test_the_version_is_printed(self) -> None:
        self.assertRegex(self.succeed("--version").stdout, r"^ghostgrad \d+\.\d+\.\d+\n$")


class FlagsTest(ProgramTest):
    def test_unknown_commands_and_flags_are_refused(self) -> None:
        self.refuse(2, "choose one of train")
        self.refuse(2, "fly", "fly")
        self.refuse(2, "--epsilonn", "train", "--epsilonn", 3)
        self.refuse(2, "--steps", "account", "--noise-multiplier", 1, "--sample-rate", 0.1)
        self.refuse(2, "three", "train", "--epsilon", "three")
        self.refuse(2, "--threads", *TRAIN, "--threads", 0)

    def test_exactly_one_of_epsilon_and_noise_multiplier_is_wanted(self) -> None:
        self.refuse(2, "[epsilon]", "train")
        self.refuse(2, "exclude", *TRAIN, "--epsilon", 3)

    def test_values_out_of_range_are_refused(self) -> None:
        self.refuse(2, "[noise_multiplier]", "train", "--noise-multiplier", -1)  # tests/engine/schedule_test.cpp has all of them
        self.refuse(2, "[batch]", *TRAIN, "--batch", -256)
        self.refuse(2, "[lr]", *TRAIN, "--lr", "nan")

    def test_unknown_names_are_refused_with_the_known_ones(self) -> None:
        self.refuse(2, "bk_mixed_opt", *TRAIN, "--method", "magic")
        self.refuse(2, "transformer", *TRAIN, "--model", "tree")
        self.refuse(2, "mnist:DIR", *TRAIN, "--data", "imagenet")

    def test_a_batch_above_the_data_set_is_refused(self) -> None:
        write_mnist(self.folder)
        self.refuse(2, "120 examples", *TRAIN, "--data", "mnist:.", "--batch", 121)

    def test_a_budget_that_no_noise_can_keep_is_refused(self) -> None:
        self.refuse(2, "no noise reaches", "train", "--epsilon", 1e-6, "--accountant", "rdp")

    def test_a_model_that_does_not_fit_the_data_is_refused(self) -> None:
        self.refuse(2, "[model] does not fit", *TRAIN, "--model", "gpt")
        self.refuse(2, "mlp_128_256", *TRAIN, "--model", "roberta_tiny")

    def test_the_models_that_are_offered_instead_take_images_of_this_size(self) -> None:
        for model, wrong in (("gpt2_tiny", "does not fit"), ("vgg19", "at least 32 x 32")):
            error = self.refuse(2, wrong, *TRAIN, "--model", model)
            self.assertIn("digits", error)
            self.assertIn("resnet18", error)
            self.assertNotIn("vgg11", error)
            self.assertNotIn("enlarge", error)

    def test_options_of_text_are_refused_where_there_is_none(self) -> None:
        self.refuse(2, "is no text", *TRAIN, "--tokenizer", "bpe")
        self.refuse(2, "[samples]", *TRAIN, "--samples", 2)
        write_e2e(self.folder)
        self.refuse(2, "[samples]", *TRAIN, "--data", "e2e_area:.", "--model", "roberta_tiny", "--samples", 2)

    def test_options_that_would_be_ignored_are_refused(self) -> None:
        self.refuse(2, "[keep_bytes]", *TRAIN, "--method", "bk", "--keep-bytes", 5)
        self.refuse(2, "--adaptive-quantile", *TRAIN, "--adaptive-rate", 0.3)
        self.refuse(2, "--adaptive-quantile", *TRAIN, "--adaptive-noise", 5)

    def test_a_clip_beside_the_thresholds_of_groups_is_refused(self) -> None:
        error = self.refuse(2, "[clip]", *TRAIN, "--clip", 3, "--groups", "=1")
        self.assertIn("=1", error)
        self.refuse(2, "[clip]", *TRAIN, "--clip", 1, "--groups", "linear0=3,=4")  # the default, but it was asked for

    def test_wrong_prefixes_of_groups_are_refused_with_the_names_that_there_are(self) -> None:
        model = (*TRAIN, "--model", "mlp")
        self.refuse(2, '"linear0" twice', *model, "--groups", "linear0=3,linear0=4,=12")
        self.refuse(2, "linear0, linear1, linear2", *model, "--groups", "x=1")
        self.refuse(2, "linear0, linear1, linear2", *model, "--groups", "x=1,=1")

    def test_positions_that_leave_nothing_of_the_answers_are_refused(self) -> None:
        write_e2e(self.folder)
        error = self.refuse(2, "[positions]", *TRAIN, "--data", "e2e:.", "--model", "gpt2_tiny", "--batch", 20, "--positions", 16)
        self.assertIn("answer", error)

    def test_a_benchmark_refuses_sizes_before_it_measures_anything(self) -> None:
        done = self.run_program("bench", "--model", "cnn", "mlp", "--side", 20, "--method", "bk", "--rounds", 1)
        self.assertEqual(done.returncode, 2)
        self.assertIn("[side]", done.stderr)
        self.assertNotIn("measuring", done.stderr)
        for cap in ((), ("--memory-cap", 200)):
            self.assertNotIn("measuring", self.run_program("bench", "--model", "cnn", "vgg11", "--side", 20, *cap, "--method", "bk").stderr)

    def test_earlier_results_are_not_overwritten(self) -> None:
        (self.folder / "model.pt").write_text("precious")
        self.refuse(2, "--force", *TRAIN, "--out", self.folder)
        self.assertEqual((self.folder / "model.pt").read_text(), "precious")

    def test_a_place_that_cannot_be_written_to_fails_before_training(self) -> None:
        (self.folder / "file").write_text("")
        self.refuse(1, "[out]", *TRAIN, "--out", self.folder / "file" / "below")


class ModelsTest(ProgramTest):
    def test_the_models_are_listed_with_their_parameters_input_and_source(self) -> None:
        rows = {row["model"]: row for row in self.json_of("models")["models"]}
        self.assertEqual(rows["vit_base"]["parameters"], 86567656)
        self.assertEqual(rows["cnn"]["input"], "images 1 x 28 x 28, 10 classes")
        self.assertEqual(rows["gpt2_small"]["input"], "tokens 1024 of 50257")
        self.assertIn("He16", rows["resnet18"]["source"])
        self.assertRegex(self.succeed("models").stdout, r"\nresnet18 +11,173,962 ")


class ConfigTest(ProgramTest):
    def config(self, text: str) -> str:
        (self.folder / "run.toml").write_text(text)
        return "run.toml"

    def test_a_file_gives_options_and_the_command_line_goes_first(self) -> None:
        write_mnist(self.folder)
        file = self.config("# a run\ndata = 'mnist:.'\nmodel = mlp\nnoise-multiplier = 2\nphysical_batch = 30\nbatch = 60\nepochs = 1\nquiet = true\n")
        report = self.json_of("train", "--config", file, "--batch", 30)
        self.assertEqual(report["noise_multiplier"], 2)
        self.assertEqual(report["expected_batch_size"], 30)
        self.assertEqual(report["physical_batch"], 30)

    def test_a_section_for_the_command_is_allowed(self) -> None:
        self.refuse(2, "[delta]", "train", "--config", self.config("[train]\nnoise-multiplier = 2\ndelta = 7\n"))

    def test_a_name_that_is_no_option_is_refused(self) -> None:
        self.refuse(2, "epsilonn", *TRAIN, "--config", self.config("epsilonn = 3\n"))

    def test_a_missing_file_is_refused(self) -> None:
        self.refuse(2, "nowhere.toml", *TRAIN, "--config", "nowhere.toml")
