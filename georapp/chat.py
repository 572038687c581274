"""Writes a prompt in a model's own chat format, from the Jinja template in its GGUF. Templates come from strangers: sandboxed."""

from __future__ import annotations

from collections.abc import Mapping

import jinja2
from jinja2.sandbox import ImmutableSandboxedEnvironment

from georapp.errors import ModelError

MAX_PROMPT = 100_000  # characters


def chat_prompt(template: str, question: str, *, image: str, words: Mapping[str, str] | None = None) -> str:
    """One user turn with a photo and a question, ready for the model's answer.

    `image`: the text that stands for the photo; `words`: special tokens that templates may name (bos_token, eos_token).
    Templates differ in what they expect as content, a list of parts or one text, so both are tried.
    Raises ModelError when neither keeps the photo and the question.
    """
    as_parts = [{"type": "image"}, {"type": "text", "text": question}]
    as_text = f"{image}\n{question}" if question else image
    reasons = []
    for content in (as_parts, as_text):
        try:
            prompt = _render(template, content, words or {})
        except Exception as error:  # noqa: BLE001 - a template is a stranger's program and may raise anything
            reasons.append(str(error))
            continue
        prompt = _with_image(prompt, image)
        if prompt.count(image) == 1 and question in prompt and len(prompt) <= MAX_PROMPT:
            return prompt
        reasons.append("it drops the photo or the question")
    raise ModelError(
        f"The model's chat template cannot be used: {reasons[-1]}.", hint="Import the model with --template and a template file."
    )


_IMAGE_WORDS = ("<|vision_start|><|image_pad|><|vision_end|>", "<|image_pad|>", "<image>", "<img>", "<IMG_CONTEXT>")


def _with_image(prompt: str, image: str) -> str:
    """Templates write a word of their family where a photo stands; llama.cpp's tokeniser adds the words around it by itself."""
    if image in prompt:
        return prompt
    word = next((word for word in _IMAGE_WORDS if word in prompt), None)
    return prompt.replace(word, image, 1) if word else prompt


def _render(template: str, content: object, words: Mapping[str, str]) -> str:
    environment = ImmutableSandboxedEnvironment(trim_blocks=True, lstrip_blocks=True)
    environment.globals["raise_exception"] = _refuse
    messages = [{"role": "user", "content": content}]
    text: str = environment.from_string(template).render(messages=messages, add_generation_prompt=True, tools=None, **words)
    return text


def _refuse(message: str) -> None:
    raise jinja2.TemplateError(message)
