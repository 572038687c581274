"""Model folders: a text model, its image part, perhaps an adapter, and model.json, which says what they are and how to ask them.

models/<name>/model.json
              text.gguf           names are free, model.json has them
              mmproj.gguf         or tower.onnx
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from georapp import gguf_head, paths
from georapp.chain import Level
from georapp.errors import ModelError
from georapp.prompt import Decode, profile_named
from georapp.uncertainty import DEFAULT_NEEDED

FORMAT = 1
MANIFEST = "model.json"
DEFAULT = "georapp-mini"
MAX_MANIFEST = 1_000_000  # bytes


@dataclass(frozen=True, slots=True)
class ModelFile:
    """One file of a model folder, by its plain name."""

    file: str
    sha256: str
    bytes: int


@dataclass(frozen=True, slots=True)
class Model:
    """What model.json says. `needed`: the share of samples that must agree before a level is stated, see uncertainty.py."""

    folder: Path
    name: str
    text: ModelFile
    image: ModelFile | None = None
    adapter: ModelFile | None = None
    references: ModelFile | None = None  # features and places of photos that the model was trained on
    title: str = ""
    about: str = ""
    licence: str = ""
    family: str = ""
    profile: str = "georapp"
    decode: Decode = Decode.AUTO
    template: str = ""  # chat template that replaces the one in the text model
    begin: bool = False  # prompts start with the BOS token
    samples: int = 8
    temperature: float = 1.0
    top_p: float = 1.0
    context: int = 4096
    max_image_tokens: int = 0
    multiple_of: int = 1  # what photos are scaled to before an mmproj sees them, see families.fit
    min_pixels: int = 0
    max_pixels: int = 4096 * 4096
    needed: Mapping[Level, float] = field(default_factory=lambda: dict(DEFAULT_NEEDED))
    made_by: Mapping[str, Any] = field(default_factory=dict)

    @property
    def files(self) -> tuple[ModelFile, ...]:
        """Every file that belongs to the model."""
        return tuple(file for file in (self.text, self.image, self.adapter, self.references) if file)

    def path(self, file: ModelFile) -> Path:
        """Where a file lies."""
        return self.folder / file.file

    @property
    def sha256(self) -> str:
        """One hash for the whole model, to be kept with every result."""
        return hashlib.sha256("\n".join(f"{file.file} {file.sha256}" for file in self.files).encode()).hexdigest()


_FILES = ("text", "image", "adapter", "references")
_PLAIN = ("title", "about", "licence", "family", "profile", "template")
_NUMBERS = ("samples", "context", "max_image_tokens", "multiple_of", "min_pixels", "max_pixels")


def read(folder: Path) -> Model:
    """Read model.json. Raises ModelError when it is missing, damaged, newer than this program, or names files outside its folder."""
    path = folder / MANIFEST
    try:
        with path.open("rb") as file:
            data = json.loads(file.read(MAX_MANIFEST))
    except FileNotFoundError as error:
        raise ModelError(
            f"{folder} is not a model folder: it has no {MANIFEST}.", hint="Make one with: georapp models import"
        ) from error
    except OSError as error:
        raise ModelError(f"{path} cannot be opened: {(error.strerror or str(error)).lower()}.") from error
    except (ValueError, RecursionError) as error:
        raise ModelError(f"{path} is damaged: it is not JSON.", hint="Import the model again.") from error
    try:
        return _model(folder, data)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise ModelError(f"{path} is damaged: {error}.", hint="Import the model again.") from error


def _model(folder: Path, data: dict[str, Any]) -> Model:
    if int(data["format"]) > FORMAT:
        raise ModelError(f"The model in {folder} was made for a newer georapp.", hint="Update georapp.")
    profile_named(str(data.get("profile", "georapp")))
    given: dict[str, Any] = {key: _file(data[key]) for key in _FILES if data.get(key)}
    given |= {key: str(data[key]) for key in _PLAIN if key in data}
    given |= {key: int(data[key]) for key in _NUMBERS if key in data}
    return Model(
        folder=folder,
        name=str(data["name"]),
        **given,
        decode=Decode(data.get("decode", "auto")),
        begin=bool(data.get("begin", False)),
        temperature=float(data.get("temperature", 1.0)),
        top_p=float(data.get("top_p", 1.0)),
        needed=DEFAULT_NEEDED | {Level[level.upper()]: float(share) for level, share in data.get("needed", {}).items()},
        made_by=dict(data.get("made_by", {})),
    )


def _file(data: dict[str, Any]) -> ModelFile:
    name = str(data["file"])
    if Path(name).name != name or name in (".", "..", ""):
        raise ValueError(f"the file name {name!r} leads out of the folder")
    return ModelFile(name, str(data["sha256"]), int(data["bytes"]))


def manifest(model: Model) -> str:
    """The text of model.json. Values that are their defaults are left out."""
    data: dict[str, Any] = {"format": FORMAT, "name": model.name}
    plain = Model(model.folder, model.name, model.text)
    for key in (*_PLAIN, *_NUMBERS, "begin", "temperature", "top_p"):
        if getattr(model, key) != getattr(plain, key):
            data[key] = getattr(model, key)
    data["decode"] = model.decode.value
    for key in _FILES:
        if file := getattr(model, key):
            data[key] = {"file": file.file, "sha256": file.sha256, "bytes": file.bytes}
    data["needed"] = {level.word: share for level, share in model.needed.items()}
    data["made_by"] = dict(model.made_by)
    return json.dumps(data, ensure_ascii=False, indent=2) + "\n"


def describe_file(path: Path) -> ModelFile:
    """Name, hash and size of a file on disk."""
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return ModelFile(path.name, digest, path.stat().st_size)


def folders() -> Iterator[Path]:
    """Model folders: the user's, then the ones that come with the program. Those that this user may not read are left out."""
    for place in (paths.user_models(), paths.built_in_models()):
        try:
            found = sorted(place.iterdir())
        except OSError:  # mostly because the user has no models
            continue
        yield from (folder for folder in found if _has_manifest(folder))


