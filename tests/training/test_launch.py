"""Runs on several GPUs and machines: the files that start them, read by what they are for, and a run that they really start."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("torch", reason="the training half (georapp[train]) is not installed")

from accelerate.commands.config.config_args import ClusterConfig, load_config_from_file
from accelerate.commands.launch import launch_command_parser

from georapp.errors import RunError
from georapp.run_events import CONFIG, Began, Probe, Sample, Step, Stopped
from georapp.run_settings import Grpo, Model, RunConfig
from georapp.run_toml import write
from tests.training.short_runs import QUIET, change, new_run, of_kind, steps
from tests.training.toy_world import ToyWorld, said
from training import launch, pipeline
from training.launch_files import SERVER, accelerate, server_of, yaml
from training.launch_plan import Plan

pytestmark = pytest.mark.filterwarnings(QUIET)
SERVED = RunConfig(model=Model(base="/models/a b"), grpo=Grpo(vllm="server", vllm_server="10.0.0.7:8123"))


def run_folder(folder: Path, config: RunConfig | None = None) -> Path:
    folder.mkdir()
    write(config or RunConfig(name="it's a $(run)"), folder / CONFIG)
    return folder


def launched(run: Path, *arguments: str) -> Path:
    assert launch.main([str(run), *arguments]) == 0
    return run / "launch"


def started(command: list[str], **environment: str) -> None:
    quiet = {"OMP_NUM_THREADS": "1", "CUDA_VISIBLE_DEVICES": ""}
    done = subprocess.run(command, env=os.environ | quiet | environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


# ---- what accelerate reads ----


@pytest.mark.parametrize("strategy", launch.STRATEGIES)
def test_accelerate_reads_what_is_written(strategy: str, tmp_path: Path) -> None:
    folder = launched(run_folder(tmp_path / "a run"), "--nodes", "4", "--gpus", "8", "--strategy", strategy)
    config: Any = load_config_from_file(str(folder / "accelerate.yaml"))

    assert isinstance(config, ClusterConfig)
    assert (config.num_machines, config.num_processes, config.mixed_precision) == (4, 32, "bf16")
    assert config.distributed_type.value == {"ddp": "MULTI_GPU", "fsdp2": "FSDP"}.get(strategy, "DEEPSPEED")
    assert config.deepspeed_config.get("zero_stage") == {"zero2": 2, "zero3": 3}.get(strategy)
    assert bool(config.deepspeed_config.get("zero3_save_16bit_model")) == (strategy == "zero3")
    assert config.fsdp_config.get("fsdp_state_dict_type") == ("FULL_STATE_DICT" if strategy == "fsdp2" else None)
    known = vars(launch_command_parser().parse_args(["x.py"]))
    assert set(config.deepspeed_config) | set(config.fsdp_config) <= set(known)  # else it would pass over them in silence


def test_yaml_is_read_as_it_was() -> None:
    import yaml as library  # type: ignore[import-untyped]

    values = {"a": "no", "b": {"c": True, "d": 'x: "y"\n'}, "e": 3}
    assert library.safe_load(yaml(values)) == values


def test_a_single_process_and_processors(tmp_path: Path) -> None:
    config = RunConfig(model=Model(precision="fp16"))
    alone, cpu = Plan(tmp_path, config), Plan(tmp_path, config, gpus=2, cpu=True)
    assert (accelerate(alone)["distributed_type"], accelerate(alone)["mixed_precision"]) == ("NO", "fp16")
    assert (accelerate(cpu)["use_cpu"], accelerate(cpu)["mixed_precision"], cpu.processes) == (True, "no", 2)
    assert launch.default_strategy(RunConfig(model=Model(method="full")), 8) == "fsdp2"
    assert launch.default_strategy(config, 8) == "ddp"


# ---- scripts ----


@pytest.mark.parametrize("more", [[], ["--nodes", "3"], ["--vllm-gpus", "2"], ["--nodes", "3", "--vllm-gpus", "8"]])
def test_scripts_are_ones_that_bash_reads(more: list[str], tmp_path: Path) -> None:
    served = "--vllm-gpus" in more
    folder = launched(run_folder(tmp_path / "it's $(a) run", SERVED if served else None), "--gpus", "8", *more)
    scripts = sorted([*folder.glob("*.sh"), *folder.glob("*.slurm")])
    assert [path.name for path in scripts] == ["start.sh", "start.slurm", *(["vllm.sh"] if served else [])]
    for path in scripts:
        started(["bash", "-n", str(path)])


def test_the_server_has_gpus_of_its_own(tmp_path: Path) -> None:
    """The scripts of one machine, with a Python that only says how it was called."""
    run = run_folder(tmp_path / "run", SERVED)
    folder, log = launched(run, "--gpus", "4", "--vllm-gpus", "1"), tmp_path / "calls"
    python = tmp_path / "python"
    asked = f'[ "$1" != -c ] || until grep -q vllm_serve {log}; do sleep 0.05; done'  # it answers when it has begun
    python.write_text(f'#!/bin/sh\necho "$CUDA_VISIBLE_DEVICES | ${SERVER} | $*" >> {log}\n{asked}\n')
    python.chmod(0o755)
    started(["bash", str(folder / "start.sh")], PYTHON=str(python), CUDA_VISIBLE_DEVICES="3,5,6,7")

    calls = log.read_text().splitlines()
    serving = next(call for call in calls if "vllm_serve" in call)
    training = next(call for call in calls if "accelerate" in call)
    assert serving.startswith("7 | ")
    assert "--model /models/a b --tensor_parallel_size 1" in serving
    assert "--host 10.0.0.7 --port 8123" in serving
    assert training.startswith("3,5,6 | 10.0.0.7:8123 | -m accelerate.commands.launch")
    assert training.endswith(f"-m training {run}")
    assert "num_processes: 3" in (folder / "accelerate.yaml").read_text()


def test_a_later_call_writes_all_anew(tmp_path: Path) -> None:
    folder = launched(run_folder(tmp_path / "run", SERVED), "--gpus", "2", "--vllm-gpus", "1")
    write(RunConfig(), folder.parent / CONFIG)
    assert launched(folder.parent, "--gpus", "2", "--cpu") == folder
    assert sorted(path.name for path in folder.iterdir()) == ["accelerate.yaml", "start.sh"]


# ---- what cannot work ----


@pytest.mark.parametrize(
    ("config", "more", "says"),
    [
        (RunConfig(model=Model(method="qlora")), {"strategy": "zero3"}, "4 bits"),
        (RunConfig(model=Model(method="qlora")), {"strategy": "fsdp2"}, "4 bits"),
        (RunConfig(), {"strategy": "fsdp2", "cpu": True}, "no fsdp2"),
        (RunConfig(), {"serving": 1}, "for its server"),
        (SERVED, {}, "for its server"),
        (SERVED, {"gpus": 1, "serving": 1}, "none is left"),
        (SERVED, {"gpus": 2, "serving": 1, "cpu": True}, "needs a GPU"),
    ],
)
def test_what_cannot_work_is_refused_with_a_choice(config: RunConfig, more: dict[str, Any], says: str, tmp_path: Path) -> None:
    with pytest.raises(RunError, match=says) as caught:
        Plan(tmp_path, config, **more)
    assert caught.value.hint


def test_errors_are_sentences(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert launch.main([str(tmp_path / "nowhere")]) == 1
    assert "nowhere" in capsys.readouterr().err
    with pytest.raises(RunError, match="host:port"):
        server_of("somewhere")
    with pytest.raises(SystemExit):
        launch.main([str(tmp_path), "--gpus", "0"])


def test_remarks_say_how_large_a_step_is(tmp_path: Path) -> None:
    said = " ".join(Plan(tmp_path, RunConfig(model=Model(method="full")), 2, 8, "fsdp2").remarks())
    assert "4 x 16 x 16 = 1,024 photos" in said
    assert "sft.accumulate to 1" in said
    assert "same paths" in said
    assert "output layer" in said


# ---- really started ----


def test_two_processes_of_one_machine(toy: ToyWorld, tmp_path: Path) -> None:
    """Each has photos of its own: both together learn what one learns from twice as many."""
    run, other = new_run(tmp_path / "run", toy), new_run(tmp_path / "other", toy)
    change(run, sft={"max_steps": 2}, grpo={"max_steps": 1})
    change(other, sft={"max_steps": 1, "accumulate": 4}, grpo={"enabled": False})
    assert pipeline.run(other) == 0
    started(["bash", str(launched(run, "--gpus", "2", "--cpu") / "start.sh")])

    assert len(of_kind(run, Began)) == 1
    assert [(step.stage, step.step) for step in of_kind(run, Step)] == [("sft", 1), ("sft", 2), ("grpo", 1)]
    first, alone = of_kind(run, Probe)[0], of_kind(other, Probe)[0]
    assert (first.step, first.photos, first.values) == (0, alone.photos, alone.values)  # also the reward
    assert steps(run, "sft")[1]["loss"] == pytest.approx(steps(other, "sft")[1]["loss"], rel=1e-4)
    assert len({sample.photo for sample in of_kind(run, Sample)}) == 1  # one group of a step is shown, once
    assert (run / "sft" / "checkpoint-2" / "rng_state_1.pth").exists()


SRUN = """#!/bin/bash
for number in 0 1; do SLURM_NODEID=$number "${@:3}" & all="$all $!"; done
for one in $all; do wait "$one" || exit 1; done
"""


def test_a_job_of_two_machines_stops_before_its_time_is_over_and_queues_itself_again(toy: ToyWorld, tmp_path: Path) -> None:
    """With an srun that starts both "machines" here; the signal comes at once."""
    run, tools = new_run(tmp_path / "run", toy), tmp_path / "tools"
    folder = launched(run, "--nodes", "2", "--cpu")
    tools.mkdir()
    for name, text in {
        "srun": SRUN,
        "scontrol": f'#!/bin/bash\necho "$*" >> {tmp_path}/control\nprintf "127.0.0.1\\n127.0.0.1\\n"\n',
    }.items():
        (tools / name).write_text(text)
        (tools / name).chmod(0o755)
    text = (folder / "start.slurm").read_text().replace("step=$!\n", "step=$!\nkill -USR1 $$\n")
    (folder / "start.slurm").write_text(text)
    path = f"{tools}{os.pathsep}{os.environ['PATH']}"
    started(["bash", str(folder / "start.slurm")], PATH=path, SLURM_JOB_NODELIST="x", SLURM_JOB_ID="77", PORT=str(free_port()))

    assert (tmp_path / "control").read_text().splitlines() == ["show hostnames x", "requeue 77"]
    assert len(of_kind(run, Began)) == 1
    assert isinstance(said(run)[-1], Stopped)
    assert not (run / "stop").exists()
    shutil.rmtree(folder)


def free_port() -> int:
    import socket

    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])
