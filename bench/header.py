# SPDX-License-Identifier: Apache-2.0
"""The head of every report in bench/: machine, versions and commit. `ghostgrad bench --json` writes the same (cli/machine.cpp).

    report = {**header("opacus"), "rows": rows}
"""

import importlib.metadata
import os
import platform
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
INSTRUCTION_SETS = ("avx", "avx2", "fma", "avx512f", "avx512bw", "avx512_vnni", "avx512_bf16", "amx_tile", "amx_bf16", "asimd", "sve", "bf16")


def first_of(name: str) -> str:
    """The value of the first line of /proc/cpuinfo with this name, where the system tells."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text(encoding="utf-8").splitlines() if info.exists() else []
    return next((line.split(":", 1)[1].strip() for line in lines if line.startswith(name)), "")


def machine() -> dict:
    flags = (first_of("flags") + " " + first_of("Features")).split()
    name = first_of("model name") or platform.processor() or platform.machine()
    return {"processor": name, "cores": os.cpu_count(), "isa": [flag for flag in flags if flag in INSTRUCTION_SETS]}


def commit() -> str:
    """Of the checkout; -dirty if anything differs that could change a measurement."""
    git = lambda *words: subprocess.run(["git", *words], cwd=ROOT, capture_output=True, text=True, check=False)
    name = git("rev-parse", "--short", "HEAD").stdout.strip()
    differs = git("diff", "--quiet", "HEAD", "--", ".", ":!bench/*.json", ":!docs", ":!tools", ":!README.md").returncode == 1
    return name + ("-dirty" if differs else "")


def versions(*packages: str) -> dict[str, str]:
    """Of those that are installed."""
    found = {"python": platform.python_version()}
    for package in packages:
        try:
            found[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            continue
    return found


def header(*packages: str) -> dict:
    import ghostgrad

    known = versions("torch", *packages)
    return {"machine": machine(), "versions": {"ghostgrad": ghostgrad.__version__, **known}, "commit": commit()}


if __name__ == "__main__":
    print(commit())
