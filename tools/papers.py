# SPDX-License-Identifier: Apache-2.0
"""What the four papers report beside what was measured here. A number stands here only if the text that states it was read: abstracts, a
caption, and the README files of the authors' own programs; docs/benchmarks.md says which tables are missing.

    TABLES["bench-orderings"](root)
"""

from dataclasses import dataclass
from pathlib import Path

from reports import Row, in_order, lines_of, private, rows_of, short

NOISE = 0.05  # a method counts as no slower than another within this share


def at(rows: list[Row], model: str, method: str, key: str = "median_ms") -> float:
    return next(row[key] for row in rows if row["model"] == model and row["method"] == method)


class Measured:
    """Numbers of this machine by model and method."""

    def __init__(self, root: Path) -> None:
        self.results, self.zoo, self.memory = (rows_of(root, name) for name in ("results", "zoo", "memory"))

    def speed_up(self, rows: list[Row], model: str, slow: str, fast: str) -> float:
        return at(rows, model, slow) / at(rows, model, fast)

    def slowdown(self, model: str, method: str) -> float:
        return at(self.zoo, model, method, "ratio")

    def memory_over_ordinary(self, model: str, method: str) -> float:
        return at(self.zoo, model, method, "peak_bytes") / at(self.zoo, model, "non_private", "peak_bytes")

    def count(self, model: str, slow: str, fast: str, key: str) -> float:
        """Quotient of operations: of this library (`formula_ratio`) or as the papers do it (`paper_ratio`)."""
        return at(self.zoo, model, slow, key) / at(self.zoo, model, fast, key)

    def largest(self, model: str, many: str, few: str) -> float:
        fits = {row["method"]: row["largest_batch"] for row in self.memory if row["model"] == model}
        return fits[many] / max(1, fits[few])


Claim = tuple[str, str, str, float]  # source, quotient, published, here


def claims_of_lee20(here: Measured) -> list[Claim]:
    loop = "one example at a time / ReweightGP, "
    rows = [("[Lee20], abstract", loop + "MLP 784-512-256-10", "54 to 94", here.speed_up(here.results, "mlp", "naive", "reweight"))]
    names = {"mlp_128_256": "MLP 784-128-256-10", "cnn_20_50": "CNN", "rnn": "RNN", "lstm": "LSTM", "transformer_200": "transformer"}
    for model, name in names.items():
        rows.append(("[Lee20], abstract", loop + name, "54 to 94", here.speed_up(here.zoo, model, "naive", "reweight")))
    return rows


def claims_of_bu22(here: Measured) -> list[Claim]:
    ordinary, abstract = " / ordinary training, ", "[Bu22], abstract"
    rows = []
    for model, name in (("vgg19", "VGG-19"), ("resnet18", "ResNet-18"), ("resnet50", "ResNet-50"), ("beit_tiny", "BEiT"), ("vit_base", "ViT")):
        rows.append((abstract, "mixed ghost clipping" + ordinary + name, "below 2", here.slowdown(model, "mixed_ghost")))
    for model, name in (("vgg19", "VGG-19"), ("resnet18", "ResNet-18"), ("vit_base", "ViT")):
        rows.append(
            (abstract, "memory of mixed ghost clipping" + ordinary + name, "1.01 to 1.10", here.memory_over_ordinary(model, "mixed_ghost"))
        )
    rows.append((abstract, "Opacus / mixed ghost clipping, VGG-19", "3", here.speed_up(here.zoo, "vgg19", "per_example", "mixed_ghost")))
    rows.append((abstract, "largest batches, the other way round, VGG-19", "18", here.largest("vgg19", "mixed_ghost", "per_example")))
    rows.append(("[Bu22], private_vision", "ghost clipping" + ordinary + "CNN 3x32x32", "above 5", at(here.results, "deep_cnn", "ghost", "ratio")))
    return rows


def claims_of_bu22bk(here: Measured) -> list[Claim]:
    ordinary, abstract = " / ordinary training, ", "[Bu22bk], abstract"
    rows = []
    for model, name in (("gpt2_small", "GPT-2 small"), ("gpt2_medium", "GPT-2 medium")):
        count = lambda slow, fast, key: here.count(model, slow, fast, key)
        rows += [
            (abstract, "book-keeping" + ordinary + name, "1 / 0.83 = 1.20", here.slowdown(model, "bk")),
            (abstract, "operations of the same", "1.03", count("bk", "non_private", "paper_ratio")),
            (abstract, "ghost clipping / book-keeping, " + name, "1.36", here.speed_up(here.zoo, model, "ghost", "bk")),
            (abstract, "operations of the same, as the papers do it", "1 / 0.61 = 1.64", count("ghost", "bk", "paper_ratio")),
            (abstract, "operations of the same, as we do it", "", count("ghost", "bk", "formula_ratio")),
            (abstract, "memory of book-keeping" + ordinary + name, "below 1.01", here.memory_over_ordinary(model, "bk")),
        ]
    for model, name in (("gpt2_small", "GPT-2 small"), ("vit_base", "ViT"), ("resnet18", "ResNet-18")):
        rows.append(("[Bu22bk], fastDP", "MixOpt" + ordinary + name, "below 1.25", here.slowdown(model, "bk_mixed_opt")))
        rows.append(("[Bu22bk], fastDP", "memory of the same", "below 1.20", here.memory_over_ordinary(model, "bk_mixed_opt")))
    return rows


