#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The accountants of ghostgrad against those of dp_accounting and Opacus, on the same cases, side by side.

    python3 -m venv build/peers && build/peers/bin/pip install dp_accounting opacus
    build/peers/bin/python bench/accountants.py --program build/release/bin/ghostgrad [--rounds 5] [--only NAME] [--json]

Each time is processor time, the least of the rounds, and covers making the accountant, composing and asking for epsilon, inside of a
process that has imported everything: `ghostgrad compare` measures itself, the Python packages are measured here, and rounds are
interleaved. A peer that needs longer than --limit seconds for a case is stopped, and asked no more for that case. A peer that is not
installed is left out.
"""

import argparse
import importlib.util
import json
import multiprocessing
import subprocess
import sys
import tempfile
import time
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Callable

from header import commit, machine, versions

Parts = list[tuple[float, float, int]]  # (noise multiplier, sample rate, steps)


@dataclass(frozen=True)
class Case:
    name: str
    parts: Parts
    delta: float


@dataclass
class Result:
    epsilon: float
    milliseconds: float
    remark: str = ""


def many(count: int) -> Parts:
    """As many different releases, in the manner of a schedule that lowers the noise and grows the batches."""
    return [(1.5 - 0.5 * i / count, 0.005 + 0.01 * i / count, 1) for i in range(count)]


CASES = [
    Case("sigma 1, q 0.01, 1,000 steps, delta 1e-5", [(1.0, 0.01, 1000)], 1e-5),
    Case("sigma 1.5, q 0.04, 2,250 steps, delta 1e-5", [(1.5, 0.04, 2250)], 1e-5),
    Case("sigma 0.8, q 0.001, 1,000 steps, delta 1e-6", [(0.8, 0.001, 1000)], 1e-6),
    Case("sigma 4, q 0.01, 10,000 steps, delta 1e-5", [(4.0, 0.01, 10000)], 1e-5),
    Case("sigma 1, q 0.001, 100,000 steps, delta 1e-7", [(1.0, 0.001, 100000)], 1e-7),
    Case("1,000 different (sigma, q), delta 1e-5", many(1000), 1e-5),
]


def dp_accounting_pld(case: Case) -> float:
    import dp_accounting
    from dp_accounting.pld import PLDAccountant

    accountant = PLDAccountant()  # its default: intervals of 1e-4, pessimistic
    for noise, rate, steps in case.parts:
        accountant.compose(dp_accounting.PoissonSampledDpEvent(rate, dp_accounting.GaussianDpEvent(noise)), steps)
    return float(accountant.get_epsilon(case.delta))


def dp_accounting_rdp(case: Case) -> float:
    import dp_accounting
    from dp_accounting.rdp import RdpAccountant

    accountant = RdpAccountant()
    for noise, rate, steps in case.parts:
        accountant.compose(dp_accounting.PoissonSampledDpEvent(rate, dp_accounting.GaussianDpEvent(noise)), steps)
    return float(accountant.get_epsilon(case.delta))


def opacus_prv(case: Case) -> float:
    from opacus.accountants import PRVAccountant

    accountant = PRVAccountant()
    accountant.history = list(case.parts)
    return float(accountant.get_epsilon(delta=case.delta))  # its default: epsilon within 0.01


PEERS: dict[str, tuple[str, Callable[[Case], float]]] = {
    "dp_accounting PLD": ("dp_accounting", dp_accounting_pld),
    "dp_accounting RDP": ("dp_accounting", dp_accounting_rdp),
    "Opacus PRV": ("opacus", opacus_prv),
}


def installed(package: str) -> bool:
    return importlib.util.find_spec(package) is not None


def serve(peer: str, pipe) -> None:
    """A process that has everything imported, and answers cases with (epsilon, seconds of processor time)."""
    warnings.simplefilter("ignore")
    ask = PEERS[peer][1]
    ask(Case("first", [(2.0, 0.5, 2)], 1e-3))  # imports, and whatever is made once
    pipe.send("ready")
    while True:
        case = pipe.recv()
        start = time.process_time()
        try:
            epsilon = ask(case)
        except Exception as error:  # a peer's refusal is a result too
            pipe.send(str(error) or type(error).__name__)
        else:
            pipe.send((epsilon, time.process_time() - start))


class Peer:
    def __init__(self, name: str, limit: float) -> None:
        self.name, self.limit = name, limit
        self.start()

    def start(self) -> None:
        self.pipe, theirs = multiprocessing.Pipe()
        self.process = multiprocessing.get_context("spawn").Process(target=serve, args=(self.name, theirs), daemon=True)
        self.process.start()
        theirs.close()
        try:
            self.pipe.recv()
        except EOFError:
            raise SystemExit(f"{self.name} does not start; what it printed above says why") from None

    def ask(self, case: Case) -> Result:
        self.pipe.send(case)
        if not self.pipe.poll(self.limit):
            self.process.kill()
            self.start()
            return Result(float("nan"), float("nan"), f"> {self.limit:g} s")
        answer = self.pipe.recv()
        if isinstance(answer, str):
            return Result(float("nan"), float("nan"), answer.splitlines()[0][:60])
        return Result(answer[0], 1000 * answer[1])


def document(parts: Parts) -> dict:
    """The event's JSON form, docs/accounting.md."""
    events = []
    for noise, rate, steps in parts:
        sampled = {"type": "poisson_sampled", "sample_rate": rate, "event": {"type": "gaussian", "noise_multiplier": noise}}
        events.append({"type": "repeated", "count": steps, "event": sampled})
    return {"version": 1, "event": {"type": "composed", "events": events}}