def _has_manifest(folder: Path) -> bool:
    try:
        return (folder / MANIFEST).is_file()
    except OSError:  # a folder that is closed to this user
        return False


def find(name: str = "") -> Model:
    """A model by name or folder; the embedded default for "". Raises ModelError with the names that there are."""
    name = name or DEFAULT
    for folder in folders():
        if folder.name == name:
            return read(folder)
    if _has_manifest(Path(name)):
        return read(Path(name))
    known = ", ".join(dict.fromkeys(folder.name for folder in folders())) or "none"
    raise ModelError(
        f"There is no model {name!r}.", hint=f"Models: {known}. Add one with: georapp models import TEXT.gguf MMPROJ.gguf"
    )


# ---- checks ----


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was checked: `good` or not, and a sentence."""

    good: bool
    sentence: str


def check(model: Model) -> Iterator[Finding]:
    """Everything that can be said without loading the model: files, hashes, heads, pair, memory."""
    whole = True
    for file in model.files:
        finding = _check_file(model, file)
        whole &= finding.good
        yield finding
    if not whole:
        return
    try:
        heads = check_heads(model)
    except ModelError as error:
        yield Finding(False, str(error))
        return
    text = heads[0]
    yield Finding(True, f"{text.architecture}, {text.parameters / 1e6:.0f} million weights, mostly {text.quantisation}.")
    if len(heads) > 1 or model.image:
        yield Finding(
            True,
            "Text model and image part belong together."
            if text.pair
            else "Nothing speaks against this pair; it carries no pair id.",
        )
    else:
        yield Finding(False, "There is no image part: this model cannot see photos.")
    yield memory_finding(model, text)


def check_heads(model: Model) -> list[gguf_head.Head]:
    """The checked heads of all GGUF files, the text model first. Raises ModelError, also when the files do not fit each other."""
    text = gguf_head.read(model.path(model.text))
    heads = [text]
    if text.kind != "model":
        raise ModelError(f"{model.text.file} is no text model but of kind {text.kind}.")
    if model.image and model.image.file.lower().endswith(".gguf"):
        image = gguf_head.read(model.path(model.image))
        gguf_head.check_pair(text, image)
        heads.append(image)
    if model.adapter:
        adapter = gguf_head.read(model.path(model.adapter))
        if adapter.kind != "adapter" or adapter.architecture != text.architecture:
            raise ModelError(
                f"{model.adapter.file} is no adapter for {model.text.file}.",
                hint="Use the adapter that was trained on this model.",
            )
        heads.append(adapter)
    return heads


def _check_file(model: Model, file: ModelFile) -> Finding:
    try:
        found = describe_file(model.path(file))
    except OSError as error:
        return Finding(False, f"{file.file} cannot be read: {(error.strerror or str(error)).lower()}.")
    if found.bytes != file.bytes:
        return Finding(False, f"{file.file} has {found.bytes:,} bytes and should have {file.bytes:,}.")
    if found.sha256 != file.sha256:
        return Finding(False, f"{file.file} was changed: its SHA-256 is not the one in {MANIFEST}.")
    return Finding(True, f"{file.file}: {file.bytes / 1e6:.1f} MB, SHA-256 as recorded.")


def memory_terms(model: Model, text: gguf_head.Head) -> dict[str, int]:
    """Bytes that the model will need, by term; formulas checked against llama.cpp's own log to within 3 %."""
    heads, kv_heads = text.number("attention.head_count"), text.number("attention.head_count_kv")
    head = text.number("attention.key_length") or text.width // max(1, heads)
    context = min(model.context, text.number("context_length") or model.context)
    table = text.tensors.get("output.weight") or text.tensors.get("token_embd.weight")
    words = table.shape[1] if table and len(table.shape) == 2 else 0
    image = model.image.bytes * 2 if model.image else 0  # the file, and about as much to compute with
    return {
        "weights": model.text.bytes,
        "memory of the context": context * text.number("block_count") * (kv_heads or heads) * head * 2 * 2,
        "computing": 512 * words * 4,
        "image part": image,
        "adapter": model.adapter.bytes if model.adapter else 0,
        "program": 350_000_000,
    }


def memory_finding(model: Model, text: gguf_head.Head) -> Finding:
    """Whether the model fits the memory that is free now."""
    terms = memory_terms(model, text)
    need, free = sum(terms.values()), _free_memory()
    parts = ", ".join(f"{name} {size / 1e9:.2f}" for name, size in terms.items() if size)
    if free is None:
        return Finding(True, f"Needs about {need / 1e9:.1f} GB of memory ({parts}).")
    fits = need < free
    return Finding(
        fits, f"Needs about {need / 1e9:.1f} of {free / 1e9:.1f} GB free memory ({parts}){'' if fits else ': too little'}."
    )


def _free_memory() -> int | None:
    """Bytes that a new program can have, where the system says (Linux)."""
    try:
        lines = Path("/proc/meminfo").read_text("ascii").splitlines()
    except OSError:
        return None
    available = next((line.split()[1] for line in lines if line.startswith("MemAvailable")), None)
    return int(available) * 1024 if available else None


def sync_folder(folder: Path) -> None:
    """Make renames in a folder safe against power loss, where the system can."""
    if os.name == "nt":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
