"""How much GPU memory and disk a training run will need: the terms of a sum, each with a word about it. Computed, not measured.

    memory = weights + LoRA state + max(activations + logits, KV of the generations) + 1.5 GiB for the context and fragmentation
    weights      2 bytes a parameter in 16 bits; in 4 bits 0.516 for the text model's linear layers (nf4, double quantisation), 2 for the rest
    LoRA state   16 bytes a LoRA parameter: weight, gradient and two moments of AdamW in 32 bits
    activations  layers x tokens x hidden, and one layer in whole: tokens x (16 hidden + 6 intermediate); without checkpointing every layer
    logits       3 x 4 bytes x answers x tokens of an answer x vocabulary: an upper bound, the trainer computes them in parts
    KV           answers x tokens x 2 x layers x KV heads x head size
    all weights  16 bytes a parameter in the place of weights and LoRA: weights, gradients and AdamW in 32 bits

Expect 15 % more: what libraries keep for themselves, attention and the image tower at work are not in it.
"""

from __future__ import annotations

from dataclasses import dataclass

from georapp.base_model import BaseModel
from georapp.run_settings import RunConfig
from georapp.run_size import Stage, answer_tokens, answers_together, bytes_a_number, sequence_tokens, steps
from georapp.run_time import Hours, hours

__all__ = ["SPARE", "Hours", "Stage", "Term", "disk", "hours", "memory", "steps", "total"]

SPARE = 1.15  # of a sum: so much should be free
CONTEXT_GIB = 1.5
NF4 = 0.516  # bytes a weight: 4 bits, a scale of 8 bits for 64 of them, and one of 32 bits for 256 scales
LORA_STATE, FULL_STATE = 16, 16  # bytes a parameter that is trained
CHECKPOINT = 12  # bytes a parameter that is trained: the weight and two moments, in 32 bits
ANSWER_BYTES = 800  # of a line in events.jsonl
ROOM_FOR_GGUF = 1.3  # of the weights: what a GGUF needs while it is written
_GIB = 2**30


@dataclass(frozen=True, slots=True)
class Term:
    """A part of a sum. `about`: what it consists of, a sentence."""

    name: str
    gib: float
    about: str


def total(terms: tuple[Term, ...]) -> float:
    """GiB of all terms."""
    return sum(term.gib for term in terms)


# ---- memory ----


def memory(base: BaseModel, config: RunConfig, stage: Stage, *, bf16: bool = True, gpu_gib: float = 0.0) -> tuple[Term, ...]:
    """Memory of the device in a stage. `bf16`: whether precision "auto" means that; `gpu_gib`: of the card, of which vLLM takes a share."""
    size = bytes_a_number(config, bf16)
    terms = [*_weights(base, config, stage, size), _work(base, config, stage, size)]
    if stage == "grpo" and config.grpo.vllm == "colocate" and gpu_gib:
        share = f"grpo.vllm_memory, {config.grpo.vllm_memory:g} of the card, for its own weights and answers."
        terms.append(Term("vLLM", config.grpo.vllm_memory * gpu_gib, share))
    about = "The driver's context, and what lies unused between the pieces: a rule of thumb."
    return (*terms, Term("Context", CONTEXT_GIB, about))


def _weights(base: BaseModel, config: RunConfig, stage: Stage, size: int) -> list[Term]:
    model, reference = config.model, stage == "grpo" and config.grpo.beta > 0
    if model.method == "full":
        return _all_weights(base, model.freeze_vision, reference)
    if model.method == "qlora":
        rest = base.parameters - base.linear_parameters
        about = f"{_count(base.linear_parameters)} parameters in 4 bits ({NF4} bytes), {_count(rest)} in {size * 8} bits."
        weights = Term("Weights", _gib(NF4 * base.linear_parameters + size * rest), about)
    else:
        weights = Term("Weights", _gib(size * base.parameters), f"{_count(base.parameters)} parameters of {size} bytes.")
    adapter = base.lora_parameters(model.lora_rank, tower=not model.freeze_vision)
    about = f"{_count(adapter)} parameters of {LORA_STATE} bytes: weight, gradient and AdamW's two moments in 32 bits."
    if reference:
        about += " And the adapter before this stage, which grpo.beta holds the model to, of 4 bytes."
    return [weights, Term("LoRA and optimiser", _gib((LORA_STATE + 4 * reference) * adapter), about)]


def _all_weights(base: BaseModel, frozen: bool, reference: bool) -> list[Term]:
    still = base.tower_parameters if frozen else 0
    trained = base.parameters - still
    about = f"{_count(trained)} parameters of {FULL_STATE} bytes: weight, gradient and AdamW's two moments in 32 bits."
    about += f" The image tower stays as it is: {_count(still)} of 4 bytes." if still else ""
    terms = [Term("Weights and optimiser", _gib(FULL_STATE * trained + 4 * still), about)]
    if reference:
        about = "A second copy of the model before this stage, of 4 bytes a parameter; grpo.beta = 0 does without."
        terms.append(Term("Reference model", _gib(4 * base.parameters), about))
    return terms


