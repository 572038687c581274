"""The command line: arguments, dispatch, exit codes. Each command is a module of georapp.commands, imported when it is chosen."""

from __future__ import annotations

import argparse
import importlib
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from georapp import __version__
from georapp.errors import DatasetError, GeorappError, ModelError, ResultsError
from georapp.printable import printable

COMMANDS = ("gui", "locate", "evaluate", "models", "bench", "train", "doctor", "run-queue", "worker", "map-page")

EXIT_GOOD = 0
EXIT_SOME_FAILED = 1
EXIT_USAGE = 2  # argparse's own
EXIT_MODEL = 3
EXIT_RESULTS = 4
EXIT_INTERRUPTED = 130
EXIT_CODES = """\
exit codes:
  0    everything was done
  1    some photos, or some checks, failed; the others are done
  2    the command line is not understood
  3    the model cannot be used
  4    results or a table cannot be read or written
  130  stopped by Ctrl-C; what was done is kept
"""


def main(arguments: Sequence[str]) -> int:
    """Run one command. Errors for people go to stderr as a sentence and a hint; the exit code says which kind."""
    options = _parser().parse_args(_for_the_window(arguments))
    try:
        command = importlib.import_module(f"georapp.commands.{options.command.replace('-', '_')}")
        code: int = command.run(options)
    except KeyboardInterrupt:
        return EXIT_INTERRUPTED
    except BrokenPipeError:  # whoever read our output has enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return EXIT_GOOD
    except GeorappError as error:
        complain(error)
        return exit_code(error)
    return code


def _for_the_window(arguments: Sequence[str]) -> Sequence[str]:
    """`georapp` and `georapp PHOTO...` mean the window."""
    means_files = bool(arguments) and arguments[0] not in COMMANDS and Path(arguments[0]).exists()
    return ["gui", *arguments] if not arguments or means_files else arguments


def complain(error: GeorappError) -> None:
    """One sentence on stderr, and what to do about it."""
    lines = [f"georapp: {printable(str(error))}", *([f"         {printable(error.hint)}"] if error.hint else [])]
    sys.stderr.write("\n".join(lines) + "\n")


def exit_code(error: GeorappError) -> int:
    """The exit code for an error that ends a command."""
    if isinstance(error, ModelError):
        return EXIT_MODEL
    return EXIT_RESULTS if isinstance(error, ResultsError | DatasetError) else EXIT_SOME_FAILED


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="georapp",
        description="Says where a photo was taken, offline, region by region, and how sure it is. Answers are leads, not proof.",
        epilog=EXIT_CODES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"georapp {__version__}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    _add_gui(commands)
    _add_locate(commands)
    _add_evaluate(commands)
    _add_models(commands)
    _add_bench(commands)
    _add_train(commands)
    _add_doctor(commands)
    queue = commands.add_parser("run-queue", help="starts the training runs that wait (started by the window)")
    queue.add_argument("--python", metavar="PYTHON", help="the Python that has torch (default: this one)")
    commands.add_parser("worker", help="the inference process (started by the other commands)")
    page = commands.add_parser("map-page", help="the page of the window's map (asked for by the window)")
    page.add_argument("--dark", action="store_true")
    return parser


type_of_commands = argparse._SubParsersAction  # the only name that argparse has for it


def _add_gui(commands: type_of_commands[argparse.ArgumentParser]) -> None:
    p = commands.add_parser(
        "gui",
        help="open the window (also: georapp, georapp PHOTO...)",
        description="Open the window with the last case, and add photos, folders, maps or another case to it.",
    )
    p.add_argument("files", nargs="*", type=Path, metavar="PHOTO|FOLDER|CASE|MAP")


