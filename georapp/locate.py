"""One photo -> one prediction: scale, ask, read, decode, check, and say what the samples agree on."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from types import TracebackType

from PIL import Image

from georapp import gazetteer, models, uncertainty
from georapp.chain import Chain, Level, Region
from georapp.chat import chat_prompt
from georapp.decoding import sample_of
from georapp.engine import Answer, Engine, EngineFiles, EngineOptions
from georapp.errors import AnswerError, ModelError
from georapp.families import MARKER, fit
from georapp.gazetteer import Gazetteer
from georapp.geo import Coordinate, distance_km
from georapp.models import Model
from georapp.network import Pixels
from georapp.photo import Photo, scaled_to
from georapp.prediction import Check, Prediction, Timing
from georapp.prompt import Decode, Profile, profile_named
from georapp.sampler import Sampling
from georapp.tower import OnnxTower

OnText = Callable[[int, str], None]
CITY_KM = 25.0


@dataclass(frozen=True, slots=True)
class Request:
    """How to ask. None: the model's own setting."""

    samples: int | None = None
    seed: int = 0
    temperature: float | None = None
    decode: Decode | None = None


class Locator:
    """A loaded model that locates photos, one at a time. `stop` may be set from another thread."""

    def __init__(self, model: Model, engine: Engine, prompt: str, places: Gazetteer) -> None:
        self.model, self.engine, self._prompt, self._places = model, engine, prompt, places
        self.profile: Profile = profile_named(model.profile)
        self.stop = engine.stop

    @classmethod
    def open(cls, model: Model, options: EngineOptions) -> Locator:
        """Check the files, load them. Raises ModelError."""
        heads = models.check_heads(model)
        if not model.image:
            raise ModelError(
                f"{model.name} has no image part and cannot see photos.", hint="Import it together with its mmproj file."
            )
        adapters = ((model.path(model.adapter), 1.0),) if model.adapter else ()
        files = EngineFiles(model.path(model.text), model.path(model.image), adapters)
        engine = Engine.open(files, options, begin=model.begin)
        try:
            template = model.template or str(heads[0].keys.get("tokenizer.chat_template", ""))
            question = profile_named(model.profile).question
            prompt = chat_prompt(template, question, image=MARKER, words=engine.text.special_words())
            return cls(model, engine, prompt, gazetteer.load())
        except BaseException:
            engine.close()
            raise

    def __enter__(self) -> Locator:
        return self

    def __exit__(self, _type: type[BaseException] | None, _error: BaseException | None, _traceback: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Give everything back."""
        self.engine.close()

    def locate(self, photo: Photo, request: Request = Request(), on_text: OnText | None = None) -> Prediction:
        """Ask the model. Raises Stopped, PhotoError, ModelError; an answer that cannot be read is a prediction all the same."""
        start = time.perf_counter()
        samples = request.samples or self.model.samples
        temperature = self.model.temperature if request.temperature is None else request.temperature
        if samples == 1 and request.temperature is None:
            temperature = 0.0  # a single answer is the most probable one
        answer = self.engine.answer(
            self._prompt,
            [self.pixels(photo.pixels())],
            samples=samples,
            max_tokens=self.profile.max_tokens,
            sampling=Sampling(temperature, self.model.top_p),
            seed=request.seed,
            on_text=on_text,
        )
        return self._prediction(answer, request.decode or self.model.decode, start)

    def pixels(self, image: Image.Image) -> Pixels:
        """The photo as this model's image part wants it. Nothing but pixels goes on from here."""
        if isinstance(self.engine.tower, OnnxTower):
            image = scaled_to(image, self.engine.tower.size)
        else:
            m = self.model
            size = fit(*image.size, multiple_of=m.multiple_of, min_pixels=m.min_pixels, max_pixels=m.max_pixels)
            image = scaled_to(image, size)
        return Pixels(image.tobytes(), image.width, image.height)

    def _prediction(self, answer: Answer, decode: Decode, start: float) -> Prediction:
        samples = tuple(
            sample_of(text, done, self.profile, decode, self._places)
            for text, done in zip(answer.texts, answer.finished, strict=True)
        )
        levels = uncertainty.agreements(samples, self._key)
        groups = uncertainty.candidates(samples)
        best = groups[0] if groups else None
        centre = best.coordinate if best else None
        t = answer.timings
        return Prediction(
            stated=uncertainty.stated(levels, centre, self.model.needed),
            best=centre,
            radius_50_km=uncertainty.circle_km(centre, samples, 0.5) if centre else None,
            radius_90_km=uncertainty.circle_km(centre, samples, 0.9) if centre else None,
            samples=samples,
            agreements=levels,
            candidates=groups,
            checks=checks(best.chain, best.coordinate, self._places) if best else (),
            timing=Timing(
                t.image_s,
                t.first_token_s,
                t.tokens,
                t.tokens / t.generate_s if t.generate_s else 0.0,
                time.perf_counter() - start,
            ),
        )

    def _key(self, region: Region) -> str:
        """USA and United States are the same country."""
        if region.level is Level.COUNTRY:
            return self._places.country_code(region.name) or region.key
        return region.key


def checks(chain: Chain, coordinate: Coordinate, places: Gazetteer) -> tuple[Check, ...]:
    """Each written region beside the one that the coordinate lies in."""
    label = places.label(coordinate)
    code = places.country_code(chain.name(Level.COUNTRY) or "")
    lies_in = {
        Level.CONTINENT: label.continent,
        Level.COUNTRY: label.country,
        Level.PROVINCE: label.province,
        Level.CITY: label.city,
    }
    found = []
    for level, region_name in lies_in.items():
        written = chain.name(level)
        agrees: bool | None = None
        if written and region_name:
            agrees = Region(level, written) == Region(level, region_name)
            if level is Level.COUNTRY and code:
                agrees = code == label.country_code
            elif level is Level.PROVINCE and not agrees and code and code == label.country_code:
                agrees = places.province_code(written, code) == label.province_code
            elif level is Level.CITY and not agrees:
                agrees = _near_its_city(chain, coordinate, places)
        if written or region_name:
            found.append(Check(level, written, region_name, agrees))
    return tuple(found)


def _near_its_city(chain: Chain, coordinate: Coordinate, places: Gazetteer) -> bool:
    """Whether the coordinate lies within 25 km of the city that is written: districts and suburbs have names of their own."""
    city = places.locate(chain)
    return city is not None and city.kind == "city" and distance_km(city.coordinate, coordinate) <= CITY_KM


def complete_regions(text: str, profile: Profile) -> Sequence[Region]:
    """The regions in the complete lines of a text that is still being written."""
    whole, newline, _ = text.rpartition("\n")
    if not newline:
        return ()
    try:
        return profile.read(whole).chain.regions
    except AnswerError:
        return ()
