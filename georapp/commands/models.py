"""`georapp models list | check | import`."""

from __future__ import annotations

import argparse
import sys

from rich.console import Console
from rich.table import Table
from rich.text import Text

from georapp import cli, models
from georapp.errors import ModelError
from georapp.printable import printable


def run(options: argparse.Namespace) -> int:
    """Exit code 1 when a check failed."""
    actions = {"list": _list, "check": _check, "import": _import}
    return actions[options.action](options)


def _list(_options: argparse.Namespace) -> int:
    table = Table("name", "kind", "MB", "profile", "about", box=None, pad_edge=False)
    for folder in models.folders():
        try:
            model = models.read(folder)
        except ModelError as error:
            table.add_row(Text(printable(folder.name)), Text("damaged", style="red"), "", "", Text(str(error)))
            continue
        size = sum(file.bytes for file in model.files) / 1e6
        default = " (default)" if model.name == models.DEFAULT else ""
        table.add_row(
            Text(printable(model.name) + default),
            Text(printable(model.family)),
            f"{size:,.0f}",
            model.profile,
            Text(printable(model.title)),
        )
    Console(highlight=False).print(table)
    return cli.EXIT_GOOD


def _check(options: argparse.Namespace) -> int:
    model = models.find(options.model)
    console = Console(highlight=False)
    console.print(Text(f"{printable(model.name)} in {printable(str(model.folder))}", style="bold"))
    good = True
    for finding in models.check(model):
        good &= finding.good
        console.print(
            Text("  ✓ " if finding.good else "  ✗ ", style="green" if finding.good else "red").append(printable(finding.sentence))
        )
    return cli.EXIT_GOOD if good else cli.EXIT_SOME_FAILED


def _import(options: argparse.Namespace) -> int:
    from georapp.model_import import ImportRequest, adopt, import_model

    terminal = sys.stderr.isatty()

    def progress(done: int, total: int) -> None:
        if terminal:
            sys.stderr.write(f"\r{done / 1e6:,.0f} of {total / 1e6:,.0f} MB")

    if options.text.is_dir():
        model = adopt(options.text, progress)
    elif options.image is None:
        raise ModelError(
            "A text model alone sees no photos.", hint="Name its MMPROJ.gguf too: georapp models import TEXT.gguf MMPROJ.gguf"
        )
    else:
        request = ImportRequest(options.text, options.image, options.adapter, options.name, options.profile, options.link)
        model = import_model(request, progress)
    if terminal:
        sys.stderr.write("\n")
    Console(highlight=False).print(
        Text(f"{printable(model.name)} was added. Use it with: georapp locate --model {printable(model.name)} PHOTO")
    )
    return cli.EXIT_GOOD