def ghostgrad(program: Path, case: Case) -> dict[str, Result]:
    with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
        json.dump(document(case.parts), file)
        file.flush()
        words = [str(program), "compare", "--event", file.name, "--delta", repr(case.delta), "--rounds", "1", "--json"]
        report = json.loads(subprocess.run(words, check=True, capture_output=True, text=True).stdout)
    rows = [row for row in report["accountants"] if row["supported"] and row["is_guarantee"]]
    return {f"ghostgrad {row['accountant']}": Result(float(row["epsilon"]), row["milliseconds"]) for row in rows}


def measure(case: Case, program: Path, peers: list[Peer], rounds: int) -> dict[str, Result]:
    best: dict[str, Result] = {}
    for _ in range(rounds):
        for name, result in {**ghostgrad(program, case), **{peer.name: peer.ask(case) for peer in peers if not stopped(best, peer)}}.items():
            if name not in best or result.milliseconds < best[name].milliseconds:
                best[name] = result
    return best


def stopped(best: dict[str, Result], peer: Peer) -> bool:
    return peer.name in best and bool(best[peer.name].remark)


def rows_of(case: Case, results: dict[str, Result]) -> list[dict]:
    """What a table shows, as text: a remark where there is no number."""
    own = results["ghostgrad pld"].milliseconds

    def number(value: float, form: str) -> str:
        return "-" if value != value else format(value, form)

    return [
        {
            "case": case.name,
            "accountant": name,
            "epsilon": number(result.epsilon, ".6f"),
            "ms": result.remark or number(result.milliseconds, ".3g"),
            "against ghostgrad pld": number(result.milliseconds / own, ".2g") + ("" if result.remark else " x"),
        }
        for name, result in results.items()
    ]


def table(rows: list[dict]) -> str:
    columns = list(rows[0])
    lines = [columns, ["---"] * len(columns)] + [[row[column] for column in columns] for row in rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def header(program: Path) -> dict:
    """As that of the other reports, but for a program that knows no torch."""
    own = subprocess.run([str(program), "--version"], check=True, capture_output=True, text=True).stdout.split()[-1]
    known = versions("dp_accounting", "opacus", "torch", "numpy", "scipy")
    return {"machine": machine(), "versions": {"ghostgrad": own, **known}, "commit": commit()}


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(description="ghostgrad's accountants against dp_accounting and Opacus")
    parser.add_argument("--program", type=Path, default=Path("build/release/bin/ghostgrad"))
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--limit", type=float, default=120.0, help="seconds that a peer may take for one case")
    parser.add_argument("--only", default="", help="only cases with this in their name")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args(arguments)
    peers = [Peer(name, options.limit) for name, (package, _) in PEERS.items() if installed(package)]
    rows = []
    for case in (case for case in CASES if options.only in case.name):
        print(f"measuring {case.name}", file=sys.stderr)
        rows += rows_of(case, measure(case, options.program, peers, options.rounds))
    head = header(options.program)
    if options.json:
        print(json.dumps({**head, "rounds": options.rounds, "rows": rows}, indent=2))
    else:
        print(table(rows))
        print("\n" + ", ".join([head["machine"]["processor"], *(f"{name} {version}" for name, version in head["versions"].items())]))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
