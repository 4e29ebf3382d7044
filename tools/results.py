# SPDX-License-Identifier: Apache-2.0
"""Tables of what `ghostgrad bench --json` measured. The kept results lie in bench/*.json; documents show only what is made of them.

    TABLES["bench"](root)       Markdown of bench/results.json
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


def bench_table(root: Path) -> str:
    rows = named(rows_of(root, "results"))
    return pivot(rows, "method", "workload", "method", lambda row: f"{short(row['ratio'])} ({row['peak_bytes'] / 2**20:.0f} MiB)")


def error_table(root: Path) -> str:
    return pivot(named(private(rows_of(root, "results"))), "method", "workload", "method", lambda row: f"{row['error']:.0e}")


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
    lines = [("rows of a physical batch", "filling, drawn", "filling, by the law", "time with masks / without filling")]
    for row in rows_of(root, "poisson"):
        shares = (f"{row[key]:.1%}" for key in ("waste", "waste_by_law"))
        lines.append((str(row["physical_batch"]), *shares, f"{row['masked_over_ragged']:.2f}"))
    return lines_of(lines)


def fit_table(root: Path) -> str:
    report = report_of(root, "poisson")
    drawn = [(f"sizes of {report['logical_batches']} logical batches", report["sizes"], report["sizes"]["cells"] - 1)]
    drawn.append(("how often each example was drawn", report["inclusion"], report["inclusion"]["examples"]))
    lines = [("what was drawn", "degrees of freedom", "chi-square", "p-value")]
    return lines_of(lines + [(what, str(n), f"{fit['chi_square']:.1f}", f"{fit['p_value']:.2f}") for what, fit, n in drawn])


def scaling_table(root: Path) -> str:
    rows = rows_of(root, "scaling")
    lines = [("workers", *(f"speed-up of `{method}`" for method in in_order(row["method"] for row in rows)))]
    for workers in in_order(row["workers"] for row in rows):
        found = [row for row in rows if row["workers"] == workers]
        lines.append((f"{workers}{' (simulated)' if found[0]['simulated'] else ''}", *(f"{row['speed_up']:.2f}" for row in found)))
    return lines_of(lines)


# ---- what the papers say, and what this machine says -------------------------------------------------------------------------


def at(rows: list[Row], model: str, method: str, key: str = "median_ms") -> float:
    return next(row[key] for row in rows if row["model"] == model and row["method"] == method)


def speed_up(rows: list[Row], model: str, slow: str, fast: str) -> float:
    return at(rows, model, slow) / at(rows, model, fast)


def published_table(root: Path) -> str:
    """Quotients that the papers' abstracts state, and the same quotients here."""
    results, zoo, memory = (rows_of(root, name) for name in ("results", "zoo", "memory"))
    by_loop, ordinary = "one example at a time / ", " / ordinary training"
    fits = {row["method"]: row["largest_batch"] for row in memory if row["model"] == "vgg19"}
    slowdown = lambda model, method: at(zoo, model, method, "ratio")
    of_non_private = lambda model, method: at(zoo, model, method, "peak_bytes") / at(zoo, model, "non_private", "peak_bytes")
    by_formula = lambda model, method: at(zoo, model, method, "formula_ratio")
    halving = lambda model: slowdown(model, "ghost") / slowdown(model, "per_example")
    claims = [
        ("[Lee20]", by_loop + "ReweightGP, MLP", "54 to 94", speed_up(results, "mlp", "naive", "reweight")),
        ("[Lee20]", by_loop + "ReweightGP, RNN", "54 to 94", speed_up(zoo, "rnn", "naive", "reweight")),
        ("[Lee20]", by_loop + "book-keeping, MLP", "", speed_up(results, "mlp", "naive", "bk")),
        ("[Bu22]", "mixed ghost clipping" + ordinary + ", VGG-19", "below 2", slowdown("vgg19", "mixed_ghost")),
        ("[Bu22]", "mixed ghost clipping" + ordinary + ", ResNet-18", "below 2", slowdown("resnet18", "mixed_ghost")),
        ("[Bu22]", "mixed ghost clipping" + ordinary + ", ResNet-50", "below 2", slowdown("resnet50", "mixed_ghost")),
        ("[Bu22]", "mixed ghost clipping" + ordinary + ", BEiT", "below 2", slowdown("beit_tiny", "mixed_ghost")),
        ("[Bu22]", "memory of mixed ghost clipping" + ordinary + ", VGG-19", "1.01 to 1.10", of_non_private("vgg19", "mixed_ghost")),
        ("[Bu22]", "instantiating all / mixed ghost clipping, VGG-19", "3", speed_up(zoo, "vgg19", "per_example", "mixed_ghost")),
        ("[Bu22]", "the same in largest batches, the other way round", "18", fits["mixed_ghost"] / max(1, fits["per_example"])),
    ]
    for size in ("small", "medium"):
        model, name = f"gpt2_{size}", f", GPT-2 {size}"
        claims += [
            ("[Bu22bk]", "book-keeping" + ordinary + name, "1 / 0.83 = 1.20", slowdown(model, "bk")),
            ("[Bu22bk]", "the same in operations, by formula" + name, "1.03", by_formula(model, "bk")),
            ("[Bu22bk]", "ghost clipping / book-keeping" + name, "1.36", speed_up(zoo, model, "ghost", "bk")),
            ("[Bu22bk]", "the same in operations, by formula" + name, "1 / 0.61 = 1.64", by_formula(model, "ghost") / by_formula(model, "bk")),
            ("[Bu22bk]", "memory of book-keeping" + ordinary + name, "below 1.01", of_non_private(model, "bk")),
        ]
    for model, name in (("vit_tiny", "ViT-tiny"), ("vit_base", "ViT-base"), ("resnet18", "ResNet-18"), ("resnet50", "ResNet-50")):
        claims.append(("[Beltran24]", f"instantiating all{ordinary}, {name}", "2.6 to 8", slowdown(model, "per_example")))
        claims.append(("[Beltran24]", f"ghost clipping / instantiating all, {name}", "about 0.5", halving(model)))
    return lines_of([("paper", "quotient", "published", "here"), *((*words, f"{here:.2f}") for *words, here in claims)])


