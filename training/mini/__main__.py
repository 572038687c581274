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
from georapp.geo import distance_km
from training.album import Album, AlbumPhoto, bucket, read_album, write_table
from training.mini.corpus import MovedExamples, RealExamples, Towns, answer_text
from training.mini.crossfit import THRESHOLDS_KM, CrossFit, cross_fit, trained_trunk
from training.mini.decoder import RowsLlama, build
from training.mini.pretrain import pretrain
from training.mini.probe import chosen_ridge, fit_probe
from training.mini.publish import Finished, publish
from training.mini.settings import Settings
from training.mini.sft import fine_tune
from training.mini.thresholds import Judged, judged, needed_shares
from training.mini.trunk import Trunk, in_batches
from training.mini.views import cached_views
from training.mini.vocabulary import Vocabulary, make_vocabulary

HELD_OUT_PERCENT = 15  # of the photographers: thresholds are chosen on their photos, which the text model is not tuned on


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
        real = RealExamples(cross.records, self.photos)
        held_out = torch.tensor([bucket(photo.author, "held out") < HELD_OUT_PERCENT for photo in self.photos])
        decoder = self._tuned(vocabulary, real, cross, cross.rows(~held_out))
        needed = self._thresholds(decoder, vocabulary, real, cross, cross.rows(held_out, whole_only=True))
        references = in_batches(trunk, views[:, 0])
        ridge = chosen_ridge(cross.features, cross.fold, self.photos)
        probe = fit_probe(references, self.photos, ridge)
        return Finished(trunk, decoder, vocabulary, self.photos, references, probe, needed)

    def _towers(self) -> tuple[Tensor, CrossFit, Trunk]:
        settings = self.settings
        views = cached_views(self.photos, Trunk(settings.tower), settings.tower, self.work / "views.pt", seed=settings.seed)
        cross = cross_fit(self.photos, views, settings, self.work)
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
                moved = self._moved(cross, self.settings.seed + number, phase.favour)
                pretrain(model, vocabulary, moved, self.settings, phase)
                torch.save(model.state_dict(), file)
        return model

    def _moved(self, cross: CrossFit, seed: int, favour: float = 1.0) -> MovedExamples:
        return MovedExamples(cross.records, self.photos, self.towns, seed=seed, favour=favour)

    def _tuned(self, vocabulary: Vocabulary, real: RealExamples, cross: CrossFit, rows: Tensor) -> RowsLlama:
        model = self._pretrained(vocabulary, cross)
        file = self.work / "tuned.pt"
        if file.exists():
            model.load_state_dict(torch.load(file))
        else:
            moved = self._moved(cross, self.settings.seed + 10)
            log = fine_tune(model, vocabulary, real, moved, rows, self.settings, self.work)
            print(f"fine-tuning: loss {[line['loss'] for line in log if 'loss' in line]}", flush=True)
            torch.save(model.state_dict(), file)
        return model

    def _thresholds(
        self, model: RowsLlama, vocabulary: Vocabulary, real: RealExamples, cross: CrossFit, rows: Tensor
    ) -> dict[Level, float]:
        samples, temperature = self.settings.answer.samples, self.settings.answer.temperature
        torch.manual_seed(self.settings.seed)
        texts = [
            answer
            for part in rows.split(32)
            for answer in model.answers(vocabulary, real.evidence(part), samples=samples, temperature=temperature)
        ]
        truths = [self.photos[i].chain for i in cross.records.photo[rows].tolist()]
        found = [judged(answers, truth) for answers, truth in zip(texts, truths, strict=True)]
        for away in (False, True):
            chosen = [
                (photo, truth) for photo, truth, a in zip(found, truths, cross.is_new[rows].tolist(), strict=True) if a == away
            ]
            _say("own place taken away" if away else "as it is", [p for p, _ in chosen], [t for _, t in chosen])
        return needed_shares(found, samples, self.settings.answer.needed_right)


def _say(what: str, photos: Sequence[Judged], truths: Sequence[Chain]) -> None:
    distances = [
        distance_km(photo.best, truth.coordinate) if photo.best and truth.coordinate else float("inf")
        for photo, truth in zip(photos, truths, strict=True)
    ]
    shares = " ".join(f"<={limit} km {np.mean(np.array(distances) <= limit):.3f}" for limit in THRESHOLDS_KM)
    print(f"text model, held-out photographers, {what}, n={len(photos)}: {shares}", flush=True)


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
