"""python -m training.new RUN_FOLDER --base MODEL --photos FOLDER_OR_TABLE...: a new run, ready to be started. Needs no torch."""

from __future__ import annotations

import argparse
import dataclasses
import sys
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from georapp import run_toml
from georapp.errors import RunError
from georapp.run_events import CONFIG
from georapp.run_presets import PRESETS
from georapp.run_settings import RunConfig

NO_PRESET = "none"


def make(folder: Path, settings: RunConfig) -> Path:
    """The run.toml of a new run folder. Raises RunError when a run is there already, or the disk does not take it."""
    file = folder / CONFIG
    if file.exists():
        raise RunError(
            f"{folder} holds a run already.", hint=f"Choose another folder, or go on with it: python -m training {folder}"
        )
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise RunError(f"{folder} cannot be made: {(error.strerror or str(error)).lower()}.") from error
    run_toml.write(settings, file)
    return file


def settings_of(base: Path, sources: Sequence[Path], preset: str, changes: Sequence[str]) -> RunConfig:
    """A preset with the model, the photos, and changes like "grpo.max_steps=100". Raises RunError for what is not possible."""
    start = RunConfig() if preset == NO_PRESET else PRESETS[int(preset)].config
    values = tomllib.loads(run_toml.text_of(start))
    values["model"]["base"] = str(base.resolve())
    values["album"]["sources"] = [str(source.resolve()) for source in sources]
    for change in changes:
        _apply(values, change)
    return run_toml.from_values(values)


def _apply(values: dict[str, Any], change: str) -> None:
    key, equals, text = change.partition("=")
    section, dot, name = key.strip().partition(".")
    if not equals:
        raise RunError(f"{change!r} sets nothing.", hint="Write for example grpo.max_steps=100.")
    place = values.setdefault(section, {}) if dot else values
    if not isinstance(place, dict):
        raise RunError(f"{section} is no section of run.toml.", hint="Write for example grpo.max_steps=100.")
    place[name if dot else section] = _value(text.strip())


def _value(text: str) -> Any:
    """As TOML reads it; a bare word is a text."""
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        return text


def main(argv: Sequence[str] | None = None) -> int:
    """The exit code: 0 made, 1 not possible, with a sentence on standard error."""
    options = _parser().parse_args(argv)
    try:
        settings = settings_of(options.base, options.photos, options.preset, options.set)
        file = make(options.folder, dataclasses.replace(settings, name=settings.name or options.folder.name))
    except RunError as error:
        print(" ".join(part for part in (str(error), error.hint) if part), file=sys.stderr)
        return 1
    print(f"{file} was written; every setting stands in it with a word about it. Start: python -m training {options.folder}")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m training.new", description=__doc__)
    parser.add_argument("folder", type=Path, metavar="RUN_FOLDER")
    parser.add_argument(
        "--base", type=Path, required=True, metavar="MODEL", help="Hugging Face folder of the model to begin with"
    )
    parser.add_argument(
        "--photos",
        type=Path,
        nargs="+",
        required=True,
        metavar="SOURCE",
        help="folders of photos, tables (.csv), cases (.georapp)",
    )
    sizes = [NO_PRESET, *map(str, PRESETS)]
    parser.add_argument("--preset", choices=sizes, default=NO_PRESET, help="settings for a GPU with so many GB")
    parser.add_argument("--set", nargs="*", default=[], metavar="SECTION.KEY=VALUE", help="single settings")
    return parser


if __name__ == "__main__":
    sys.exit(main())