def _work(base: BaseModel, config: RunConfig, stage: Stage, size: int) -> Term:
    """What comes and goes: the larger one of training and of writing answers, which take turns."""
    batch = config.sft.batch if stage == "sft" else config.grpo.batch
    tokens, answer = sequence_tokens(base, config, stage), answer_tokens(config, stage)
    activations = _activations(base, config, batch * tokens, size) + _tower_activations(base, config, batch, size)
    logits = 3 * 4 * batch * answer * base.vocabulary
    about = (
        f"{batch} x {tokens:,} tokens at once: activations {_gib(activations):.1f} GiB, logits {_gib(logits):.1f} GiB at most."
    )
    if stage == "sft" or config.grpo.vllm != "off":
        return Term("Activations and logits", _gib(activations + logits), about)
    together = answers_together(config.grpo)
    cache = together * tokens * 2 * base.layers * base.kv_heads * base.head_size * size
    if cache <= activations + logits:
        return Term("Activations and logits", _gib(activations + logits), about)
    why = "grpo.together" if config.grpo.together else "all those of a step: grpo.batch x grpo.accumulate"
    about = f"{together} answers of {tokens:,} tokens are written together ({why})."
    return Term("Memory of the answers (KV)", _gib(cache), about)


def _activations(base: BaseModel, config: RunConfig, tokens: int, size: int) -> int:
    one_layer = tokens * (16 * base.hidden + 6 * base.intermediate) * size
    if config.model.checkpointing:
        return base.layers * tokens * base.hidden * size + one_layer
    return base.layers * one_layer


def _tower_activations(base: BaseModel, config: RunConfig, batch: int, size: int) -> int:
    """Of an image tower that is trained; about four times as wide inside its layers as between them."""
    if config.model.freeze_vision:
        return 0
    patches = batch * base.image_tokens(config.model.max_pixels) * base.sight.patches
    one_layer = patches * (16 + 6 * 4) * base.tower_hidden * size
    kept = base.tower_layers * patches * base.tower_hidden * size + one_layer
    return kept if config.model.checkpointing else base.tower_layers * one_layer


# ---- disk ----


def disk(base: BaseModel, config: RunConfig, *, train_photos: int = 0) -> tuple[Term, ...]:
    """What a run folder grows to, at most: with all checkpoints that are kept, and the model while it is made."""
    stages = [stage for stage in (config.sft, config.grpo) if stage.enabled]
    kept = config.keep_checkpoints + 2  # the best one, and the one that is being written
    one, left = _saved(base, config)
    about = f"{kept} at most for each stage, {_gib(one):.1f} GiB each: what is trained, and the optimiser."
    terms = [
        Term("Checkpoints", _gib(len(stages) * kept * one), about),
        Term("Models after the stages", _gib(len(stages) * left), "What a stage leaves behind for the next one."),
        Term("Messages", _gib(_messages(config, train_photos)), "Every answer with its reward, in events.jsonl."),
    ]
    return tuple(term for term in (*terms, *_exported(base, config)) if term.gib > 0)


def _saved(base: BaseModel, config: RunConfig) -> tuple[float, float]:
    """Bytes of a checkpoint, and of what a stage leaves behind."""
    model = config.model
    if model.method == "full":
        trained = base.parameters - (base.tower_parameters if model.freeze_vision else 0)
        return 4 * base.parameters + (CHECKPOINT - 4) * trained, 4 * base.parameters
    adapter = base.lora_parameters(model.lora_rank, tower=not model.freeze_vision)
    return (CHECKPOINT + 4) * adapter, 4 * adapter  # with the adapter that is GRPO's reference


def _messages(config: RunConfig, train_photos: int) -> int:
    return ANSWER_BYTES * steps(config, "grpo", max(1, train_photos)) * answers_together(config.grpo)


def _exported(base: BaseModel, config: RunConfig) -> list[Term]:
    export = config.export
    if not export.enabled:
        return []
    files = ROOM_FOR_GGUF * base.bytes * len(export.kinds)
    terms = [Term("GGUF files", _gib(files), f"{', '.join(export.kinds)}, and the room that is needed while they are written.")]
    if export.weights == "merged" and config.model.method != "full":
        terms.insert(
            0, Term("Merged model", _gib(base.bytes), "The base model with the adapter in it; deleted when the GGUF is made.")
        )
    return terms


def _gib(amount: float) -> float:
    return amount / _GIB


def _count(parameters: int) -> str:
    return f"{parameters / 1e9:.2f} billion" if parameters >= 1e8 else f"{parameters / 1e6:.1f} million"
