"""Everything that may be shown to a person as it is. Any other exception is a bug.

GeorappError            a sentence: what happened, which file, why; and a hint: what to do
├── PhotoError          a photo cannot be opened or is refused
├── ModelError          a model folder or file cannot be used, or the model stopped
│   ├── WorkerDied      the inference process ended in the middle of a photo
│   └── WorkerStuck     the inference process did not answer in time and was ended
├── AnswerError         the model's text holds no answer
├── GazetteerError      the place data is missing or damaged
├── DatasetError        a table of photos cannot be used
├── ResultsError        results cannot be read or written
├── MapError            a map file cannot be read
├── RunError            a training run, its settings or its files cannot be used
├── SettingsError       the user's choices cannot be kept
├── WindowError         the window cannot be opened
├── NotationError       a text is no coordinate
└── CaseError           a case file cannot be opened, read or written
    └── CaseSilent      its disk or network does not answer
Stopped                 not an error: somebody asked for it
"""

from __future__ import annotations


class GeorappError(Exception):
    """A sentence for a person (`str(error)`), and what to do about it (`error.hint`, may be empty)."""

    def __init__(self, sentence: str, *, hint: str = "") -> None:
        super().__init__(sentence)
        self.hint = hint


class PhotoError(GeorappError):
    """A photo cannot be opened or is refused."""


class ModelError(GeorappError):
    """A model folder or file cannot be used, or the model stopped."""


class WorkerDied(ModelError):
    """The inference process ended in the middle of a photo. The message names the cause."""


class WorkerStuck(ModelError):
    """The inference process did not answer in time and was ended."""


class AnswerError(GeorappError):
    """The model's text holds no answer."""


class GazetteerError(GeorappError):
    """The place data is missing or damaged."""


class DatasetError(GeorappError):
    """A table of photos, or the folder it speaks of, cannot be used."""


class ResultsError(GeorappError):
    """Results cannot be read or written."""


class RunError(GeorappError):
    """A training run, its settings or its files cannot be used."""


class SettingsError(GeorappError):
    """The user's choices cannot be kept."""


class MapError(GeorappError):
    """A map file cannot be read."""


class WindowError(GeorappError):
    """The window cannot be opened."""


class CaseError(GeorappError):
    """A case file cannot be opened, read or written."""


class CaseSilent(CaseError):
    """The disk or the network of a case does not answer."""


class NotationError(GeorappError):
    """A text is no coordinate."""


class Stopped(Exception):
    """Somebody asked for it."""
