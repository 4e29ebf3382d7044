# SPDX-License-Identifier: Apache-2.0
"""The command line `ghostgrad`, which is a program of its own beside this package."""

import importlib.util
import os
import sys
from pathlib import Path


def main() -> None:
    program = Path(__file__).resolve().parent / "bin" / "ghostgrad"
    torch = importlib.util.find_spec("torch")  # not imported: that takes seconds
    if torch is not None and torch.submodule_search_locations:
        library = str(Path(torch.submodule_search_locations[0]) / "lib")
        paths = [library, *filter(None, os.environ.get("LD_LIBRARY_PATH", "").split(os.pathsep))]
        os.environ["LD_LIBRARY_PATH"] = os.pathsep.join(paths)
    os.execv(program, [str(program), *sys.argv[1:]])


if __name__ == "__main__":
    main()
