"""The files of RUN/launch: a configuration that accelerate reads, and scripts that start the run, on one machine or on several."""

from __future__ import annotations

import json
import shlex
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from georapp.errors import RunError
from training.launch_plan import Plan

FOLDER, CONFIG = "launch", "accelerate.yaml"
START, SLURM, VLLM = "start.sh", "start.slurm", "vllm.sh"
SERVER = "GEORAPP_VLLM_SERVER"  # host:port, in the place of grpo.vllm_server
_MIXED = {"auto": "bf16", "bf16": "bf16", "fp16": "fp16", "fp32": "no"}  # the trainers' own arguments say it again
_LONGEST = 8192  # tokens of photo, question and answer for which vLLM keeps room


def write(plan: Plan) -> list[str]:
    """Write them all, and say in lines how the run is started. Raises RunError."""
    folder = plan.run / FOLDER
    texts = {CONFIG: yaml(accelerate(plan)), START: start(plan)}
    texts |= {SLURM: slurm(plan)} if plan.nodes > 1 or not plan.cpu else {}
    texts |= {VLLM: vllm(plan)} if plan.serving else {}
    try:
        folder.mkdir(exist_ok=True)
        for name in (CONFIG, START, SLURM, VLLM):
            (folder / name).unlink(missing_ok=True)
        for name, text in texts.items():
            (folder / name).write_text(text, "utf-8", newline="\n")
    except OSError as error:
        raise RunError(f"{folder} cannot be written: {(error.strerror or str(error)).lower()}.") from error
    where = shlex.quote(str(folder))
    each = [f"bash {where}/{START}"] if plan.nodes == 1 else [f"bash {where}/{START} NUMBER HEAD   on every machine"]
    return each + ([f"sbatch {where}/{SLURM}   or with Slurm"] if SLURM in texts else [])


def server_of(text: str) -> tuple[str, int]:
    """Host and port of "host:port". Raises RunError."""
    host, _, port = text.rpartition(":")
    if not (host and port.isascii() and port.isdigit()):
        raise RunError(f"grpo.vllm_server {text!r} is no host:port.", hint='Write for example "127.0.0.1:8000".')
    return host, int(port)


# ---- accelerate ----


def accelerate(plan: Plan) -> dict[str, Any]:
    """What `accelerate launch --config_file` is given. Which machine this is, and where the first one is, its command line says."""
    found: dict[str, Any] = {
        "compute_environment": "LOCAL_MACHINE",
        "debug": False,
        "distributed_type": _kind(plan),
        "downcast_bf16": "no",
        "enable_cpu_affinity": False,
        "gpu_ids": "all",
        "machine_rank": 0,
        "main_training_function": "main",
        "mixed_precision": "no" if plan.cpu else _MIXED[plan.config.model.precision],
        "num_machines": plan.nodes,
        "num_processes": plan.processes,
        "rdzv_backend": "static",
        "same_network": True,
        "use_cpu": plan.cpu,
    }
    if plan.strategy in ("zero2", "zero3"):
        found["deepspeed_config"] = _deepspeed(3 if plan.strategy == "zero3" else 2)
    elif plan.strategy == "fsdp2":
        found["fsdp_config"] = _fsdp()
    return found


def _kind(plan: Plan) -> str:
    if plan.strategy == "fsdp2":
        return "FSDP"
    if plan.strategy != "ddp":
        return "DEEPSPEED"
    return "MULTI_GPU" if plan.processes > 1 else "NO"  # also without GPUs: for MULTI_CPU it starts a single process


def _deepspeed(stage: int) -> dict[str, Any]:
    config = {
        "deepspeed_multinode_launcher": "standard",
        "gradient_accumulation_steps": "auto",  # as the trainers' arguments say
        "gradient_clipping": "auto",
        "offload_optimizer_device": "none",
        "offload_param_device": "none",
        "zero_stage": stage,
        "zero3_init_flag": stage == 3,
    }
    return config | ({"zero3_save_16bit_model": True} if stage == 3 else {})  # or checkpoints have no model


def _fsdp() -> dict[str, Any]:
    return {
        "fsdp_version": 2,
        "fsdp_activation_checkpointing": False,  # the trainers' arguments see to it
        "fsdp_auto_wrap_policy": "TRANSFORMER_BASED_WRAP",
        "fsdp_cpu_ram_efficient_loading": False,  # or all but the first process would load no adapter
        "fsdp_offload_params": False,
        "fsdp_reshard_after_forward": True,
        "fsdp_state_dict_type": "FULL_STATE_DICT",  # or checkpoints have no model
    }


def yaml(values: Mapping[str, Any], *, indent: int = 0) -> str:
    """Numbers, truths, texts, and sections of them; texts as JSON writes them, which YAML reads too."""
    lines = []
    for name, value in values.items():
        whole = "\n" + yaml(value, indent=indent + 2) if isinstance(value, Mapping) else f" {json.dumps(value)}\n"
        lines.append(f"{' ' * indent}{name}:{whole}")
    return "".join(lines)


# ---- scripts ----