def claims_of_beltran24(here: Measured) -> list[Claim]:
    rows = []
    for model, name in (("vit_tiny", "ViT-tiny"), ("vit_base", "ViT-base"), ("resnet18", "ResNet-18"), ("resnet50", "ResNet-50")):
        halving = here.slowdown(model, "ghost") / here.slowdown(model, "per_example")
        rows.append(("[Beltran24], abstract", f"Opacus / ordinary training, {name}", "2.6 to 8", here.slowdown(model, "per_example")))
        rows.append(("[Beltran24], abstract", f"ghost clipping / Opacus, {name}", "about 0.5", halving))
    compiled = "per-example gradients, compiled and masked / ordinary training, ViT-base"
    rows.append(("[Beltran24], abstract of an earlier version", compiled, "about 1.2", here.slowdown("vit_base", "per_example")))
    return rows


def published_table(root: Path) -> str:
    """Quotients that the papers state, and the same quotients here; `Opacus` is our per_example."""
    here = Measured(root)
    claims = [claim for claims in (claims_of_lee20, claims_of_bu22, claims_of_bu22bk, claims_of_beltran24) for claim in claims(here)]
    return lines_of([("source", "quotient", "published", "here"), *((*words, f"{value:.2f}") for *words, value in claims)])


@dataclass(frozen=True)
class Ordering:
    """What should be no faster than what: pairs of methods."""

    name: str
    pairs: tuple[tuple[str, str], ...]

    def cell(self, rows: dict[str, Row]) -> str:
        known = [(slow, fast) for slow, fast in self.pairs if slow in rows and fast in rows]
        ratio = lambda method: rows[method]["ratio"]
        wrong = [(slow, fast) for slow, fast in known if ratio(slow) < (1 - NOISE) * ratio(fast)]
        if not known:
            return "-"
        told = (f"`{slow}` {short(ratio(slow))} < `{fast}` {short(ratio(fast))}" for slow, fast in wrong)
        return "**no**: " + ", ".join(told) if wrong else "yes"


@dataclass(frozen=True)
class Collapse:
    """Plain ghost norms cost `least` ordinary steps, where they take half again as many operations as the published mixture."""

    name: str
    least: float

    def cell(self, rows: dict[str, Row]) -> str:
        if not {"ghost", "mixed_ghost"} <= set(rows) or rows["ghost"]["operations"] < 1.5 * rows["mixed_ghost"]["operations"]:
            return "-"
        ratio = rows["ghost"]["ratio"]
        return f"yes: {short(ratio)}" if ratio >= (1 - NOISE) * self.least else f"**no**: {short(ratio)}"


LOOPS = tuple((loop, other) for loop in ("naive", "multi_loss") for other in ("per_example", "reweight"))
ORDERINGS = (
    Ordering("[Lee20]: loops are slowest", LOOPS),
    Collapse("[Bu22]: plain ghost norms collapse to 5 x", 5.0),
    Ordering("[Bu22]: mixing never loses", (("ghost", "mixed_ghost"), ("reweight", "mixed_ghost"))),
    Ordering("[Bu22bk]: one backward beats two", (("ghost", "bk"), ("mixed_ghost", "bk_mixed_ghost"))),
    Ordering("[Bu22bk]: each step helps", (("bk", "bk_mixed_ghost"), ("bk_mixed_ghost", "bk_mixed_opt"))),
)


def orderings_table(root: Path) -> str:
    """Every ordering on every model that was measured."""
    rows = [row for name in ("results", "zoo") for row in rows_of(root, name)]
    lines = [("model", *(ordering.name for ordering in ORDERINGS))]
    for model in in_order(row["model"] for row in rows):
        found = {row["method"]: row for row in rows if row["model"] == model}
        lines.append((f"`{model}`", *(ordering.cell(found) for ordering in ORDERINGS)))
    return lines_of(lines)


def first_out_table(root: Path) -> str:
    """Which method runs out of memory first. Methods whose search ended at its limit are not bounded by memory."""
    memory = rows_of(root, "memory")
    lines = [("model", "fewest examples", "next", "instantiating all runs out first")]
    for model in in_order(row["model"] for row in memory):
        bounded = [row for row in private(memory) if row["model"] == model and not row["is_limit"]]
        fewest, following = sorted(bounded, key=lambda row: row["largest_batch"])[:2]
        told = (f"`{row['method']}` {row['largest_batch']}" for row in (fewest, following))
        lines.append((f"`{model}`", *told, "yes" if fewest["method"] == "per_example" else "**no**"))
    return lines_of(lines)


TABLES = {"bench-published": published_table, "bench-orderings": orderings_table, "bench-first-out": first_out_table}
