# SPDX-License-Identifier: Apache-2.0
"""Each ```python block of README.md runs as it is written."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
BLOCKS = re.findall(r"^```python\n(.*?)^```", (ROOT / "README.md").read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize("number", range(max(1, len(BLOCKS))))
def test_the_readmes_example_runs(number):
    done = subprocess.run([sys.executable, "-c", BLOCKS[number]], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
