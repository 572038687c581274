"""Makes a model folder out of GGUF files, or out of a folder that training made: checked first, copied to a temporary name, renamed
when complete.
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from georapp import gguf_head, models, paths
from georapp.errors import ModelError
from georapp.families import Family, family_of, shifts_patches
from georapp.models import Model, ModelFile
from georapp.prompt import profile_named

_BLOCK = 8 << 20
_NAME = re.compile(r"\w[\w.+-]{0,80}")
_WORDS = (".md", ".tsv", ".txt")  # what tells of a model
IMPORTED_CONTEXT = 8192  # tokens: a photo of twelve tiles fills 3,400, eight answers with reasoning more
Progress = Callable[[int, int], None]  # bytes done, bytes in all


@dataclass(frozen=True, slots=True)
class ImportRequest:
    """`name` empty: made from the file's. `link`: leave the large files where they are and link to them."""

    text: Path
    image: Path | None = None
    adapter: Path | None = None
    name: str = ""
    profile: str = "georapp"
    link: bool = False


def import_model(request: ImportRequest, progress: Progress = lambda _done, _all: None) -> Model:
    """Make a folder for these files among the user's models. Raises ModelError; nothing is left behind then."""
    family = _checked(request)
    name = request.name or _name_for(request.text)
    if not _NAME.fullmatch(name):
        raise ModelError(f"{name!r} cannot be a model's name.", hint="Use letters, digits, '.', '_', '+' and '-'.")
    target = paths.user_models() / name
    if target.exists():
        raise ModelError(
            f"There is a model {name!r} already.", hint=f"Choose another name with --name, or delete {target} first."
        )
    profile_named(request.profile)
    sources = [path for path in (request.text, request.image, request.adapter) if path]
    with _placed(target) as temporary:
        _check_room(sources, temporary, request.link)
        files = _bring(sources, temporary, request.link, progress)
        model = _describe(request, name, temporary, files, family)
        (temporary / models.MANIFEST).write_text(models.manifest(model), "utf-8")
    return replace(model, folder=target)


def adopt(folder: Path, progress: Progress = lambda _done, _all: None) -> Model:
    """Copy a finished model folder, with its card, to the user's models, and check it on the way; the one that is there when it was
    copied before. A name that is taken gets a number. Raises ModelError; nothing is left behind then.
    """
    made = models.read(folder)
    models.check_heads(made)
    name = made.name if _NAME.fullmatch(made.name) else _name_for(folder)
    for number in range(1, 1000):
        target = paths.user_models() / (name if number == 1 else f"{name}-{number}")
        if not target.exists():
            break
        if (there := _same(target, made)) is not None:
            return there
    beside = [path for path in sorted(folder.iterdir()) if path.is_file() and path.suffix in _WORDS]
    sources = [*(made.path(file) for file in made.files), *beside]
    with _placed(target) as temporary:
        _check_room(sources, temporary, link=False)
        copied = _bring(sources, temporary, False, progress)
        _check_copies(made, copied)
        model = replace(made, folder=target, name=target.name)
        (temporary / models.MANIFEST).write_text(models.manifest(model), "utf-8")
    return model


def _same(target: Path, made: Model) -> Model | None:
    """The model in a folder, if it has the files of this one."""
    try:
        there = models.read(target)
    except ModelError:
        return None
    return there if there.files == made.files else None


def _check_copies(made: Model, copied: Sequence[ModelFile]) -> None:
    by_name = {file.file: file for file in copied}
    for file in made.files:
        if by_name[file.file] != file:
            raise ModelError(
                f"{made.path(file)} has changed since the model was made.", hint="Export it again, or take another copy of it."
            )


@contextmanager
def _placed(target: Path) -> Iterator[Path]:
    """A temporary folder that becomes `target`, all or nothing. Raises ModelError."""
    temporary = target.with_name(f".{target.name}.part")
    try:
        shutil.rmtree(temporary, ignore_errors=True)
        temporary.mkdir(parents=True)
        yield temporary
        temporary.rename(target)
        models.sync_folder(target.parent)
    except OSError as error:
        raise ModelError(
            f"The model could not be copied to {target.parent}: {(error.strerror or str(error)).lower()}."
        ) from error
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def _checked(request: ImportRequest) -> Family:
    text = gguf_head.read(request.text)
    image = gguf_head.read(request.image) if request.image else None
    if image:
        gguf_head.check_pair(text, image)
    elif text.kind != "model":
        raise ModelError(
            f"{request.text.name} is no text model but of kind {text.kind}.",
            hint="Name the text model first, then its mmproj file.",
        )
    if not image:
        raise ModelError(
            f"{request.text.name} alone cannot see photos.", hint="Name its image part too, a file usually called mmproj-….gguf."
        )
    if shifts_patches(image):
        raise ModelError(
            f"{image.path.name} is a LLaVA image part with a CLIP tower, which llama.cpp computes wrongly.",
            hint="Use a LLaVA model with a SigLIP tower, or one of another family.",
        )
    family = family_of(text, image)
    if family is None:
        raise ModelError(
            f"{request.text.name} with {request.image and request.image.name} is of a kind that georapp does not know "
            f"({text.architecture}, {image.projector or 'no projector'}).",
            hint="Known: SmolVLM, Idefics3, Qwen2-VL, Qwen2.5-VL, Qwen3-VL, InternVL, LLaVA with SigLIP.",
        )
    return family


def _name_for(path: Path) -> str:
    return re.sub(r"[^\w.+-]+", "-", path.stem).strip("-.")[:80] or "model"


def _check_room(sources: Sequence[Path], folder: Path, link: bool) -> None:
    need = 0 if link else sum(path.stat().st_size for path in sources)
    free = shutil.disk_usage(folder).free
    if need > free - 100_000_000:
        raise ModelError(
            f"The model needs {need / 1e9:.1f} GB and the disk has {free / 1e9:.1f} GB free.",
            hint="Free some room, or use --link.",
        )


def _bring(sources: Sequence[Path], folder: Path, link: bool, progress: Progress) -> list[ModelFile]:
    total, done, files = sum(path.stat().st_size for path in sources), 0, []
    for source in sources:
        target = folder / source.name
        if link:
            target.symlink_to(source.resolve())
        else:
            with source.open("rb") as reading, target.open("xb") as writing:
                while block := reading.read(_BLOCK):
                    writing.write(block)
                    done += len(block)
                    progress(done, total)
                writing.flush()
                os.fsync(writing.fileno())
        files.append(models.describe_file(target))
    return files


def _describe(request: ImportRequest, name: str, folder: Path, files: list[ModelFile], family: Family) -> Model:
    left = list(files)
    text = left.pop(0)
    image = left.pop(0) if request.image else None
    adapter = left.pop(0) if request.adapter else None
    own_template = "tokenizer.chat_template" in gguf_head.read(folder / text.file).keys
    return Model(
        folder,
        name,
        text,
        image=image,
        adapter=adapter,
        title=request.text.stem,
        family=family.name,
        profile=request.profile,
        template="" if own_template else family.template,
        begin=family.begin,
        multiple_of=family.multiple_of,
        min_pixels=family.min_pixels,
        max_pixels=family.max_pixels,
        context=IMPORTED_CONTEXT,
    )
