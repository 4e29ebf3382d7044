# SPDX-License-Identifier: Apache-2.0
"""The examples of README.md, taken out so that tests can compile and run them.

    readme.py programs README.md FOLDER      writes each ```cpp block to FOLDER/readme_<n>.cpp and prints its path
    readme.py sessions README.md PROGRAMS    runs each ```console block with the folder PROGRAMS on the PATH

A session is `$ command` (a trailing backslash continues it) followed by what it prints. In the expected output `...` inside
a line stands for any text and a line of only `...` for any lines. Every command must exit 0; append `; echo $?` to show another.
"""

import os
import re
import subprocess
import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

FENCE = re.compile(r"^```(\w*)[^\n]*\n(.*?)^```[ \t]*$", re.MULTILINE | re.DOTALL)
TIMEOUT_SECONDS = 120


@dataclass
class Command:
    line: int  # in the document
    text: str
    expected: list[str] = field(default_factory=list)


def blocks(document: str, language: str) -> list[tuple[int, str]]:
    """The fenced blocks of one language: the line of their first line, and their text."""
    found = [match for match in FENCE.finditer(document) if match.group(1) == language]
    return [(document.count("\n", 0, match.start(2)) + 1, match.group(2)) for match in found]


def write_programs(document: str, folder: Path) -> list[Path]:
    """One .cpp per block; a file that would not change is not touched, so that nothing is rebuilt."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    for number, (line, text) in enumerate(blocks(document, "cpp"), 1):
        path = folder / f"readme_{number}.cpp"
        source = f'#line {line} "README.md"\n{text}'
        if not path.is_file() or path.read_text(encoding="utf-8") != source:
            path.write_text(source, encoding="utf-8")
        paths.append(path)
    return paths


def commands(start: int, block: str) -> list[Command]:
    """The commands of a session with what each is expected to print."""
    found: list[Command] = []
    continued = False
    for line, text in enumerate(block.splitlines(), start):
        if continued:
            found[-1].text += "\n" + text
        elif text.startswith("$ "):
            found.append(Command(line, text[2:]))
        elif found:
            found[-1].expected.append(text)
        else:
            raise ValueError(f"line {line}: a session begins with `$ command`, not with: {text}")
        continued = found[-1].text.endswith("\\")
    return found


def matches(expected: list[str], printed: str) -> bool:
    """Whether a program printed what a session shows, up to trailing blanks."""
    pattern = ""
    for line in expected:
        if line.strip() == "...":
            pattern += r"(?:[^\n]*\n)*"
        else:
            pattern += r"[^\n]*".join(re.escape(part) for part in line.rstrip().split("...")) + r"[ \t]*\n"
    return re.fullmatch(pattern, printed if printed.endswith("\n") or not printed else printed + "\n") is not None


def run(command: Command, programs: Path, folder: str) -> str | None:
    """Runs one command; what went wrong, or None."""
    environment = {**os.environ, "PATH": f"{programs}{os.pathsep}{os.environ['PATH']}", "COLUMNS": "120"}
    try:
        done = subprocess.run(
            ["bash", "-c", command.text], cwd=folder, env=environment, stdin=subprocess.DEVNULL, text=True, errors="replace",
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=TIMEOUT_SECONDS,
        )
    except subprocess.TimeoutExpired:
        return f"ran longer than {TIMEOUT_SECONDS} s"
    if done.returncode != 0:
        return f"exited {done.returncode}:\n{done.stdout}"
    return None if matches(command.expected, done.stdout) else "printed something else:\n" + done.stdout


def run_sessions(document: str, programs: Path) -> list[str]:
    """Runs every session in a folder of its own; one complaint per command that did not do what is written."""
    complaints = []
    for start, block in blocks(document, "console"):
        with tempfile.TemporaryDirectory() as folder:
            for command in commands(start, block):
                wrong = run(command, programs.resolve(), folder)
                if wrong:
                    complaints.append(f"README.md:{command.line}: $ {command.text}\n{wrong}")
    return complaints


def main(arguments: list[str]) -> int:
    task, document, folder = arguments[0], Path(arguments[1]).read_text(encoding="utf-8"), Path(arguments[2])
    if task == "programs":
        print(";".join(str(path) for path in write_programs(document, folder)))
        return 0
    complaints = run_sessions(document, folder)
    print("\n".join(complaints) or f"README: {len(blocks(document, 'console'))} sessions do what is written")
    return 1 if complaints else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
