#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Includes point downward only, and one place knows each foreign system.

    tools/floors.py [ROOT]        prints `file:line: what is wrong; what to do` and exits 1 if anything is
"""

import re
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Iterator

import tree

# The house. A room may include itself and the floors below it; rooms of one floor never include one another.
FLOORS = (
    ("base",),
    ("random", "privacy"),
    ("graph", "comm", "models", "data"),
    ("rules", "sample", "noise"),
    ("clip",),
    ("engine",),
    ("audit", "measure"),
)
FLOOR = {room: level for level, rooms in enumerate(FLOORS) for room in rooms}
UMBRELLA = "ghostgrad/ghostgrad.h"  # everything for programs: may include every room, and only front ends include it


@dataclass(frozen=True)
class Confined:
    """A foreign system, how it shows in the text, and the only rooms and front ends that may know it."""

    what: str
    pattern: re.Pattern[str]
    places: tuple[str, ...]


INCLUDES = (
    Confined("generated autograd nodes", re.compile(r"torch/csrc/autograd/generated/(?!variable_factories)"), ("graph", "rules")),
    Confined("c10d", re.compile(r"(torch/csrc/distributed/)?c10d/"), ("comm",)),
    Confined("OpenSSL", re.compile(r"openssl/"), ("random",)),
    Confined("Python", re.compile(r"Python\.h|pybind11/|torch/(extension|python)\.h|torch/csrc/utils/pybind\.h"), ("python",)),
    Confined("command line parsing", re.compile(r"CLI/"), ("cli", "bench")),
    Confined("output streams", re.compile(r"(iostream|print)$"), ("cli", "bench", "examples")),
)
WORDS = (
    Confined(
        "standard output and error",
        re.compile(r"\bstd::(cout|cerr|clog)\b|(?<![\w.>])(std::)?(printf|puts|putchar|perror)\s*\(|\b(fmt|std)::print(ln)?\s*\(|\bstd(out|err)\b"),
        ("cli", "bench", "examples"),
    ),
    Confined(
        "ending the process",
        re.compile(r"(?<![\w.>:])(std::|::)?(exit|_exit|_Exit|quick_exit|abort|terminate)\s*\("),
        ("cli", "bench", "examples"),
    ),
    Confined(
        "randomness that a seed predicts",
        re.compile(
            r"\bstd::(mt19937(_64)?|random_device|\w+_engine)\b"
            r"|\b(at|torch)::(rand\w*|normal|bernoulli|poisson|multinomial)\s*\("
            r"|(\.|->)(normal|uniform|bernoulli|random|exponential)_\s*\("
        ),
        ("graph", "models", "data", "measure", "cli", "bench", "examples", "python"),
    ),
)

_INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*([<"])([^">]+)[">]', re.MULTILINE)
_NAMESPACE = re.compile(r"^[ \t]*(?:inline[ \t]+)?namespace[ \t]+ghostgrad::(\w+)", re.MULTILINE)


def place_of(path: Path) -> str | None:
    """The room or front end that a file stands in; None for tests and everything else."""
    parts = path.parts
    if path.as_posix() == UMBRELLA:
        return "umbrella"
    if parts[0] == "ghostgrad":
        return parts[1] if len(parts) > 2 else ""
    return parts[0] if parts[0] in tree.FRONTS else None


def wrong_include(place: str, target: str, quoted: bool) -> str | None:
    """What is wrong with an include of `target` in `place`, or None."""
    for rule in INCLUDES:
        if rule.pattern.match(target) and place not in rule.places:
            return f"{rule.what} ({target}) belongs to {' and '.join(rule.places)} only, not to {place}/; ask a room that knows it"
    if not quoted:
        return "write \"" + target + '" with quotes; <> is for foreign headers' if target.startswith("ghostgrad/") else None
    head, _, rest = target.partition("/")
    if head != "ghostgrad":
        if place in tree.FRONTS and head == place:
            return None
        if head in tree.FRONTS:
            return f'front ends never include one another, but {place}/ includes "{target}"; move what both need below floor 7'
        return f'"{target}" must be written from the root, as "ghostgrad/<room>/<file>.h"'
    return wrong_room(place, rest.partition("/")[0], target)


def wrong_room(place: str, room: str, target: str) -> str | None:
    if target == UMBRELLA:
        return None if place in tree.FRONTS else f"{UMBRELLA} is for programs; include the rooms that {place}/ needs"
    if room not in FLOOR:
        return f'"{target}" names no room of the house; rooms: {", ".join(FLOOR)}'
    if place in tree.FRONTS or place in ("umbrella", room) or FLOOR[room] < FLOOR[place]:
        return None
    way = "sideways" if FLOOR[room] == FLOOR[place] else "upward"
    return (
        f"{place}/ (floor {FLOOR[place]}) includes {way}: {target} is on floor {FLOOR[room]}; "
        "move the shared piece to a floor below both, or pass it in"
    )


def check_file(root: Path, path: Path) -> Iterator[tuple[int, str]]:
    place = place_of(path)
    if place is None:
        return
    if place not in FLOOR and place not in (*tree.FRONTS, "umbrella"):
        yield 1, f"{path.parent} is no room of the house; add it to FLOORS in tools/floors.py and to docs/architecture.md"
        return
    text = tree.read(root / path)
    with_strings = tree.without_comments(text, keep_strings=True)
    for match in _INCLUDE.finditer(with_strings):
        target, quoted = match.group(2), match.group(1) == '"'
        wrong = wrong_include(place, target, quoted)
        if wrong is None and quoted and not (root / target).is_file():
            wrong = f'"{target}" does not exist'
        if wrong:
            yield tree.line_of(text, match.start(2)), wrong
    yield from check_words(place, tree.without_comments(text))


def check_words(place: str, code: str) -> Iterator[tuple[int, str]]:
    for rule in WORDS:
        if place in rule.places:
            continue
        for match in rule.pattern.finditer(code):
            yield tree.line_of(code, match.start()), f"`{match.group().strip()}`: {rule.what} belongs to {', '.join(rule.places)} only"
    for match in _NAMESPACE.finditer(code):
        if place in FLOOR and match.group(1) != place:
            yield tree.line_of(code, match.start(1)), f"folder = namespace: {place}/ must not open namespace ghostgrad::{match.group(1)}"


def check(root: Path) -> list[str]:
    return [f"{path}:{line}: {wrong}" for path in tree.files(root) for line, wrong in sorted(check_file(root, path))]


def main(arguments: list[str]) -> int:
    root = Path(arguments[0]) if arguments else tree.ROOT
    complaints = check(root)
    for complaint in complaints:
        print(complaint)
    counted = sum(place_of(path) is not None for path in tree.files(root))
    print(f"floors: {counted} files, {len(complaints)} wrong")
    return 1 if complaints else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
