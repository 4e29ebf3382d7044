# SPDX-License-Identifier: Apache-2.0
"""Tables of what `ghostgrad bench --json` measured. The kept results lie in bench/*.json; documents show only what is made of them.

    TABLES["bench"](root)       Markdown of bench/results.json
"""

from pathlib import Path

import papers
from reports import Row, in_order, lines_of, named, pivot, private, report_of, rows_of, short

def bench_table(root: Path) -> str:
    rows = named(rows_of(root, "results"))
    return pivot(rows, "method", "workload", "method", lambda row: f"{short(row['ratio'])} ({row['peak_bytes'] / 2**20:.0f} MiB)")


def error_table(root: Path) -> str:
    return pivot(named(private(rows_of(root, "results"))), "method", "workload", "method", lambda row: f"{row['error']:.0e}")


def operations_table(root: Path) -> str:
    """Operations over those of ordinary training: as we do it, and after a slash as the papers do it where that differs."""
    rows = named(rows_of(root, "zoo"))

    def cell(row: Row) -> str:
        if row["method"] == "non_private":
            return f"{row['operations'] / 1e9:.3g} G"
        ours, paper = row["formula_ratio"], row["paper_ratio"]
        return f"{ours:.2f}" + (f" / {paper:.2f}" if paper and abs(paper - ours) > 1e-9 else "")

    return pivot(rows, "workload", "method", "model", cell)


def zoo_table(root: Path) -> str:
    rows = named(private(rows_of(root, "zoo")))
    return pivot(rows, "workload", "method", "model", lambda row: f"{short(row['ratio'])} ({row['formula_ratio']:.2f})")


def bytes_table(root: Path) -> str:
    """Peak bytes beyond those of ordinary training, measured and by formula."""
    rows = named(rows_of(root, "zoo"))
    base = {row["workload"]: row["peak_bytes"] for row in rows if row["method"] == "non_private"}

    def cell(row: Row) -> str:
        return f"{(row['peak_bytes'] - base[row['workload']]) / 2**20:.0f} ({row['formula_extra_bytes'] / 2**20:.0f})"

    return pivot(private(rows), "workload", "method", "model", cell)


def throughput_table(root: Path) -> str:
    """Examples per second over the sizes of residual networks and vision transformers."""
    rows = [row for row in named(rows_of(root, "zoo")) if row["model"].startswith(("resnet", "vit"))]
    return pivot(rows, "workload", "method", "model", lambda row: f"{1000 * row['batch'] / row['median_ms']:.3g}")


def memory_table(root: Path) -> str:
    most = lambda row: ("≥ " if row["is_limit"] else "") + str(row["largest_batch"])
    return pivot(rows_of(root, "memory"), "model", "method", "model", most)


def speed_of_largest_table(root: Path) -> str:
    return pivot(rows_of(root, "memory"), "model", "method", "model", lambda row: f"{row['examples_per_second']:.3g}")


def threads_table(root: Path) -> str:
    rows = [{**row, "setting": f"{row['model']}, {row['threads']} threads, B {row['batch']}"} for row in private(rows_of(root, "sweep"))]
    return pivot(rows, "setting", "method", "model", lambda row: short(row["ratio"]))


def poisson_table(root: Path) -> str:
    lines = [("rows of a physical batch", "filling, drawn", "filling, by the law", "rows with filling / without", "time with filling / without")]
    for row in rows_of(root, "poisson"):
        shares = (f"{row[key]:.1%}" for key in ("waste", "waste_by_law"))
        lines.append((str(row["physical_batch"]), *shares, f"{row['rows_ratio']:.2f}", f"{row['time_ratio']:.2f}"))
    return lines_of(lines)


def fit_table(root: Path) -> str:
    report = report_of(root, "poisson")
    drawn = [(f"sizes of {report['logical_batches']} logical batches", report["sizes"], report["sizes"]["cells"] - 1)]
    drawn.append(("how often each example was drawn", report["inclusion"], report["inclusion"]["examples"]))
    lines = [("what was drawn", "degrees of freedom", "chi-square", "p-value")]
    return lines_of(lines + [(what, str(n), f"{fit['chi_square']:.1f}", f"{fit['p_value']:.2f}") for what, fit, n in drawn])


def scaling_table(root: Path) -> str:
    """Speed-ups over one worker: measured, where there were so many workers, and by the model; and what the last line says."""
    rows = rows_of(root, "scaling")
    methods = in_order(row["method"] for row in rows)
    lines = [("workers", *(f"`{method}`, {kind}" for method in methods for kind in ("measured", "by the model")))]
    for workers in in_order(row["workers"] for row in rows):
        found = {row["method"]: row for row in rows if row["workers"] == workers}
        told = [("-" if row["simulated"] else f"{row['speed_up']:.2f}", f"{row['model_speed_up']:.2f}") for row in found.values()]
        simulated = " (simulated)" if all(row["simulated"] for row in found.values()) else ""
        lines.append((f"{workers}{simulated}", *(cell for pair in told for cell in pair)))
    last = {row["method"]: row["model_speed_up"] for row in rows if row["workers"] == max(row["workers"] for row in rows)}
    ahead = last["auto"] / last["non_private"]
    verdict = "better than" if ahead > 1 + papers.NOISE else "worse than" if ahead < 1 - papers.NOISE else "as well as"
    return lines_of(lines) + f"\nBy the model, private training scales {verdict} ordinary training: {ahead:.2f} times the speed-up at the most workers.\n"


def accountants_table(root: Path) -> str:
    """What bench/accountants.py --json printed; its cells are text already."""
    report = report_of(root, "accountants")
    rows = report["rows"]
    about = ", ".join([report["machine"]["processor"], *(f"{name} {version}" for name, version in report["versions"].items())])
    return lines_of([tuple(rows[0]), *(tuple(row.values()) for row in rows)]) + f"\nOn {about}.\n"


def peers_table(root: Path) -> str:
    rows = [row for row in rows_of(root, "peers") if row["way"] != "ordinary"]
    return pivot(rows, "workload", "way", "model", lambda row: "fails" if row["ratio"] is None else short(row["ratio"]))


def parity_table(root: Path) -> str:
    lines = [("engine", "runs", "accuracy, mean", "standard deviation", "epsilon")]
    for row in rows_of(root, "parity"):
        lines.append((f"`{row['engine']}`", str(row["runs"]), f"{row['mean']:.2%}", f"{row['deviation']:.2%}", f"{row['epsilon']:.2f}"))
    return lines_of(lines)


TABLES = {
    "accountants": accountants_table,
    "bench": bench_table,
    "bench-errors": error_table,
    "bench-zoo": zoo_table,
    "bench-operations": operations_table,
    "bench-bytes": bytes_table,
    "bench-throughput": throughput_table,
    "bench-memory": memory_table,
    "bench-largest-speed": speed_of_largest_table,
    "bench-sweep": threads_table,
    **papers.TABLES,
    "poisson": poisson_table,
    "poisson-fit": fit_table,
    "scaling": scaling_table,
    "peers": peers_table,
    "parity": parity_table,
}
