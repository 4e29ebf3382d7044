#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""clang-tidy over the sources that are cheap or have changed.

    tools/tidy.py BUILD [--all] [FILE...]

Without files: everything below floor 2 (seconds each) and what differs from the main branch, of which at most --most read torch's
headers (a quarter of a minute each). --all: everything. A file that passed once is not read again until it, a header of ours, the
checks or the tool change (remembered in BUILD/tidy).
"""

import argparse
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import floors
import tree

VERSION = 14  # findings differ between versions; another one advises but does not fail outside CI
CHEAP = 1  # rooms up to this floor
PRECOMPILED = re.compile(r"\s-Winvalid-pch\b|\s-fpch-preprocess\b|\s-include\s+\S*cmake_pch\.hxx")


def version(program: str) -> int:
    answer = subprocess.run([program, "--version"], capture_output=True, text=True).stdout
    match = re.search(r"version (\d+)", answer)
    return int(match.group(1)) if match else 0


def changed(root: Path) -> set[str]:
    """Sources that differ from where this branch left main (or from HEAD, on main), and new ones."""

    def git(*arguments: str) -> list[str]:
        answer = subprocess.run(["git", "-C", str(root), *arguments], capture_output=True, text=True)
        return answer.stdout.split() if answer.returncode == 0 else []

    for main in ("origin/main", "main"):
        base = git("merge-base", "HEAD", main)
        if base:
            break
    return set(git("diff", "--name-only", base[0] if base else "HEAD") + git("ls-files", "--others", "--exclude-standard"))


def is_cheap(path: Path) -> bool:
    return floors.FLOOR.get(floors.place_of(path) or "", CHEAP + 1) <= CHEAP


def chosen(root: Path, everything: bool, names: list[str]) -> list[Path]:
    sources = [path for path in tree.files(root, (".cpp",)) if floors.place_of(path) is not None]
    if names:
        return [path for path in sources if str(path) in names]
    if everything:
        return sources
    differing = changed(root)
    return [path for path in sources if is_cheap(path) or str(path) in differing]


def commands(root: Path, build: Path) -> dict[Path, dict]:
    """BUILD/tidy/compile_commands.json: as the build's, but without the precompiled headers, which are another compiler's."""
    entries = json.loads(tree.read(build / "compile_commands.json"))
    for entry in entries:
        entry["command"] = PRECOMPILED.sub("", entry["command"]).removeprefix(shutil.which("ccache") or "ccache").strip()
    (build / "tidy").mkdir(exist_ok=True)
    (build / "tidy" / "compile_commands.json").write_text(json.dumps(entries, indent=1), encoding="utf-8")
    return {Path(os.path.relpath(entry["file"], root)): entry for entry in entries}


class Memory:
    """What passed before, as a hash of all that the verdict depends on."""

    def __init__(self, root: Path, folder: Path, program: str) -> None:
        self.root, self.folder = root, folder
        shared = [root / ".clang-tidy"] + [root / path for path in tree.files(root, (".h",))]
        about = subprocess.run([program, "--version"], capture_output=True).stdout
        self.shared = hashlib.sha256(about + b"\0".join(path.read_bytes() for path in shared if path.is_file())).hexdigest()

    def stamp(self, path: Path, command: str) -> Path:
        words = (self.shared, command, tree.read(self.root / path))
        return self.folder / (hashlib.sha256("\0".join(words).encode()).hexdigest()[:32] + ".passed")


def judge(program: str, root: Path, build: Path, path: Path) -> str:
    """The findings in one file, empty when there are none."""
    run = subprocess.run([program, "--quiet", "-p", str(build / "tidy"), str(path)], cwd=root, capture_output=True, text=True)
    return "" if run.returncode == 0 else (run.stdout + run.stderr).strip()


def unread(root: Path, known: dict[Path, dict], options: argparse.Namespace, memory: Memory) -> dict[Path, Path]:
    """The chosen files that did not pass before, each with the stamp it leaves when it does."""
    paths = [path for path in chosen(root, options.all, options.files) if path in known]
    stamps = {path: memory.stamp(path, known[path]["command"]) for path in paths}
    fresh = [path for path in paths if not stamps[path].exists()]
    dear = [] if options.all or options.files else [path for path in fresh if not is_cheap(path)][options.most :]
    if dear:
        print(f"tidy: {len(dear)} more changed files were not read; ./dev lint all reads them")
    return {path: stamps[path] for path in fresh if path not in dear}


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("build", type=Path)
    parser.add_argument("files", nargs="*")
    parser.add_argument("--all", action="store_true")
    parser.add_argument("--most", type=int, default=6)
    options = parser.parse_args(arguments)
    program = shutil.which(f"clang-tidy-{VERSION}") or shutil.which("clang-tidy")
    if not program:
        print("tidy: clang-tidy is missing; ./dev test installs it")
        return 1
    root, build = tree.ROOT, options.build.resolve()
    known = commands(root, build)
    fresh = unread(root, known, options, Memory(root, build / "tidy", program))
    wrong = 0
    with ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        for path, findings in zip(fresh, pool.map(lambda path: judge(program, root, build, path), fresh)):
            if findings:
                wrong += 1
                print(findings, flush=True)
            else:
                fresh[path].touch()
    print(f"tidy: {len(fresh)} files read, {wrong} with findings")
    advice = version(program) != VERSION and not os.environ.get("CI")
    return 1 if wrong and not advice else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
