# SPDX-License-Identifier: Apache-2.0
"""Reading the reports that bench/*.json keep, and writing Markdown tables of their rows.

    lines_of([("model", "ratio"), *((row["model"], short(row["ratio"])) for row in private(rows_of(root, "results")))])
"""

import json
from pathlib import Path
from typing import Callable

import tree

Row = dict


def kept(root: Path, path: Path, remedy: str) -> dict:
    """The report that is kept at this path below the root; where it is missing, a ValueError says how to make it."""
    if not (root / path).is_file():
        raise ValueError(f"{path} is missing; {remedy}")
    return json.loads(tree.read(root / path))


def report_of(root: Path, name: str) -> dict:
    path = Path(f"bench/{name}.json")
    return kept(root, path, f"./dev bench --json >{path} (options: docs/benchmarks.md)")


def rows_of(root: Path, name: str) -> list[Row]:
    return report_of(root, name)["rows"]


def in_order(values) -> list[str]:
    return list(dict.fromkeys(values))


def lines_of(lines: list[tuple[str, ...]]) -> str:
    """A table; the first line is its heading."""
    marks = ("---",) * len(lines[0])
    return "".join("| " + " | ".join(line) + " |\n" for line in (lines[0], marks, *lines[1:]))


def pivot(rows: list[Row], down: str, across: str, corner: str, cell: Callable[[Row], str]) -> str:
    """A table with a line for each value of `down` and a column for each of `across`; `-` where nothing was measured."""
    columns = in_order(row[across] for row in rows)
    cells = {(row[down], row[across]): cell(row) for row in rows}
    names = in_order(row[down] for row in rows)
    return lines_of([(corner, *columns), *((f"`{name}`", *(cells.get((name, column), "-") for column in columns)) for name in names)])


def short(value: float) -> str:
    return f"{value:.2f}" if value < 10 else f"{value:.0f}"


def named(rows: list[Row]) -> list[Row]:
    return [{**row, "workload": f"{row['what']}, B {row['batch']}"} for row in rows]


def private(rows: list[Row]) -> list[Row]:
    return [row for row in rows if row["method"] != "non_private"]