def start(plan: Plan) -> str:
    """Starts what trains on one machine."""
    many = plan.nodes > 1
    usage = f"NUMBER HEAD   on each of {plan.nodes} machines: its number from 0, and the name of machine 0" if many else ""
    where = '--machine_rank "${1:-${SLURM_NODEID:-0}}" --main_process_ip "${2:-${HEAD:-127.0.0.1}}" ' if many else ""
    port = "29500" if many else "0"  # of a single machine any that is free
    return f"""{_head(f"bash {START} {usage}".strip())}
here=$(cd -- "$(dirname -- "${{BASH_SOURCE[0]}}")" && pwd)
{_python()}
{_beside_server(plan) if plan.serving else ""}"$python" -m accelerate.commands.launch --config_file "$here/{CONFIG}" \\
    {where}--main_process_port "${{PORT:-{port}}}" \\
    -m training "$(dirname -- "$here")"
"""


def _beside_server(plan: Plan) -> str:
    """On one machine also the server; everywhere waits until it answers."""
    own = f"""IFS=, read -ra cards <<< "${{CUDA_VISIBLE_DEVICES:-{",".join(map(str, range(plan.gpus)))}}}"
CUDA_VISIBLE_DEVICES=$(IFS=,; echo "${{cards[*]:{plan.each}}}") bash "$here/{VLLM}" > "$here/vllm.log" 2>&1 &
vllm=$!
trap 'kill "$vllm" 2>/dev/null || true' EXIT
export CUDA_VISIBLE_DEVICES=$(IFS=,; echo "${{cards[*]:0:{plan.each}}}")
"""
    lives = 'kill -0 "$vllm" 2>/dev/null || { echo "vLLM\'s server has ended; $here/vllm.log says why." >&2; exit 1; }\n    '
    alone = plan.nodes == 1
    return f"""{own if alone else ""}export {SERVER}=${{{SERVER}:-{shlex.quote(plan.config.grpo.vllm_server)}}}
asks='import sys, urllib.request as web; web.urlopen("http://" + sys.argv[1] + "/health/", timeout=5)'
until "$python" -c "$asks" "${SERVER}" 2>/dev/null; do
    {lives if alone else ""}sleep 5
done
"""


def vllm(plan: Plan) -> str:
    """Starts TRL's server with the base model; the trainer gives it every new weight."""
    host, port = server_of(plan.config.grpo.vllm_server)
    listens = shlex.quote(host) if plan.nodes == 1 else "0.0.0.0"
    return f"""{_head(f"bash {VLLM}")}
{_python()}
exec "$python" -m trl.scripts.vllm_serve --model {shlex.quote(plan.config.model.base)} --tensor_parallel_size {plan.serving} \\
    --max_model_len {_LONGEST} --host {listens} --port {port}
"""


def slurm(plan: Plan) -> str:
    """A batch job: it stops the run before its time is over, and then queues itself again. The run goes on from its checkpoint."""
    run = shlex.quote(str(plan.run))
    machines = plan.nodes + (plan.serving > 0 and plan.nodes > 1)
    cards = "" if plan.cpu else f"#SBATCH --gpus-per-node={plan.gpus}\n"
    head = f"""#!/usr/bin/env bash
#SBATCH --job-name={_plain(plan.config.name or plan.run.name)}
#SBATCH --nodes={machines}
#SBATCH --ntasks-per-node=1
{cards}#SBATCH --cpus-per-task={8 * plan.gpus}
#SBATCH --time=24:00:00
#SBATCH --signal=B:USR1@900
"""
    serving = f"""server=${{machines[-1]}}
export {SERVER}="$server:{server_of(plan.config.grpo.vllm_server)[1]}"
srun --nodes=1 --ntasks=1 --nodelist="$server" bash "$run/{FOLDER}/{VLLM}" > "$run/{FOLDER}/vllm.log" 2>&1 &
vllm=$!
trap 'kill "$vllm" 2>/dev/null || true' EXIT
"""
    apart = machines > plan.nodes
    return f"""{head}# Adapt partition, account, time and processors to your machines. {_WRITTEN}
set -euo pipefail
run={run}
mapfile -t machines < <(scontrol show hostnames "$SLURM_JOB_NODELIST")
export HEAD=${{machines[0]}}
{serving if apart else ""}again=
trap 'again=yes; touch "$run/stop"' USR1
srun --nodes={plan.nodes} --ntasks={plan.nodes} {'--exclude="$server" ' if apart else ""}bash "$run/{FOLDER}/{START}" &
step=$!
code=0
while kill -0 "$step" 2>/dev/null; do  # a signal ends a wait too early
    wait "$step" && code=0 || code=$?
done
if [ -n "$again" ] && [ "$code" = 0 ]; then scontrol requeue "$SLURM_JOB_ID"; fi
exit "$code"
"""


_WRITTEN = "Written by python -m training.launch, and written anew by its next call."


def _head(usage: str) -> str:
    return f"#!/usr/bin/env bash\n# {usage}\n# Starting a run again goes on with it. {_WRITTEN}\nset -euo pipefail"


def _python() -> str:
    root = shlex.quote(str(Path(__file__).resolve().parents[1]))
    return f"python=${{PYTHON:-{shlex.quote(sys.executable)}}}\nexport PYTHONPATH={root}${{PYTHONPATH:+:$PYTHONPATH}}"


def _plain(name: str) -> str:
    return "".join(letter if letter.isascii() and letter.isalnum() else "-" for letter in name)[:40] or "georapp"
