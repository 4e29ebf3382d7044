#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Tables in README.md and docs/ that a machine writes. What stands between

    <!-- generated: methods -->
    <!-- end -->

is the table of that name: `methods`, `models` and `rules` from `ghostgrad methods --json` and so on, `help-train` is what
`ghostgrad train --help` prints, and the names of results.TABLES are what was measured. `coverage-layers` and `coverage-architectures` are
what tests/python/coverage/measure.py found. Beside them stand the pictures of plots.PLOTS.

    tools/generated.py --program build/release/bin/ghostgrad [--check] [FILE...]
"""

import argparse
import json
import re
import subprocess
import sys
from pathlib import Path

import plots
import reports
import results
import tree

COMMANDS = ("methods", "models", "rules")
HELP = "help-"
COVERAGE = {f"coverage-{name}": Path(f"tests/python/coverage/{name}.json") for name in ("layers", "architectures")}
BLOCK = re.compile(r"(?P<open><!-- generated: (?P<name>[\w-]+) -->\n)(?P<body>.*?)(?P<close><!-- end -->)", re.DOTALL)


def cell(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.4g}"
    return str(value).replace("|", "\\|").replace("\n", " ")


def output_of(program: Path, *words: str) -> str:
    return subprocess.run([str(program), *words], check=True, capture_output=True, text=True).stdout


def table(report: dict) -> str:
    """The first list of objects in a report as a Markdown table, its columns in the order of the first row."""
    rows = next((value for value in report.values() if isinstance(value, list) and value and isinstance(value[0], dict)), None)
    if rows is None:
        raise ValueError(f"no list of rows among {', '.join(report) or 'nothing'}")
    columns = tuple(rows[0])
    return reports.lines_of([columns, *(tuple(cell(row.get(column, "")) for column in columns) for row in rows)])


def content(name: str, root: Path, program: Path | None) -> str:
    """What belongs into the block of this name."""
    if name in results.TABLES:
        return results.TABLES[name](root)
    if name in COVERAGE:
        return table(reports.kept(root, COVERAGE[name], f"python {COVERAGE[name].parent}/measure.py"))
    if name in COMMANDS and program is not None:
        return table(json.loads(output_of(program, name, "--json")))
    if name.startswith(HELP) and program is not None:
        return "```text\n" + output_of(program, name.removeprefix(HELP), "--help").rstrip() + "\n```\n"
    raise ValueError(f"nothing generates '{name}'; known: {', '.join((*COMMANDS, *results.TABLES, *COVERAGE, HELP + 'COMMAND'))}")


def filled(text: str, root: Path, program: Path | None) -> str:
    return BLOCK.sub(lambda block: block["open"] + content(block["name"], root, program) + block["close"], text)


def documents(root: Path, files: list[Path], program: Path | None) -> dict[Path, str]:
    """What each document, and each picture unless documents are named, should hold."""
    texts = {path: filled(tree.read(path), root, program) for path in files or [root / path for path in tree.files(root, (".md",))]}
    if not files:
        texts.update({root / name: draw(root) for name, draw in plots.PLOTS.items()})
    return texts


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("files", nargs="*", type=Path)
    parser.add_argument("--program", type=Path)
    parser.add_argument("--check", action="store_true", help="change nothing, exit 1 if something would change")
    options = parser.parse_args(arguments)
    texts = documents(tree.ROOT, options.files, options.program)
    stale = [path for path, text in texts.items() if not path.is_file() or tree.read(path) != text]
    for path in stale if not options.check else ():
        path.write_text(texts[path], encoding="utf-8")
    for path in stale:
        print(f"{path}: " + ("out of date; ./dev docs writes it" if options.check else "written"))
    print(f"generated: {len(stale)} files {'out of date' if options.check else 'changed'}")
    return 1 if stale and options.check else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
