"""Chat templates as they stand in real GGUF files of the supported families (shortened), and hostile ones."""

from __future__ import annotations

import pytest

from georapp.chat import chat_prompt
from georapp.errors import ModelError

MARK = "<__media__>"
QWEN = (
    "{% for m in messages %}{% if loop.first and m['role'] != 'system' %}<|im_start|>system\nYou are a helpful assistant.<|im_end|>\n{% endif %}"
    "<|im_start|>{{ m['role'] }}\n{% if m['content'] is string %}{{ m['content'] }}{% else %}{% for c in m['content'] %}"
    "{% if c['type'] == 'image' %}<|vision_start|><|image_pad|><|vision_end|>{% else %}{{ c['text'] }}{% endif %}{% endfor %}{% endif %}<|im_end|>\n"
    "{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
SMOL = (
    "<|im_start|>{% for m in messages %}{{ m['role'] | capitalize }}"
    "{% if m['content'][0]['type'] == 'image' %}{{ ':' }}{% else %}{{ ': ' }}{% endif %}"
    "{% for c in m['content'] %}{% if c['type'] == 'text' %}{{ c['text'] }}{% elif c['type'] == 'image' %}{{ '<image>' }}{% endif %}{% endfor %}"
    "<end_of_utterance>\n{% endfor %}{% if add_generation_prompt %}{{ 'Assistant:' }}{% endif %}"
)
PLAIN = "{{ bos_token }}{% for m in messages %}USER: {{ m['content'] }} {% endfor %}ASSISTANT:"


def test_qwen() -> None:
    assert chat_prompt(QWEN, "Where?", image=MARK) == (
        f"<|im_start|>system\nYou are a helpful assistant.<|im_end|>\n<|im_start|>user\n{MARK}Where?<|im_end|>\n<|im_start|>assistant\n"
    )


def test_smolvlm() -> None:
    assert chat_prompt(SMOL, "Where?", image=MARK) == f"<|im_start|>User:{MARK}Where?<end_of_utterance>\nAssistant:"


def test_templates_that_only_know_text() -> None:
    assert chat_prompt(PLAIN, "Where?", image=MARK, words={"bos_token": "<s>"}) == f"<s>USER: {MARK}\nWhere? ASSISTANT:"


@pytest.mark.parametrize(
    "template",
    [
        "",
        "{% for m in messages %}",
        "{{ raise_exception('Only text is supported.') }}",
        "{{ messages[5].content }}",
        "{{ ''.__class__.__mro__[1].__subclasses__() }}",
        "{% for i in range(1000000000) %}{% endfor %}{{ messages }}",
        "the same words every time",
        "{{ cycler.__init__.__globals__.os.system('true') }}",
    ],
)
def test_unusable_and_hostile_templates_are_refused(template: str) -> None:
    with pytest.raises(ModelError, match="chat template cannot be used"):
        chat_prompt(template, "Where?", image=MARK)
