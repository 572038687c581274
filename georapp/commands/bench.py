"""`georapp bench`: a table of speeds and memory."""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import asdict

from rich.console import Console
from rich.table import Table

from georapp import cli, models, paths
from georapp.bench import Figure, measure


def run(options: argparse.Namespace) -> int:
    """Measures only; it never judges, because machines differ."""
    model = models.find(options.model)
    path = options.photo or paths.resources() / "demo" / "china.jpg"
    figures = []
    for figure in measure(model, path, threads=options.threads, rounds=options.rounds):
        figures.append(figure)
        if sys.stderr.isatty():
            sys.stderr.write(f"\r\033[K{figure.name}")
    if sys.stderr.isatty():
        sys.stderr.write("\r\033[K")
    if options.format == "json":
        sys.stdout.write(json.dumps([asdict(figure) for figure in figures], indent=1) + "\n")
    else:
        Console(highlight=False).print(_table(figures))
    return cli.EXIT_GOOD


def _table(figures: list[Figure]) -> Table:
    table = Table(box=None, pad_edge=False)
    table.add_column("measured")
    for column in ("median", "from", "to"):
        table.add_column(column, justify="right")
    table.add_column("unit")
    table.add_column("wanted")
    for f in figures:
        table.add_row(
            f.name, *(f"{value:,.2f}" if value < 100 else f"{value:,.0f}" for value in (f.value, f.low, f.high)), f.unit, f.wanted
        )
    return table
