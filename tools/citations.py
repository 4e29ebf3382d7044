#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Every source that the code or the docs cite, as [Bu22], [Bu22, Sec. 3] or [Li21; Bu22bk, Eq. 2], is listed in docs/bibliography.md.

    tools/citations.py [ROOT]     prints what is cited but not listed and exits 1 if anything is
"""

import re
import sys
from pathlib import Path

import tree

LIST = Path("docs/bibliography.md")
KEY = r"[A-Z][A-Za-z]+\d\d[a-z]*"
CITED = re.compile(rf"(?<!\w)\[({KEY}(?:[,;][^\]\n]*)?)\]")
LISTED = re.compile(rf"^\*\*\[({KEY})\]\*\*", re.MULTILINE)


def check(root: Path) -> list[str]:
    listed = set(LISTED.findall(tree.read(root / LIST))) if (root / LIST).is_file() else set()
    complaints = []
    for path in tree.files(root, (".h", ".cpp", ".md")):
        text = tree.read(root / path)
        for match in CITED.finditer(text):
            cited = re.findall(rf"(?:^|;)\s*({KEY})", match.group(1))
            complaints += [f"{path}:{tree.line_of(text, match.start())}: [{key}] is not listed in {LIST}" for key in cited if key not in listed]
    return complaints


def main(arguments: list[str]) -> int:
    complaints = check(Path(arguments[0]) if arguments else tree.ROOT)
    for complaint in complaints:
        print(complaint)
    print(f"citations: {len(complaints)} not listed")
    return 1 if complaints else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