def _add_locate(commands: type_of_commands[argparse.ArgumentParser]) -> None:
    p = commands.add_parser(
        "locate",
        help="locate photos",
        description="Locate photos, and all photos in folders. Nothing leaves this machine; photos are only read.",
        epilog=EXIT_CODES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    p.add_argument("photos", nargs="+", type=Path, metavar="PHOTO|FOLDER")
    _add_model_options(p)
    p.add_argument(
        "--format", choices=["text", "json"], help="text for people (default in a terminal) or JSON lines (default in a pipe)"
    )
    p.add_argument(
        "--resume", type=Path, metavar="FILE", help="also append results to FILE as JSON lines, and skip photos that are in it"
    )


def _add_evaluate(commands: type_of_commands[argparse.ArgumentParser]) -> None:
    p = commands.add_parser(
        "evaluate",
        help="measure a model on photos with a known place",
        description=(
            "Measure a model on a table of photos with known places. The table is CSV with columns for the file (file, img_id, path ...), lat "
            "and lon, and if it has them author and split. Unread answers stay in the denominator; every figure stands beside its baselines."
        ),
        epilog=EXIT_CODES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    p.add_argument("table", type=Path, metavar="TABLE.csv")
    p.add_argument("folder", type=Path, nargs="?", help="where the photos lie; default: beside the table")
    _add_model_options(p)
    p.add_argument("--split", help="only rows whose split column says this, for example val")
    p.add_argument("--limit", type=int, default=0, metavar="N", help="only N rows, drawn with --seed")
    p.add_argument("--format", choices=["text", "json"], default="text")
    p.add_argument(
        "--resume", type=Path, metavar="FILE", help="append each photo's result to FILE, and use what is in it already"
    )


def _add_models(commands: type_of_commands[argparse.ArgumentParser]) -> None:
    p = commands.add_parser("models", help="list, check and import models")
    actions = p.add_subparsers(dest="action", required=True, metavar="list|check|import")
    actions.add_parser("list", help="the models that there are")
    check = actions.add_parser("check", help="files, hashes, pair and memory of a model")
    check.add_argument("model", nargs="?", default="", help="name or folder; default: the embedded model")
    add = actions.add_parser("import", help="add a model from its GGUF files, or a model folder that a training run made")
    add.add_argument("text", type=Path, metavar="TEXT.gguf|FOLDER")
    add.add_argument("image", type=Path, nargs="?", metavar="MMPROJ.gguf")
    add.add_argument("--adapter", type=Path, metavar="LORA.gguf", help="a LoRA adapter for the text model")
    add.add_argument("--name", default="", help="default: from the file's name")
    add.add_argument("--profile", default="georapp", help="how to ask it: georapp, geo-r, geoagent, globe, gre")
    add.add_argument("--link", action="store_true", help="link to the files instead of copying them")


def _add_train(commands: type_of_commands[argparse.ArgumentParser]) -> None:
    p = commands.add_parser(
        "train",
        help="start or resume a training run",
        description="Start or resume a run that `python -m training.new` has made, and say how it goes. Ctrl-C: it saves and ends.",
    )
    p.add_argument("run", type=Path, metavar="RUN_FOLDER")
    p.add_argument("--python", metavar="PYTHON", help="the Python that has torch (default: this one)")
    p.add_argument("--detach", action="store_true", help="do not wait: the run goes on by itself")


def _add_doctor(commands: type_of_commands[argparse.ArgumentParser]) -> None:
    p = commands.add_parser(
        "doctor",
        help="what works here, what is missing, and what to type to install it",
        description="Look at this program and at the Python that trains models. Nothing is changed. Exit code 1: something does not work.",
    )
    p.add_argument("--python", metavar="PYTHON", help="the Python that should train, or the folder of its environment")
    p.add_argument("--format", choices=["text", "json"], default="text")


def _add_bench(commands: type_of_commands[argparse.ArgumentParser]) -> None:
    p = commands.add_parser("bench", help="measure speed and memory on this machine, as ratios in one run")
    p.add_argument("photo", type=Path, nargs="?", help="default: a photo that comes with the program")
    p.add_argument("--model", default="", help="name or folder; default: the embedded model")
    p.add_argument("--threads", type=int, default=0)
    p.add_argument("--rounds", type=int, default=7, help="repetitions of each measurement; medians are printed")
    p.add_argument("--format", choices=["text", "json"], default="text")


def _add_model_options(p: argparse.ArgumentParser) -> None:
    p.add_argument("--model", default="", help="name or folder of a model; default: the embedded one. See: georapp models list")
    p.add_argument(
        "--samples", type=_positive, metavar="K", help="answers for each photo; their agreement is the measure of sureness"
    )
    p.add_argument(
        "--decode", choices=["coordinates", "name", "auto"], help="take the written coordinates, or look the named place up"
    )
    p.add_argument("--seed", type=int, default=0, help="the same seed gives the same answers")
    p.add_argument(
        "--temperature",
        type=float,
        metavar="T",
        help="0 takes the most probable words, 1 draws from the model's own distribution",
    )
    p.add_argument("--threads", type=int, default=0, help="default: all cores, 8 at most")
    p.add_argument(
        "--gpu-layers", type=int, default=-1, metavar="N", help="layers on the GPU, if this build of llama.cpp can; default: all"
    )


def _positive(text: str) -> int:
    number = int(text)
    if not 1 <= number <= 64:
        raise argparse.ArgumentTypeError("between 1 and 64")
    return number
