"""The plots of docs/performance.md, in one style."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import matplotlib

matplotlib.use("svg")
from matplotlib import pyplot as plt  # noqa: E402
from matplotlib.axes import Axes  # noqa: E402
from matplotlib.ticker import NullFormatter  # noqa: E402

from .goals import median  # noqa: E402

COLOURS = {
    "base": "#888888",
    "ours": "#0b62a4",
    "ours-info": "#6aaed6",
    "kube-rs": "#d9822b",
    "indexed": "#2e8b57",
    "listing": "#b03a48",
}
LABELS = {
    "base": "base: Beast, asio::ssl, simdjson",
    "ours": "this server, warn",
    "ours-info": "this server, info",
    "kube-rs": "kube-rs, axum",
    "indexed": "controller-runtime, index",
    "listing": "controller-runtime, listing",
}
Raw = dict[str, Any]


def draw(raw: Raw, folder: Path) -> None:
    """Those of what was measured."""
    folder.mkdir(parents=True, exist_ok=True)
    style = {
        "svg.fonttype": "none",
        # The same input gives the same file.
        "svg.hashsalt": "compare",
        "font.family": "sans-serif",
        "font.size": 10,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.grid": True,
        "grid.color": "#dddddd",
        "axes.axisbelow": True,
        "figure.figsize": (7.5, 3.8),
    }
    with plt.rc_context(style):
        if "closed" in raw:
            _save(_cpu, raw["closed"], folder / "cpu.svg")
        if "latency" in raw:
            _save(_latency, raw["latency"]["load"], folder / "latency.svg")
        if "growth" in raw:
            _save(_growth, raw["growth"]["backups"], folder / "growth.svg")
            _save(_memory, raw["growth"]["backups"], folder / "memory.svg")


def _save(plot: Any, found: Raw, path: Path) -> None:
    figure, axes = plt.subplots()
    figure.patch.set_facecolor("white")
    plot(axes, found)
    for axis in (axes.xaxis, axes.yaxis):
        if axis.get_scale() == "log":
            axis.set_major_formatter(lambda value, _: f"{value:,.10g}")
            axis.set_minor_formatter(NullFormatter())
    if axes.get_yscale() == "log":
        axes.set_ylim(bottom=10 ** math.floor(math.log10(axes.get_ylim()[0])))
    figure.tight_layout()
    figure.savefig(path, metadata={"Date": None})
    plt.close(figure)


def _cpu(axes: Axes, found: Raw) -> None:
    names = list(found)[::-1]
    values = [median(found[name], "cpu_us") for name in names]
    keys = [name.partition(",")[0] for name in names]
    labels = [LABELS[key] + name[len(key) :] for key, name in zip(keys, names)]
    bars = axes.barh(labels, values, color=[COLOURS[key] for key in keys])
    texts = [f"{value:,.1f}" if value < 100 else f"{value:,.0f}" for value in values]
    axes.bar_label(bars, texts, padding=3)
    axes.set_xscale("log")
    axes.set_xlim(1, max(values) * 4)
    axes.grid(visible=False, axis="y")
    axes.set_xlabel("µs of CPU per review (logarithmic)")
    axes.set_title("CPU per review, TLS and all", loc="left")


def _latency(axes: Axes, found: Raw) -> None:
    for name, server in found.items():
        rates = [result["rate"] for result in server["rates"]]
        for column, line in (("p99_ms", "-"), ("p999_ms", ":")):
            values = [result[column] for result in server["rates"]]
            label = LABELS[name] if line == "-" else None
            style = {"marker": "o", "markersize": 3, "color": COLOURS[name]}
            axes.plot(rates, values, line, label=label, **style)
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.set_xlabel("reviews a second, constant rate, up to 0.9 of what the server can")
    axes.set_ylabel("ms")
    axes.set_title("Latency over load: p99, dotted p99.9", loc="left")
    axes.legend(frameon=False, fontsize=9)


def _growth(axes: Axes, found: Raw) -> None:
    _by_count(axes, found, "cpu_us")
    axes.set_ylabel("µs of CPU per review")
    axes.set_title("CPU per review over the number of CheckpointBackups", loc="left")


def _memory(axes: Axes, found: Raw) -> None:
    _by_count(axes, found, "rss_mb")
    axes.set_ylabel("MB resident")
    axes.set_title("Memory over the number of CheckpointBackups, under load", loc="left")


def _by_count(axes: Axes, found: Raw, column: str) -> None:
    for name, counts in found.items():
        numbers = sorted(int(count) for count in counts)
        values = [median(counts[str(number)], column) for number in numbers]
        style = {"marker": "o", "markersize": 4, "color": COLOURS[name]}
        axes.plot(numbers, values, label=LABELS[name], **style)
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.set_xlabel("CheckpointBackups in the namespace")
    axes.legend(frameon=False, fontsize=9)
