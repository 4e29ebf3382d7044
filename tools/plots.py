# SPDX-License-Identifier: Apache-2.0
"""Pictures of what `ghostgrad bench --json` measured, as SVG that is the same on every machine.

    PLOTS["docs/ratios.svg"](root)
"""

from pathlib import Path

from reports import in_order, private, rows_of

COLOURS = ("#4477aa", "#ee6677", "#228833", "#ccbb44", "#66ccee", "#aa3377", "#bbbbbb", "#000000", "#999933", "#882255")


class Svg:
    """Lines of a picture, coordinates in pixels."""

    def __init__(self, width: int, height: int) -> None:
        font = 'font-family="sans-serif" font-size="11"'
        self.lines = [f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" {font}>']
        self.bar(0, 0, width, height, "white")

    def text(self, x: float, y: float, words: str, anchor: str = "start", turn: int = 0) -> None:
        turned = f' transform="rotate({turn} {x:.1f} {y:.1f})"' if turn else ""
        self.lines.append(f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}"{turned}>{words}</text>')

    def bar(self, x: float, y: float, width: float, height: float, colour: str) -> None:
        self.lines.append(f'<rect x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{max(height, 0.5):.1f}" fill="{colour}"/>')

    def rule(self, x0: float, y0: float, x1: float, y1: float, colour: str = "#cccccc") -> None:
        self.lines.append(f'<line x1="{x0:.1f}" y1="{y0:.1f}" x2="{x1:.1f}" y2="{y1:.1f}" stroke="{colour}"/>')

    def curve(self, points: list[tuple[float, float]], colour: str) -> None:
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
        self.lines.append(f'<polyline fill="none" stroke="{colour}" stroke-width="1.5" points="{path}"/>')

    def done(self) -> str:
        return "\n".join([*self.lines, "</svg>", ""])


def bars(title: str, groups: list[str], names: list[str], values: dict[tuple[str, str], float], top: float, marks: list[float]) -> str:
    """Bars of each name within each group; those above `top` are cut off and say their number."""
    left, height, bottom, width = 40, 220, 300, 14
    group_width = width * len(names) + 16
    across = max(group_width * len(groups), 150 * min(4, len(names)))
    svg = Svg(left + across + 10, bottom + 60 + 16 * ((len(names) + 3) // 4))
    svg.text(left, 20, title)
    y_of = lambda value: bottom - height * min(value, top) / top
    for mark in marks:
        svg.rule(left, y_of(mark), left + group_width * len(groups), y_of(mark))
        svg.text(left - 4, y_of(mark) + 4, f"{mark:g}", "end")
    for g, group in enumerate(groups):
        start = left + group_width * g + 8
        for k, name in enumerate(names):
            value = values.get((group, name))
            if value is None:
                continue
            svg.bar(start + width * k, y_of(value), width - 2, bottom - y_of(value), COLOURS[k % len(COLOURS)])
            if value > top:
                svg.text(start + width * k + 10, bottom - height - 4, f"{value:.0f}", turn=-60)
        svg.text(start + width * len(names) / 2, bottom + 16, group, "middle")
    for k, name in enumerate(names):
        x, y = left + 150 * (k % 4), bottom + 44 + 16 * (k // 4)
        svg.bar(x, y - 9, 10, 10, COLOURS[k % len(COLOURS)])
        svg.text(x + 14, y, name)
    return svg.done()


def drawn(title: str, rows: list[dict], value, top: float, marks: list[float]) -> str:
    values = {(row["model"], row["method"]): value(row) for row in rows}
    return bars(title, in_order(row["model"] for row in rows), in_order(row["method"] for row in rows), values, top, marks)


def ratios_plot(root: Path) -> str:
    rows = private(rows_of(root, "zoo"))
    return drawn("time of a step / time of an ordinary step", rows, lambda row: row["ratio"], 4.0, [1, 2, 3, 4])


def memory_plot(root: Path) -> str:
    rows = rows_of(root, "memory")
    most = {row["model"]: row["largest_batch"] for row in rows if row["method"] == "non_private"}
    title = "largest physical batch / largest of ordinary training, under one cap of memory"
    return drawn(title, private(rows), lambda row: row["largest_batch"] / most[row["model"]], 1.0, [0.25, 0.5, 0.75, 1])


def scaling_plot(root: Path) -> str:
    """Speed-up over workers, of which all beyond two are simulated."""
    rows = rows_of(root, "scaling")
    left, bottom, side, most = 40, 320, 280, max(row["workers"] for row in rows)
    place = lambda workers, speed_up: (left + side * workers / most, bottom - side * speed_up / most)
    svg = Svg(left + side + 130, bottom + 50)
    svg.text(left, 20, "speed-up over workers: a SIMULATION; squares are measured, on 1 and 2")
    svg.rule(left, bottom, left + side, bottom)
    svg.rule(left, bottom, left, bottom - side)
    svg.curve([place(0, 0), place(most, most)], "#cccccc")
    for workers in (20, 40, 60, 80):
        svg.text(place(workers, 0)[0], bottom + 16, str(workers), "middle")
        svg.text(left - 4, place(0, workers)[1] + 4, str(workers), "end")
    svg.text(left + side / 2, bottom + 36, "workers", "middle")
    for k, method in enumerate(in_order(row["method"] for row in rows)):
        points = [place(row["workers"], row["model_speed_up"]) for row in rows if row["method"] == method]
        svg.curve(points, COLOURS[k])
        for row in rows:
            if row["method"] == method and not row["simulated"]:
                x, y = place(row["workers"], row["speed_up"])
                svg.bar(x - 2, y - 2, 4, 4, COLOURS[k])
        svg.text(left + side + 6, points[-1][1] + 4, method)
    return svg.done()


PLOTS = {"docs/ratios.svg": ratios_plot, "docs/largest-batch.svg": memory_plot, "docs/scaling.svg": scaling_plot}
