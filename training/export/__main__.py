"""python -m training.export text|mmproj|lora SOURCE OUT: writes one GGUF file; see the package."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from georapp.errors import GeorappError
from training.export import KINDS, new_pair, write_lora, write_mmproj, write_text


def main(arguments: list[str] | None = None) -> int:
    """Run the command line. 0 when the file was written, 1 with a sentence on stderr when not."""
    asked = _parser().parse_args(arguments)
    pair = new_pair() if asked.pair == "new" else asked.pair
    try:
        if asked.what == "lora":
            write_lora(asked.source, asked.out, base=asked.base, kind=asked.type, pair=pair)
        else:
            write = write_text if asked.what == "text" else write_mmproj
            write(asked.source, asked.out, kind=asked.type, pair=pair)
    except GeorappError as error:
        print(f"{error} {error.hint}".strip(), file=sys.stderr)
        return 1
    print(f"{asked.out}: {asked.out.stat().st_size / 1e6:.1f} MB" + (f", pair {pair}" if pair else ""))
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m training.export", description="Writes GGUF files for llama.cpp.")
    commands = parser.add_subparsers(dest="what", required=True)
    for what, help_text in (
        ("text", "the text model of a Hugging Face folder"),
        ("mmproj", "the image part of a Hugging Face folder"),
        ("lora", "a peft adapter folder"),
    ):
        command = commands.add_parser(what, help=help_text)
        command.add_argument("source", type=Path)
        command.add_argument("out", type=Path)
        command.add_argument("--type", choices=KINDS, default="f16", help="type of the large matrices (default: %(default)s)")
        command.add_argument("--pair", help="id that all files of a model share; 'new' makes one and prints it")
        if what == "lora":
            command.add_argument("--base", type=Path, required=True, help="the text GGUF that the adapter is for")
    return parser


if __name__ == "__main__":
    sys.exit(main())
