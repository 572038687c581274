"""run.toml: the settings of a training run as a file that people edit. What is not written keeps its default."""

from __future__ import annotations

import contextlib
import dataclasses
import difflib
import os
import tomllib
import typing
from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

from georapp.errors import RunError
from georapp.run_settings import VERSION, RunConfig, Section, key_of, sections_of, settings_of, shown, written


def parse(text: str) -> RunConfig:
    """The inverse of `text_of`; what is not written keeps its default. Raises RunError."""
    try:
        data = tomllib.loads(text)
    except (ValueError, RecursionError) as error:  # ValueError also for a number of 5000 digits
        raise RunError(f"run.toml cannot be read as TOML: {error}.", hint="Correct that line, or make a new run.") from error
    return from_values(data)


def from_values(data: Mapping[str, Any]) -> RunConfig:
    """Of tables and values as TOML reads them. Raises RunError."""
    if isinstance(version := data.get("version"), int) and version > VERSION:
        raise RunError("run.toml was made by a newer version of georapp.", hint="Update this program, or make a new run.")
    return typing.cast(RunConfig, _section_from(RunConfig, data))


def text_of(config: RunConfig) -> str:
    """All settings with their values and a word about each. Raises RunError for text that no file can hold."""
    parts = ["# Settings of a georapp training run. What is left out keeps its default.", *_lines(config)]
    for section in sections_of(config):
        parts += ["", f"[{section.SECTION}]", *_lines(section)]
    text = "\n".join(parts) + "\n"
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise RunError("A setting holds characters that cannot be written.", hint="Rename the file or folder.") from error
    return text


def read(path: Path) -> RunConfig:
    """Raises RunError when the file is missing, damaged or impossible."""
    try:
        text = path.read_bytes().decode()
    except OSError as error:
        raise RunError(f"{path} cannot be read: {(error.strerror or str(error)).lower()}.") from error
    except UnicodeDecodeError as error:
        raise RunError(f"{path} is no text in UTF-8.", hint="Make a new run, or save the file as UTF-8.") from error
    return parse(text)


def write(config: RunConfig, path: Path) -> None:
    """All or nothing: a temporary file takes the place of the old one. Raises RunError."""
    text = text_of(config)
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        with part.open("w", encoding="utf-8", newline="\n") as out:
            out.write(text)
            out.flush()
            os.fsync(out.fileno())
        part.replace(path)
    except OSError as error:
        with contextlib.suppress(OSError):
            part.unlink(missing_ok=True)
        raise RunError(f"{path} cannot be written: {(error.strerror or str(error)).lower()}.") from error


def _section_from(kind: type[RunConfig | Section], data: Mapping[str, Any]) -> RunConfig | Section:
    hints = typing.get_type_hints(kind)
    known = [f.name for f in fields(kind)]
    values: dict[str, Any] = {}
    for name, value in data.items():
        if name not in known:
            raise _unknown(key_of(kind, name), known)
        is_section = dataclasses.is_dataclass(hints[name])
        if is_section and not isinstance(value, dict):
            raise RunError(f"{name} cannot be {shown(value)}: it is a section.", hint=f"Write [{name}] above its settings.")
        values[name] = _section_from(hints[name], value) if is_section else _frozen(value)
    return kind(**values)


def _unknown(key: str, known: list[str]) -> RunError:
    near = difflib.get_close_matches(key.rpartition(".")[2], known, 1)
    advice = f"Did you mean {near[0]}? " if near else ""
    return RunError(f"run.toml has an unknown setting, {key}.", hint=f"{advice}Allowed here: {', '.join(known)}.")


def _frozen(value: Any) -> Any:
    return tuple(_frozen(one) for one in value) if isinstance(value, list) else value


def _lines(section: RunConfig | Section) -> list[str]:
    hints = typing.get_type_hints(type(section))
    return [
        f"{f.name} = {written(_exact(getattr(section, f.name), hints[f.name]))}  # {f.metadata['about']}"
        for f in settings_of(section)
    ]


def _exact(value: Any, kind: Any) -> Any:
    if typing.get_origin(kind) is tuple:
        return tuple(_exact(one, typing.get_args(kind)[0]) for one in value)
    return float(value) if kind is float else value
