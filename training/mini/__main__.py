"""python -m training.mini PHOTOS OUT: the embedded model from an album, in about an hour and a half on two cores."""

from __future__ import annotations

import argparse
import hashlib
import random
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from georapp import gazetteer
from georapp.chain import Chain, Level
from training.album import Album, AlbumPhoto, bucket, read_album, write_table
from training.mini.corpus import RealExamples, answer_text
from training.mini.crossfit import THRESHOLDS_KM, CrossFit, cross_fit, seen, trained_trunk
from training.mini.decoder import RowsLlama, build
from training.mini.evidence import RowWriter, references_of
from training.mini.moved import MovedExamples, Towns
from training.mini.pretrain import pretrain
from training.mini.publish import Finished, publish
from training.mini.settings import HELD_OUT_PERCENT, Settings
from training.mini.sft import fine_tune
from training.mini.thresholds import Judged, judged, mean_geoscore, needed_shares, off_km
from training.mini.trunk import Trunk, in_batches
from training.mini.views import cached_views
from training.mini.vocabulary import Vocabulary, make_vocabulary


class Making:
    """One run. Every slow step leaves a file in `work` and is not done again while that lies there."""

    def __init__(self, album: Album, work: Path, settings: Settings) -> None:
        self.album, self.work, self.settings = album, work, settings
        self.photos: Sequence[AlbumPhoto] = album.fit
        work.mkdir(parents=True, exist_ok=True)
        self.towns = Towns(gazetteer.load(), settings.text.smallest_town)

    def run(self) -> Finished:
        """Everything, in order."""
        views, cross, trunk = self._towers()
        vocabulary = self._vocabulary()
        real = RealExamples(cross.records, self.photos, RowWriter(vocabulary))
        held_out = torch.tensor([bucket(photo.author, "held out") < HELD_OUT_PERCENT for photo in self.photos])
        decoder = self._tuned(vocabulary, real, cross, cross.to_tune(~held_out))
        temperature, needed = self._answering(decoder, vocabulary, real, cross, cross.to_judge(held_out))
        references = references_of(in_batches(trunk, views[:, 0]), self.photos, self.settings.evidence, cross.ridge)
        return Finished(trunk, decoder, vocabulary, self.photos, references, temperature, needed)

    def _towers(self) -> tuple[Tensor, CrossFit, Trunk]:
        settings = self.settings
        views = cached_views(self.photos, Trunk(settings.tower), settings.tower, self.work / "views.pt", seed=settings.seed)
        cross = cross_fit(self.photos, seen(self.photos, views, settings, self.work), settings.evidence)
        trunk = trained_trunk(self.photos, views, settings, self.work / "trunk.pt", seed=settings.seed, say="")
        return views, cross, trunk

    def _vocabulary(self) -> Vocabulary:
        texts = [*self.towns.every_text(), *(answer_text(photo.chain) for photo in self.photos)]
        return make_vocabulary(texts, self.settings.text.vocabulary)

    def _pretrained(self, vocabulary: Vocabulary, cross: CrossFit) -> RowsLlama:
        model = build(self.settings.text, vocabulary, seed=self.settings.seed)
        for number, phase in enumerate(self.settings.text.pretrain_phases):
            file = self.work / f"pretrained_{number}.pt"
            if file.exists():
                model.load_state_dict(torch.load(file))
            else:
                moved = self._moved(cross, vocabulary, self.settings.seed + number, phase.favour)
                pretrain(model, vocabulary, moved, self.settings, phase)
                torch.save(model.state_dict(), file)
        return model

    def _moved(self, cross: CrossFit, vocabulary: Vocabulary, seed: int, favour: float) -> MovedExamples:
        return MovedExamples(cross.records, self.photos, self.towns, RowWriter(vocabulary), seed=seed, favour=favour)

    def _tuned(self, vocabulary: Vocabulary, real: RealExamples, cross: CrossFit, rows: Tensor) -> RowsLlama:
        model = self._pretrained(vocabulary, cross)
        file = self.work / "tuned.pt"
        if file.exists():
            model.load_state_dict(torch.load(file))
        else:
            moved = self._moved(cross, vocabulary, self.settings.seed + 10, self.settings.text.sft_favour)
            log = fine_tune(model, vocabulary, real, moved, rows, self.settings, self.work)
            print(f"fine-tuning: loss {[line['loss'] for line in log if 'loss' in line]}", flush=True)
            torch.save(model.state_dict(), file)
        return model

    def _answering(
        self, model: RowsLlama, vocabulary: Vocabulary, real: RealExamples, cross: CrossFit, rows: Tensor
    ) -> tuple[float, dict[Level, float]]:
        """The temperature with the best GeoScore on these examples, and how many samples must agree at it."""
        answer = self.settings.answer
        truths = [self.photos[i].chain for i in cross.records.photo[rows].tolist()]
        found: dict[float, list[Judged]] = {}
        for temperature in answer.temperatures:
            torch.manual_seed(self.settings.seed)
            texts = [
                answers
                for part in rows.split(32)
                for answers in model.answers(vocabulary, real.evidence(part), samples=answer.samples, temperature=temperature)
            ]
            found[temperature] = [judged(samples, truth) for samples, truth in zip(texts, truths, strict=True)]
            _say(temperature, found[temperature], truths, cross.is_new[rows].tolist())
        best = max(found, key=lambda temperature: mean_geoscore(found[temperature], truths))
        return best, needed_shares(found[best], answer.samples, answer.needed_right)


def _say(temperature: float, photos: Sequence[Judged], truths: Sequence[Chain], is_new: Sequence[bool]) -> None:
    for away in (False, True):
        chosen = [(photo, truth) for photo, truth, a in zip(photos, truths, is_new, strict=True) if a == away]
        distances = np.array([off_km(photo, truth) for photo, truth in chosen])
        shares = " ".join(f"<={limit} km {np.mean(distances <= limit):.3f}" for limit in THRESHOLDS_KM)
        what = "own place taken away" if away else "as they are"
        score = mean_geoscore([photo for photo, _ in chosen], [truth for _, truth in chosen])
        print(
            f"held-out photographers at {temperature:g}, {what}, n={len(chosen)}: {shares}, GeoScore {score:.0f}",
            flush=True,
        )


def main(argv: Sequence[str] | None = None) -> None:
    """Train and write the model folder OUT, and beside it the tables of the photos to report on."""
    parser = argparse.ArgumentParser(prog="python -m training.mini", description=__doc__)
    parser.add_argument("photos", type=Path, help="folder with photos.csv and the photos")
    parser.add_argument("out", type=Path, help="model folder to write")
    parser.add_argument("--work", type=Path, default=Path("runs/mini"), help="folder for what lies between (default: runs/mini)")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args(argv)
    settings = replace(Settings(), seed=options.seed)
    torch.set_num_threads(settings.threads)
    torch.manual_seed(settings.seed)
    random.seed(settings.seed)
    np.random.seed(settings.seed)
    album = read_album(options.photos)
    options.work.mkdir(parents=True, exist_ok=True)
    write_table(album.known, options.work / "known.csv", options.photos)
    write_table(album.new, options.work / "new.csv", options.photos)
    table = hashlib.sha256((options.photos / "photos.csv").read_bytes()).hexdigest()
    made_by = {
        "command": f"python -m training.mini PHOTOS OUT --seed {settings.seed}",
        "photos": len(album.fit),
        "photographers": len({photo.author for photo in album.fit}),
        "table_sha256": table,
    }
    publish(Making(album, options.work, settings).run(), options.out, settings, made_by)


if __name__ == "__main__":
    main()
