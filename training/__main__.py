"""python -m training RUN_FOLDER: do what is left of a training run.

    torchrun --nproc-per-node 8 -m training RUN_FOLDER         the same on several GPUs

Exit code 0: finished, or stopped because somebody asked; 1: failed, with a sentence on standard error; 2: wrong call.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

USAGE = "usage: python -m training RUN_FOLDER"
ENVIRONMENT = {  # what torch and the tokenizers read when they are imported
    "TOKENIZERS_PARALLELISM": "false",  # or they warn after every fork
    "HF_HUB_OFFLINE": "1",  # nothing is ever fetched
    "OMP_NUM_THREADS": str(max(1, (os.cpu_count() or 2) // 2)),  # two thread pools on all cores slow each other
}


def main(arguments: list[str]) -> int:
    """The exit code."""
    if len(arguments) != 1 or arguments[0].startswith("-"):
        print(USAGE, file=sys.stdout if arguments in (["-h"], ["--help"]) else sys.stderr)
        return 0 if arguments in (["-h"], ["--help"]) else 2
    for name, value in ENVIRONMENT.items():
        os.environ.setdefault(name, value)
    if "WORLD_SIZE" not in os.environ:  # alone; the trainers would otherwise spread over all GPUs, which TRL refuses
        os.environ.setdefault("CUDA_VISIBLE_DEVICES", "0")
    from training import pipeline  # imports torch

    return pipeline.run(Path(arguments[0]))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
