#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Small files, short functions, few parameters: the budgets of docs/architecture.md.

    tools/budget.py [ROOT]        prints what breaks a budget and exits 1; reports medians and ratios
"""

import re
import sys
from pathlib import Path
from statistics import median

import functions
import tree

FILE_HARD = 400
FILE_MEDIAN = 120
FUNCTION_HARD = 60
FUNCTION_MEDIAN = 10
TOP_CMAKE = 150
PARAMETERS = 4  # reported: beyond that an options struct reads better
HEADER_RATIO = (0.5, 1.3)  # comment lines / code lines, reported
TEST_RATIO = 1.0  # test lines / library lines, reported

COUNTED = (".h", ".cpp", ".py", ".cmake", ".sh")
_CONDITIONAL = re.compile(r"^[ \t]*#[ \t]*(?:ifn?def|if[ \t]+!?[ \t]*defined)\b", re.MULTILINE)


def is_library(path: Path) -> bool:
    return path.parts[0] == "ghostgrad"


class Budget:
    """Complaints and figures, gathered file by file."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.complaints: list[str] = []
        self.notes: list[str] = []
        self.files: list[int] = []  # lines of each library file
        self.functions: list[int] = []  # lines of each library function
        self.comments = self.code = 0  # lines in library headers
        self.tests = 0  # lines below tests/

    def read(self, path: Path) -> None:
        text = tree.read(self.root / path)
        lines = text.count("\n") + (not text.endswith("\n") and bool(text))
        if lines > FILE_HARD:
            self.complaints.append(f"{path}:1: {lines} lines, more than {FILE_HARD}; split it by concept")
        if path.parts[0] == "tests":
            self.tests += lines
        if path.suffix == ".h":
            self.read_header(path, text)
        if path.suffix in tree.CPP or path.suffix == ".py":
            self.read_functions(path, text)
        if is_library(path) and path.suffix in tree.CPP:
            self.files.append(lines)

    def read_header(self, path: Path, text: str) -> None:
        code = tree.without_comments(text)
        for match in _CONDITIONAL.finditer(code):
            wrong = "#ifdef in a header; absence is a file of its own (no_x.cpp), include guards are #pragma once"
            self.complaints.append(f"{path}:{tree.line_of(code, match.start())}: {wrong}")
        if is_library(path):
            filled = sum(bool(line.strip()) for line in text.splitlines())
            coded = sum(bool(line.strip()) for line in code.splitlines())
            self.code += coded
            self.comments += filled - coded

    def read_functions(self, path: Path, text: str) -> None:
        found = functions.in_python(text) if path.suffix == ".py" else functions.in_cpp(text)
        for function in found:
            where = f"{path}:{function.line}: {function.name}"
            if function.lines > FUNCTION_HARD:
                self.complaints.append(f"{where} is {function.lines} lines long, more than {FUNCTION_HARD}; name its steps")
            if is_library(path):
                self.functions.append(function.lines)
                if function.parameters > PARAMETERS:
                    self.notes.append(f"{where} takes {function.parameters} parameters; an options struct names them")

    def read_top(self) -> None:
        top = self.root / "CMakeLists.txt"
        lines = tree.read(top).count("\n") if top.is_file() else 0
        if lines > TOP_CMAKE:
            self.complaints.append(f"CMakeLists.txt:1: {lines} lines, more than {TOP_CMAKE}; move the how into cmake/")

    def judge_medians(self) -> None:
        for what, lines, limit in (("file", self.files, FILE_MEDIAN), ("function", self.functions, FUNCTION_MEDIAN)):
            if lines and median(lines) > limit:
                self.complaints.append(f"ghostgrad/:1: the median {what} has {median(lines):g} lines, more than {limit}")

    def figures(self) -> str:
        library = sum(self.files)
        parts = [
            f"{len(self.files)} library files, median {median(self.files or [0]):g} lines (<= {FILE_MEDIAN})",
            f"{len(self.functions)} functions, median {median(self.functions or [0]):g} (<= {FUNCTION_MEDIAN})",
            f"header comment/code {self.comments / max(self.code, 1):.2f} ({HEADER_RATIO[0]}-{HEADER_RATIO[1]})",
            f"test/library {self.tests / max(library, 1):.2f} (>= {TEST_RATIO})",
        ]
        return "; ".join(parts)


def check(root: Path) -> Budget:
    budget = Budget(root)
    for path in tree.files(root, COUNTED):
        budget.read(path)
    budget.read_top()
    budget.judge_medians()
    return budget


def main(arguments: list[str]) -> int:
    budget = check(Path(arguments[0]) if arguments else tree.ROOT)
    for line in [f"note: {note}" for note in budget.notes] + budget.complaints:
        print(line)
    print(f"budget: {budget.figures()}; {len(budget.complaints)} broken")
    return 1 if budget.complaints else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
