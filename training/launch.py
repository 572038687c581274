"""python -m training.launch RUN_FOLDER [--nodes N] [--gpus M] [--strategy ddp|zero2|zero3|fsdp2]: how a run starts on several GPUs.

Writes RUN/launch/ (training.launch_files): the configuration of accelerate, start.sh, for several machines start.slurm, and for
grpo.vllm = "server" vllm.sh. It changes nothing else, and every call writes all of it anew. Needs no torch.

    ddp      every GPU has the whole model and its own photos: LoRA, QLoRA, and all weights where 16 bytes a parameter fit
    zero2    DeepSpeed: gradients and the optimiser's state are shared out
    zero3    DeepSpeed: the weights too
    fsdp2    the same with torch alone
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from georapp import run_toml
from georapp.errors import RunError
from georapp.run_events import CONFIG
from georapp.run_settings import RunConfig
from training import launch_files
from training.launch_plan import STRATEGIES, Plan


def default_strategy(config: RunConfig, processes: int) -> str:
    """The simplest one that usually fits."""
    return "fsdp2" if config.model.method == "full" and processes > 1 else "ddp"


def main(argv: Sequence[str] | None = None) -> int:
    """The exit code: 0 written, 1 not possible, with a sentence on standard error."""
    options = _parser().parse_args(argv)
    try:
        config = run_toml.read(options.run / CONFIG)
        strategy = options.strategy or default_strategy(config, 1 if options.cpu else options.nodes * options.gpus)
        plan = Plan(options.run.resolve(), config, options.nodes, options.gpus, strategy, options.vllm_gpus, options.cpu)
        print("\n".join([*launch_files.write(plan), *plan.remarks()]))
    except RunError as error:
        print(" ".join(part for part in (str(error), error.hint) if part), file=sys.stderr)
        return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    _, _, more = (__doc__ or "").partition("\n\n")
    parser = argparse.ArgumentParser(
        prog="python -m training.launch", description=more, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("run", type=Path, metavar="RUN_FOLDER")
    parser.add_argument("--nodes", type=_count, default=1, metavar="N", help="machines that train (1)")
    parser.add_argument("--gpus", type=_count, default=1, metavar="M", help="GPUs of each machine, or processes with --cpu (1)")
    parser.add_argument("--strategy", choices=STRATEGIES, help="ddp; fsdp2 where all weights are trained")
    parser.add_argument("--vllm-gpus", type=int, default=0, metavar="K", help='GPUs for the server of grpo.vllm = "server"')
    parser.add_argument("--cpu", action="store_true", help="without GPUs: to see that a run works with several processes")
    return parser


def _count(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("at least 1")
    return number


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
