# SPDX-License-Identifier: Apache-2.0
"""The tree of sources as the checks see it: which files there are, and C++ text without comments and strings."""

import re
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
CPP = (".h", ".cpp")
FRONTS = ("cli", "python", "bench", "examples")

_LITERALS = re.compile(
    r'(?P<raw>R"(?P<tag>[^()\\ ]{0,16})\(.*?\)(?P=tag)")'
    r'|(?P<comment>//(?:[^\n\\]|\\.)*|/\*.*?\*/)'
    r'|(?P<string>"(?:[^"\\\n]|\\.)*")'
    r"|(?P<char>(?<![0-9A-Za-z_])'(?:[^'\\\n]|\\.)+')",
    re.DOTALL,
)


def files(root: Path, suffixes: tuple[str, ...] = CPP) -> list[Path]:
    """Files below root with these suffixes, relative to root: what git tracks or would track, else all that is there."""
    listing = subprocess.run(
        ["git", "-C", str(root), "ls-files", "-z", "--cached", "--others", "--exclude-standard", "."], capture_output=True, text=True
    )
    if listing.returncode == 0:
        found = {Path(name) for name in listing.stdout.split("\0") if name}
    else:
        found = {path.relative_to(root) for path in root.rglob("*")}
    return sorted(path for path in found if path.suffix in suffixes and (root / path).is_file())


def read(path: Path) -> str:
    return path.read_text(encoding="utf-8", errors="replace")


def without_comments(text: str, keep_strings: bool = False) -> str:
    """C++ text with comments (and the insides of strings) blanked; line numbers and columns stay."""

    def blank(match: re.Match[str]) -> str:
        whole = match.group()
        if match.lastgroup == "comment" or match.group("comment"):
            return re.sub(r"[^\n]", " ", whole)
        if keep_strings:
            return whole
        return whole[0] + re.sub(r"[^\n]", " ", whole[1:-1]) + whole[-1]

    return _LITERALS.sub(blank, text)


def line_of(text: str, offset: int) -> int:
    return text.count("\n", 0, offset) + 1
