#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Every source that the code or the docs cite, as [Bu22] or [Bu22, Sec. 3], is listed in docs/bibliography.md.

    tools/citations.py [ROOT]     prints what is cited but not listed and exits 1 if anything is
"""

import re
import sys
from pathlib import Path

import tree

LIST = Path("docs/bibliography.md")
CITED = re.compile(r"\[([A-Z][A-Za-z]+\d\d[a-z]?)(?:,[^\]\n]*)?\]")
LISTED = re.compile(r"^\*\*\[([A-Z][A-Za-z]+\d\d[a-z]?)\]\*\*", re.MULTILINE)


def check(root: Path) -> list[str]:
    listed = set(LISTED.findall(tree.read(root / LIST))) if (root / LIST).is_file() else set()
    complaints = []
    for path in tree.files(root, (".h", ".cpp", ".md")):
        text = tree.read(root / path)
        for match in CITED.finditer(text):
            if match.group(1) not in listed:
                complaints.append(f"{path}:{tree.line_of(text, match.start())}: [{match.group(1)}] is not listed in {LIST}")
    return complaints


def main(arguments: list[str]) -> int:
    complaints = check(Path(arguments[0]) if arguments else tree.ROOT)
    for complaint in complaints:
        print(complaint)
    print(f"citations: {len(complaints)} not listed")
    return 1 if complaints else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
