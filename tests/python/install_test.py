# SPDX-License-Identifier: Apache-2.0
"""pip install into an environment of its own, as a user does it."""

import os
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

import ghostgrad
import pytest

ROOT = Path(__file__).resolve().parents[2]

BUILD = Path(ghostgrad.__file__).parents[2]
PROGRAM = """
import torch, ghostgrad
model = torch.nn.Linear(3, 1)
engine = ghostgrad.Engine(model.named_parameters(), clip=1.0, noise_multiplier=1.0, expected_batch_size=4, sample_rate=0.5)
engine.backward(model(torch.randn(4, 3)).pow(2).mean(1))
engine.step(torch.optim.SGD(model.parameters(), 0.1))
print(engine.steps, ghostgrad.__version__, ghostgrad.__file__)
"""


def run(*command, **environment):
    kept = {key: value for key, value in os.environ.items() if not key.startswith("PYTHON")}
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True, env={**kept, **environment}, cwd="/")
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


SETTINGS = {  # from what was built already, in seconds; and from the sources, as a user does
    "built": ("--config-settings", "build-dir=build/packed", "--config-settings", f"cmake.define.GHOSTGRAD_PREBUILT={BUILD}"),
    "sources": (),
}


@pytest.mark.parametrize("kind", ["built", pytest.param("sources", marks=pytest.mark.slow)])
def test_pip_install_gives_the_package_and_the_command_line(tmp_path, kind):
    place = tmp_path / "environment"
    run(sys.executable, "-m", "venv", "--without-pip", place)
    python = place / "bin" / "python"
    site = Path(run(python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))").strip())
    (site / "outer.pth").write_text(sysconfig.get_path("purelib"), encoding="utf-8")  # torch and the build tools, not our build tree
    base = os.environ.get("CCACHE_BASEDIR", str(ROOT))
    ccache = {"CMAKE_CXX_COMPILER_LAUNCHER": "ccache", "CCACHE_SLOPPINESS": "pch_defines,time_macros", "CCACHE_BASEDIR": base}
    build = {"CMAKE_BUILD_PARALLEL_LEVEL": str(os.cpu_count()), **(ccache if shutil.which("ccache") else {})}
    pip = (sys.executable, "-m", "pip", "--python", python, "install", "--quiet", "--no-build-isolation", "--no-deps", "--no-index")
    run(*pip, *SETTINGS[kind], ROOT, **build)
    steps, version, file = run(python, "-c", PROGRAM).split()
    assert steps == "1" and file.startswith(str(site))
    assert version in run(place / "bin" / "ghostgrad", "--version")
    assert "epsilon" in run(
        python, "-m", "ghostgrad", "account", "--noise-multiplier", "1", "--sample-rate", "0.01", "--steps", "10", "--json"
    )
