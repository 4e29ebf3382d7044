# SPDX-License-Identifier: Apache-2.0
"""Runs the program and writes small data sets for it."""

import gzip
import json
import os
import random
import struct
import subprocess
import tempfile
import unittest
from pathlib import Path

PROGRAM = os.environ["GHOSTGRAD"]
ENVIRONMENT = {**os.environ, "OMP_NUM_THREADS": "1", "OMP_WAIT_POLICY": "PASSIVE"}
TIMEOUT_SECONDS = 120


def arguments(*words: object) -> list[str]:
    return [PROGRAM, *(str(word) for word in words)]


def idx(shape: tuple[int, ...], values: bytes) -> bytes:
    """An IDX file of unsigned bytes."""
    return struct.pack(f">I{len(shape)}I", 0x800 + len(shape), *shape) + values


def write_mnist(folder: Path, train: int = 120, test: int = 40) -> None:
    """Noise with one bright row per class: learnable, and nothing like a digit."""
    source = random.Random(1)
    for name, count in (("train", train), ("t10k", test)):
        labels = bytes(source.randrange(10) for _ in range(count))
        images = bytearray(source.randbytes(count * 784))
        for i, label in enumerate(labels):
            images[i * 784 + 56 * label : i * 784 + 56 * label + 56] = b"\xff" * 56
        (folder / f"{name}-images-idx3-ubyte").write_bytes(idx((count, 28, 28), bytes(images)))
        (folder / f"{name}-labels-idx1-ubyte.gz").write_bytes(gzip.compress(idx((count,), labels)))


def write_e2e(folder: Path) -> None:
    """Sentences that follow from their descriptions by one rule."""
    for name, count in (("train", 60), ("test", 12)):
        names = [f"Place {chr(65 + i % 20)}" for i in range(count)]
        rows = [f'"name[{word}], area[riverside]","{word} is by the river."' for word in names]
        (folder / f"{name}.csv").write_text("\n".join(["mr,ref", *rows]) + "\n")


class ProgramTest(unittest.TestCase):
    """Every test has an empty folder of its own, self.folder."""

    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)

    def run_program(self, *words: object) -> subprocess.CompletedProcess:
        return subprocess.run(
            arguments(*words), cwd=self.folder, env=ENVIRONMENT, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=TIMEOUT_SECONDS
        )

    def succeed(self, *words: object) -> subprocess.CompletedProcess:
        done = self.run_program(*words)
        self.assertEqual(done.returncode, 0, done.stderr)
        return done

    def json_of(self, *words: object) -> dict:
        """What a command prints with --json: one object, and nothing else."""
        return json.loads(self.succeed(*words, "--json").stdout)

    def refuse(self, code: int, message: str, *words: object) -> str:
        """The command ends with this code, one `error:` line holding the message and a remedy, and prints nothing on stdout."""
        done = self.run_program(*words)
        self.assertEqual(done.returncode, code, done.stderr)
        self.assertEqual(done.stdout, "")
        errors = [line for line in done.stderr.splitlines() if line.startswith("error: [")]
        self.assertEqual(len(errors), 1, done.stderr)
        self.assertIn(message, errors[0])
        self.assertIn("; ", errors[0], "no remedy")
        return errors[0]
