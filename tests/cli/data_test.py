# SPDX-License-Identifier: Apache-2.0
"""Data that are missing, cut off or damaged: a message that names the file, and the right exit code."""

import gzip

from program import ProgramTest, idx, write_mnist

TRAIN = ("train", "--noise-multiplier", 1, "--batch", 8, "--model", "mlp")


class MnistTest(ProgramTest):
    def setUp(self) -> None:
        super().setUp()
        write_mnist(self.folder)
        self.images = self.folder / "train-images-idx3-ubyte"
        self.labels = self.folder / "train-labels-idx1-ubyte.gz"

    def refuse_data(self, code: int, message: str) -> None:
        self.refuse(code, message, *TRAIN, "--data", f"mnist:{self.folder}")

    def test_a_missing_folder_or_file_is_a_usage_error(self) -> None:
        self.refuse(2, "no such file", *TRAIN, "--data", "mnist:nowhere")
        self.refuse(2, "mnist:DIR", *TRAIN, "--data", "mnist")
        self.images.unlink()
        self.refuse_data(2, "train-images-idx3-ubyte")

    def test_a_truncated_file_fails(self) -> None:
        self.images.write_bytes(self.images.read_bytes()[:-1])
        self.refuse_data(1, "truncated")

    def test_an_empty_file_fails(self) -> None:
        self.images.write_bytes(b"")
        self.refuse_data(1, "train-images-idx3-ubyte")

    def test_a_truncated_gzip_stream_fails(self) -> None:
        self.labels.write_bytes(self.labels.read_bytes()[:-9])
        self.refuse_data(1, "train-labels-idx1-ubyte.gz")

    def test_a_damaged_header_fails(self) -> None:
        self.images.write_bytes(b"\x7fELF" + self.images.read_bytes()[4:])
        self.refuse_data(1, "IDX")

    def test_a_label_that_is_no_class_fails_without_being_named(self) -> None:
        self.labels.write_bytes(gzip.compress(idx((120,), bytes(119) + b"\xc8")))
        done = self.run_program(*TRAIN, "--data", f"mnist:{self.folder}")
        self.assertEqual(done.returncode, 1, done.stderr)
        self.assertNotIn("200", done.stderr)

    def test_images_and_labels_must_be_as_many(self) -> None:
        self.labels.write_bytes(gzip.compress(idx((119,), bytes(119))))
        self.refuse_data(1, "119 labels")


class Cifar10Test(ProgramTest):
    def test_files_that_are_missing_or_cut_off_are_refused(self) -> None:
        self.refuse(2, "data_batch_1.bin", *TRAIN, "--data", f"cifar10:{self.folder}")
        record = bytes([3]) + bytes(3072)
        (self.folder / "data_batch_1.bin").write_bytes(record * 20)
        (self.folder / "test_batch.bin").write_bytes((record * 5)[:-1])
        self.refuse(1, "test_batch.bin", *TRAIN, "--data", f"cifar10:{self.folder}")