def ordering(rows: list[Row], model: str, methods: list[str]) -> tuple[str, str]:
    """Ratios of the methods, slowest first, and whether they are in that order (ties within 3 %)."""
    ratios = [at(rows, model, method, "ratio") for method in methods]
    holds = all(slow >= 0.97 * fast for slow, fast in zip(ratios, ratios[1:]))
    return " ≥ ".join(f"`{method}` {short(value)}" for method, value in zip(methods, ratios)), "yes" if holds else "**no**"


def orderings_table(root: Path) -> str:
    """Orderings that the papers report, and whether they hold here."""
    results, zoo, memory = (rows_of(root, name) for name in ("results", "zoo", "memory"))
    claims = [
        ("[Lee20]: the loops are slowest", "mlp", results, ["multi_loss", "naive", "reweight"]),
        ("[Lee20]: the loops are slowest", "rnn", zoo, ["multi_loss", "naive", "reweight"]),
        ("[Bu22]: plain ghost norms collapse where feature maps are large", "deep_cnn", results, ["ghost", "bk", "per_example"]),
        ("[Bu22]: mixing never loses", "deep_cnn", results, ["ghost", "mixed_ghost"]),
        ("[Bu22]: mixing never loses", "resnet18", zoo, ["ghost", "mixed_ghost"]),
        ("[Bu22]: mixing never loses", "resnet50", zoo, ["ghost", "mixed_ghost"]),
        ("[Bu22]: mixing never loses", "vgg19", zoo, ["ghost", "mixed_ghost"]),
        ("[Bu22bk]: each step of the three helps", "deep_cnn", results, ["bk", "bk_mixed_ghost", "bk_mixed_opt"]),
        ("[Bu22bk]: each step of the three helps", "resnet18", zoo, ["bk", "bk_mixed_ghost", "bk_mixed_opt"]),
        ("[Bu22bk]: each step of the three helps", "resnet50", zoo, ["bk", "bk_mixed_ghost", "bk_mixed_opt"]),
        ("[Bu22bk]: one backward instead of two", "gpt", results, ["ghost", "bk"]),
        ("[Bu22bk]: one backward instead of two", "gpt2_small", zoo, ["ghost", "bk"]),
        ("[Bu22bk]: one backward instead of two", "gpt2_medium", zoo, ["ghost", "bk"]),
        ("[Bu22bk]: one backward instead of two", "vit_base", zoo, ["ghost", "bk"]),
    ]
    lines = [("what", "model", "here", "holds")]
    lines += [(what, f"`{model}`", *ordering(rows, model, methods)) for what, model, rows, methods in claims]
    for model in in_order(row["model"] for row in memory):
        bounded = [row for row in private(memory) if row["model"] == model and not row["is_limit"]]
        batches = {row["method"]: row["largest_batch"] for row in bounded}
        first = batches["per_example"] == min(batches.values())
        seen = f"{batches['per_example']} examples, then {min(n for name, n in batches.items() if name != 'per_example')}"
        lines.append(("[Bu22]: instantiating all runs out of memory first", f"`{model}`", seen, "yes" if first else "**no**"))
    return lines_of(lines)


def accountants_table(root: Path) -> str:
    """What bench/accountants.py --json printed; its cells are text already."""
    report = report_of(root, "accountants")
    rows = report["rows"]
    about = ", ".join([report["processor"], *(f"{name} {version}" for name, version in report["versions"].items())])
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
    "bench-bytes": bytes_table,
    "bench-throughput": throughput_table,
    "bench-memory": memory_table,
    "bench-largest-speed": speed_of_largest_table,
    "bench-sweep": threads_table,
    "bench-published": published_table,
    "bench-orderings": orderings_table,
    "poisson": poisson_table,
    "poisson-fit": fit_table,
    "scaling": scaling_table,
    "peers": peers_table,
    "parity": parity_table,
}
