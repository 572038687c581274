"""The panel of the answer, its ladder and its verdict bar: they show what they are given, in every state, as plain characters."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QKeySequence, QShortcut
from PySide6.QtWidgets import QAbstractButton, QApplication, QComboBox, QLabel, QLineEdit, QPushButton, QWidget
from pytestqt.qtbot import QtBot

from georapp import events
from georapp.case import Answer, Row, Ruling, State, Verdict
from georapp.chain import Chain, Level, render
from georapp.geo import Coordinate
from georapp.gui import look
from georapp.gui.answer.ladder import Ladder
from georapp.gui.answer.model_text import ModelText
from georapp.gui.answer.panel import AnswerPanel
from georapp.gui.answer.verdict_bar import VerdictBar
from georapp.gui.plain import shown, tooltip
from georapp.notation import Notation, write
from georapp.prediction import Check, Prediction, Sample, Timing
from georapp.uncertainty import agreements, candidates, circle_km, stated
from tests.gui.showing import expose

AVIGNON, NIMES, GIRONA = Coordinate(43.9508, 4.8075), Coordinate(43.8367, 4.3601), Coordinate(41.9794, 2.8214)
PROVENCE = "Provence-Alpes-Côte d’Azur"
HALF = dict.fromkeys(Level, 0.5)


@pytest.fixture
def panel(qtbot: QtBot) -> AnswerPanel:
    made = AnswerPanel()
    qtbot.addWidget(made)
    made.resize(320, 900)
    made.show()
    return made


@pytest.fixture
def ladder(qtbot: QtBot) -> Ladder:
    made = Ladder()
    qtbot.addWidget(made)
    made.resize(280, 500)
    made.show()
    return made


@pytest.fixture
def bar(qtbot: QtBot) -> VerdictBar:
    made = VerdictBar()
    qtbot.addWidget(made)
    made.show()
    return made


def sample(*names: str, at: Coordinate | None = None, text: str = "", finished: bool = True) -> Sample:
    """One answer; without names it could not be read."""
    if not names:
        return Sample(text or "A nice photo.", finished)
    chain = Chain.of(zip(Level, names, strict=False), at)
    return Sample(text or render(chain), finished, chain, True, at, "coordinates" if at else "")


def prediction(*samples: Sample, checks: tuple[Check, ...] = ()) -> Prediction:
    levels, groups = agreements(samples), candidates(samples)
    best = groups[0].coordinate if groups else None
    radii = [circle_km(best, samples, share) if best else None for share in (0.5, 0.9)]
    return Prediction(stated(levels, best, HALF), best, radii[0], radii[1], samples, levels, groups, checks)


def mixed(**more: tuple[Check, ...]) -> Prediction:
    """Province stated by 4 of 8, no city."""
    return prediction(
        *[sample("Europe", "France", PROVENCE, "Avignon", at=AVIGNON)] * 2,
        *[sample("Europe", "France", PROVENCE, "Nîmes", at=NIMES)] * 2,
        *[sample("Europe", "France", "Occitanie", "Arles", at=NIMES)] * 2,
        *[sample("Europe", "Spain", "Catalonia", "Girona", at=GIRONA)] * 2,
        **more,
    )


def exact() -> Prediction:
    return prediction(*[sample("Europe", "France", PROVENCE, "Avignon", at=AVIGNON)] * 8)


def row(number: int = 1, state: State = State.LOCATED) -> Row:
    return Row(number, Path("a.jpg"), "0" * 64, state, None, "", "", None, None, None, "", "", Ruling.NONE)


def answer(
    found: Prediction, *, number: int = 1, model: str = "georapp-mini", at: str = "2026-11-21T18:03:11.000+00:00"
) -> Answer:
    located = events.Located("1", model, "0" * 64, 1, "chain", 0, 0.7, found)
    return Answer(number, at, model, json.dumps(events.to_plain(located)))


def failed(**more: tuple[str, ...]) -> events.Failed:
    return events.Failed("1", "The process ran out of memory.", "WorkerDied", "Choose a smaller model.", **more)


def visible(panel: AnswerPanel | Ladder) -> str:
    """Every word that can be seen."""
    return "\n".join(label.text() for label in panel.findChildren(QLabel) if label.isVisible())


def button(parent: VerdictBar | AnswerPanel, name: str) -> QPushButton:
    found = parent.findChild(QPushButton, name)
    assert isinstance(found, QPushButton)
    return found


def coordinates(bar: VerdictBar) -> QLineEdit:
    found = bar.findChild(QLineEdit, "coordinates")
    assert isinstance(found, QLineEdit)
    return found


def note_field(bar: VerdictBar) -> QLineEdit:
    return next(field for field in bar.findChildren(QLineEdit) if field.accessibleName() == "Note")


# ---- the ladder ----


def test_a_stated_ladder_names_every_rung_and_how_many_agree(ladder: Ladder) -> None:
    ladder.show_prediction(exact())
    assert ladder.texts() == [
        "Continent: Europe, 8 of 8 agree",
        "Country: France, 8 of 8 agree",
        f"Province: {PROVENCE}, 8 of 8 agree",
        "City: Avignon, 8 of 8 agree",
        "Coordinates: 43.9508, 4.8075, 8 of 8 near",
    ]


def test_a_rung_that_is_not_stated_says_why_and_what_was_named(ladder: Ladder) -> None:
    ladder.show_prediction(mixed())
    texts = ladder.texts()
    assert texts[1] == "Country: France, 6 of 8 agree"
    assert texts[3] == "City: no city: samples disagree, Avignon 2 · Nîmes 2 · Arles 2 · Girona 2"
    assert texts[4].startswith("Coordinates: no exact place: the city is not stated, most central answer: 43.8")


def test_each_reason_for_an_empty_rung(ladder: Ladder) -> None:
    ladder.show_prediction(prediction(sample("Europe"), sample("Europe"), sample("Europe", "France"), sample("Asia", "Japan")))
    assert "no country: samples disagree" in ladder.texts()[1]
    ladder.show_prediction(prediction(*[sample("Europe")] * 3, sample("Europe", "France")))
    assert "no country: only 1 of 4 samples names one" in ladder.texts()[1]
    assert "no province: no sample names one" in ladder.texts()[2]
    assert "no exact place: no sample has coordinates" in ladder.texts()[4]


def test_rungs_light_up_while_the_model_writes_and_may_go_out_again(ladder: Ladder) -> None:
    ladder.begin(samples=8)
    assert ladder.texts()[-1] == "Waiting for the model."
    for level, name in zip(Level, ("Europe", "France", PROVENCE, "Avignon"), strict=True):
        ladder.light(level, name)
    assert ladder.texts()[3] == "City: Avignon, City · first of 8 answers"
    assert "nothing is compared yet" in ladder.texts()[-1]
    ladder.show_prediction(mixed())
    assert "no city: samples disagree" in ladder.texts()[3]
    assert "first of its 8 answers" in ladder.texts()[-1]


def test_no_word_of_explanation_where_nothing_went_out(ladder: Ladder) -> None:
    ladder.begin(samples=8)
    for level, name in zip(Level, ("Europe", "France", PROVENCE, "avignon"), strict=True):
        ladder.light(level, name)
    ladder.show_prediction(exact())
    assert len(ladder.texts()) == 5


def test_a_contradiction_is_said_at_its_level(ladder: Ladder) -> None:
    checks = (
        Check(Level.CONTINENT, "Europe", "Europe", True),
        Check(Level.COUNTRY, "France", "Spain", False),
        Check(Level.CITY, "Nîmes", "Avignon", False),
    )
    ladder.show_prediction(mixed(checks=checks))
    texts = ladder.texts()
    assert "lie in" not in texts[0]
    assert texts[1].endswith("the coordinates lie in Spain")
    assert texts[3].endswith("the coordinates lie in Avignon, not in Nîmes")
    assert "⚠ the coordinates lie in Spain" in visible(ladder)


def test_coordinates_at_sea_are_said_at_the_country(ladder: Ladder) -> None:
    ladder.show_prediction(mixed(checks=(Check(Level.COUNTRY, "France", None, None),)))
    assert ladder.texts()[1].endswith("the coordinates lie in no country")


def test_only_rungs_with_a_name_can_be_chosen(ladder: Ladder, qtbot: QtBot) -> None:
    levels: list[object] = []
    places: list[object] = []
    ladder.rung_chosen.connect(levels.append)
    ladder.place_chosen.connect(places.append)
    ladder.show_prediction(mixed())
    for rung in ladder.findChildren(QAbstractButton):
        qtbot.mouseClick(rung, Qt.MouseButton.LeftButton)
    assert levels == [Level.CONTINENT, Level.COUNTRY, Level.PROVINCE]
    assert places == [mixed().best]


def test_names_are_characters_and_never_markup(ladder: Ladder) -> None:
    ladder.show_prediction(prediction(sample("Europe", "<b>France</b>", "\x1b[31mred\u202e", "مصر", at=AVIGNON)))
    assert "<b>France</b>" in visible(ladder)
    assert "\x1b" not in visible(ladder)
    assert "\u202e" not in visible(ladder)
    assert "مصر" in visible(ladder)
    assert all(label.textFormat() is Qt.TextFormat.PlainText for label in ladder.findChildren(QLabel))
    assert not any("<" in rung.toolTip() for rung in ladder.findChildren(QAbstractButton))


@pytest.mark.parametrize("name", ["Llanfairpwllgwyngyllgogerychwyrndrobwllllantysiliogogogoch", "W" * 5000, "Town " * 50])
def test_long_names_do_not_widen_the_panel(panel: AnswerPanel, name: str) -> None:
    found = prediction(*[sample("Europe", name, name, name, at=AVIGNON)] * 64, checks=(Check(Level.CITY, name, name * 2, False),))
    panel.resize(300, 900)
    panel.show_answer(row(), [answer(found, model=name)], 0)
    panel.set_truth(name, "bad")
    panel.set_verdicts([Verdict(Ruling.UNSURE, None, name, name)])
    QApplication.processEvents()
    assert panel.minimumSizeHint().width() <= 300
    assert panel.width() == 300
    assert panel.ladder.width() < 300


# ---- the panel ----


def test_an_empty_panel_says_what_to_do_and_blocks_verdicts_with_the_reason(panel: AnswerPanel) -> None:
    panel.show_empty("Drop a photo on the window.")
    assert panel.texts() == {"message": "Drop a photo on the window."}
    accept = button(panel, "accept")
    assert not accept.isEnabled()
    assert accept.toolTip() == "No photo is chosen."


def test_what_is_stated_is_said_with_what_comes_next(panel: AnswerPanel) -> None:
    panel.show_answer(row(), [answer(mixed())], 0)
    summary = panel.texts()["summary"]
    assert summary.startswith(f"Stated: {PROVENCE}, France.")
    assert "2 of 8 answers name Avignon." in summary
    assert "90 % of the 8 answers lie within" in summary
    assert "no probability" in summary
    assert "A lead, not proof." in summary


def test_not_localisable_is_an_answer_with_a_reason(panel: AnswerPanel) -> None:
    panel.show_answer(row(), [answer(prediction(sample("Europe"), sample("Asia"), sample("Africa")))], 0)
    assert panel.texts()["summary"].startswith("Not localisable: the answers disagree.\n1 of 3 answers names Europe.")
    panel.show_answer(row(), [answer(prediction(sample(), sample()))], 0)
    assert panel.texts()["summary"].startswith("Not localisable: no answer could be read.")
    assert button(panel, "accept").isEnabled()


def test_answers_that_could_not_be_read_are_counted_and_marked(panel: AnswerPanel) -> None:
    found = prediction(*[sample("Europe", at=AVIGNON)] * 5, *[sample()] * 2, sample(text="no\x1b idea", finished=False))
    panel.show_answer(row(), [answer(found)], 0)
    assert "⚠ 3 of 8 answers could not be read." in panel.texts()["summary"]
    assert "answer 8 of 8, could not be read, cut off\nno\N{REPLACEMENT CHARACTER} idea" in panel.texts()["model text"]


def test_one_answer_alone_does_not_pretend_to_agree(panel: AnswerPanel) -> None:
    panel.show_answer(row(), [answer(prediction(sample("Europe", "France", at=AVIGNON)))], 0)
    assert "It is one answer: nothing shows how sure the model is." in panel.texts()["summary"]
    assert "90 %" not in panel.texts()["summary"]


def test_speed_is_said_in_units(panel: AnswerPanel) -> None:
    found = replace(exact(), timing=Timing(0.097, 0.41, 280, 131.2, 2.13))
    panel.show_answer(row(), [answer(found)], 0)
    assert panel.texts()["about"].endswith("image 97 ms · first word 0.4 s · 131 tokens/s · 2.1 s · 8 samples")
    assert panel.texts()["about"].startswith("Answered by georapp-mini, 2026-11-21 18:03 UTC.")


def test_candidates_are_numbered_and_can_be_chosen(panel: AnswerPanel, qtbot: QtBot) -> None:
    panel.show_answer(row(), [answer(mixed())], 0)
    rows = [part for part in panel.findChildren(QAbstractButton) if part.accessibleName().startswith("Candidate")]
    assert [part.accessibleName() for part in rows] == [
        "Candidate 1: Nîmes, France, 6 of 8 · 75 %",
        "Candidate 2: Girona, Spain, 2 of 8 · 25 %",
    ]
    with qtbot.waitSignal(panel.candidate_chosen) as chosen:
        qtbot.mouseClick(rows[1], Qt.MouseButton.LeftButton)
    assert chosen.args == [GIRONA]


def test_earlier_answers_can_be_chosen(panel: AnswerPanel, qtbot: QtBot) -> None:
    answers = [answer(mixed(), model="first"), answer(exact(), model="second"), answer(mixed(), model="third")]
    panel.show_answer(row(), answers, 1)
    (choice,) = panel.findChildren(QComboBox)
    assert choice.isVisible()
    assert choice.currentText() == "answer 2 of 3, second, 2026-11-21 18:03 UTC"
    with qtbot.waitSignal(panel.answer_chosen) as chosen:
        choice.activated.emit(0)
    assert chosen.args == [0]
    panel.show_answer(row(), answers[:1], 0)
    assert not choice.isVisible()


def test_streaming_goes_from_waiting_to_writing_to_the_answer(panel: AnswerPanel, qtbot: QtBot) -> None:
    panel.show_answer(row(1), [answer(exact())], 0)
    panel.set_truth("3 km off", "good")
    panel.begin(row(2), 2)
    assert panel.texts() == {}
    assert not button(panel, "accept").isEnabled()
    (text,) = panel.findChildren(ModelText)
    text.unfold(True)
    panel.add_text(1, "Continent: As")
    panel.add_text(0, "Continent: Eu")
    panel.add_region(Level.CONTINENT, "Europe")
    panel.add_text(0, "rope\n")
    assert panel.texts()["model text"] == "answer 1 of 2\nContinent: Europe\n\nanswer 2 of 2\nContinent: As"
    qtbot.waitUntil(lambda: "Continent: Europe" in text.body().text())
    assert "first of 2 answers" in panel.ladder.texts()[0]
    panel.show_answer(row(2), [answer(prediction(sample("Europe"), sample("Asia", "Japan")))], 0)
    assert "Continent: Europe, 1 of 2 agree" in panel.ladder.texts()[0]
    assert button(panel, "accept").isEnabled()


def test_an_older_answer_is_not_explained_by_what_was_streamed(panel: AnswerPanel) -> None:
    answers = [answer(exact()), answer(mixed())]
    panel.begin(row(), 8)
    panel.add_region(Level.CITY, "Nowhere")
    panel.show_answer(row(), answers, 1)
    assert len(panel.ladder.texts()) == 6
    panel.show_answer(row(), answers, 0)
    assert len(panel.ladder.texts()) == 5


def test_the_models_text_is_copied_exactly(panel: AnswerPanel, qtbot: QtBot) -> None:
    raw = "Country: <b>\x07" + "x" * 5000
    panel.show_answer(row(), [answer(prediction(sample(text=raw), sample("Europe")))], 0)
    shown_text = panel.texts()["model text"]
    assert "\x07" not in shown_text
    assert "more characters" in shown_text
    (text,) = panel.findChildren(ModelText)
    text.unfold(True)
    copy = next(part for part in text.findChildren(QAbstractButton) if "Copy" in part.accessibleName())
    qtbot.mouseClick(copy, Qt.MouseButton.LeftButton)
    assert QApplication.clipboard().text().startswith(raw)


def test_a_failure_names_its_cause_keeps_the_text_and_can_be_tried_again(panel: AnswerPanel, qtbot: QtBot) -> None:
    panel.show_failure(row(7, State.FAILED), failed(texts=("Continent: Eu", "")))
    texts = panel.texts()
    assert texts["failure"] == "✕ The process ran out of memory.\nChoose a smaller model."
    assert texts["model text"] == "answer 1 of 2\nContinent: Eu"
    again = next(part for part in panel.findChildren(QPushButton) if part.text() == "Try again")
    with qtbot.waitSignal(panel.retried) as retried:
        qtbot.mouseClick(again, Qt.MouseButton.LeftButton)
    assert retried.args == [7]
    panel.show_answer(row(7), [answer(exact())], 0)
    assert "failure" not in panel.texts()


def test_a_waiting_photo_says_so(panel: AnswerPanel) -> None:
    panel.show_waiting(row(state=State.WAITING))
    assert panel.texts() == {"message": "This photo waits for its turn."}
    assert button(panel, "unsure").isEnabled()
    assert not button(panel, "reject").isEnabled()


def test_truth_and_verdicts_belong_to_their_photo(panel: AnswerPanel) -> None:
    panel.show_answer(row(1), [answer(exact())], 0)
    panel.set_truth("177 km from the place in the file (GPS); right: continent.", "warning")
    panel.set_verdicts([
        Verdict(Ruling.UNSURE, None, "", "Ben", "2026-11-21T17:00:00.000+00:00"),
        Verdict(Ruling.CORRECTED, AVIGNON, "the bridge", "Anna", "2026-11-21T18:03:00.000+00:00"),
    ])  # fmt: skip
    assert panel.texts()["truth"].startswith("177 km")
    assert panel.texts()["verdict"] == (
        "Corrected to 43.9508, 4.8075 by Anna, 2026-11-21 18:03 UTC. Note: the bridge (1 earlier decision)"
    )
    panel.show_answer(row(1), [answer(exact())], 0)
    assert "truth" in panel.texts()
    panel.show_answer(row(2), [answer(exact())], 0)
    assert not {"truth", "verdict"} & panel.texts().keys()


def test_a_case_that_is_only_read_takes_no_verdict(panel: AnswerPanel) -> None:
    panel.show_answer(row(), [answer(exact())], 0)
    panel.set_read_only(True)
    for name in ("accept", "correct", "reject", "unsure"):
        assert not button(panel, name).isEnabled()
        assert "only read" in button(panel, name).toolTip()
    panel.set_read_only(False)
    assert button(panel, "accept").isEnabled()


def test_a_note_does_not_follow_to_the_next_photo(panel: AnswerPanel) -> None:
    panel.show_answer(row(1), [answer(exact())], 0)
    note_field(panel.verdict_bar).setText("the bridge")
    panel.verdict_bar.begin_correction()
    panel.show_answer(row(1), [answer(exact())], 0)
    assert panel.verdict_bar.note() == "the bridge"
    panel.show_answer(row(2), [answer(exact())], 0)
    assert panel.verdict_bar.note() == ""
    assert not panel.verdict_bar.is_correcting


def test_both_themes_paint_every_state(panel: AnswerPanel, qapp: QApplication) -> None:
    shows: list[Callable[[], None]] = [
        lambda: panel.show_empty("Choose a photo."),
        lambda: panel.begin(row(), 8),
        lambda: panel.show_answer(row(), [answer(mixed())], 0),
        lambda: panel.show_failure(row(), failed()),
    ]
    pictures = []
    for dark in (False, True):
        look.apply(qapp, dark=dark)
        for show in shows:
            show()
            qapp.processEvents()
            pictures.append(bytes(panel.grab().toImage().constBits()))
    assert len(set(pictures)) == len(pictures)


# ---- the verdict bar ----


@pytest.mark.parametrize("width", [268, 340])
def test_all_four_buttons_can_be_seen_whole(bar: VerdictBar, width: int) -> None:
    bar.resize(width, bar.sizeHint().height())
    QApplication.processEvents()
    assert bar.width() == width
    for name in ("accept", "correct", "reject", "unsure"):
        part = button(bar, name)
        assert bar.rect().contains(part.geometry())
        assert part.width() >= part.sizeHint().width()


def test_a_note_goes_with_the_next_verdict_and_only_with_that(bar: VerdictBar, qtbot: QtBot) -> None:
    bar.focus_note()
    field = note_field(bar)
    qtbot.keyClicks(field, " the bridge ")
    with qtbot.assertNotEmitted(bar.accepted):
        qtbot.keyClick(field, Qt.Key.Key_Return)
    with qtbot.waitSignal(bar.rejected) as rejected:
        bar.reject()
    assert rejected.args == ["the bridge"]
    with qtbot.waitSignal(bar.judged_unsure) as unsure:
        bar.unsure()
    assert unsure.args == [""]


def test_enter_and_escape_in_a_field_do_not_reach_the_windows_keys(qtbot: QtBot) -> None:
    window = QWidget()
    qtbot.addWidget(window)
    bar = VerdictBar(window)
    pressed: list[str] = []
    for key in ("Return", "Esc", "X"):
        shortcut = QShortcut(QKeySequence(key), window)
        shortcut.activated.connect(lambda key=key: pressed.append(key))
    expose(window, qtbot)
    window.activateWindow()
    bar.focus_note()
    for key in (Qt.Key.Key_X, Qt.Key.Key_Return):
        qtbot.keyClick(note_field(bar), key)
    bar.begin_correction()
    qtbot.keyClick(coordinates(bar), Qt.Key.Key_Escape)
    assert pressed == []
    assert bar.note() == "x"
    assert not bar.is_correcting
    qtbot.keyClick(window, Qt.Key.Key_X)
    assert pressed == ["X"]


def test_buttons_do_what_their_keys_do(bar: VerdictBar, qtbot: QtBot) -> None:
    for name, signal in (("accept", bar.accepted), ("reject", bar.rejected), ("unsure", bar.judged_unsure)):
        with qtbot.waitSignal(signal):
            qtbot.mouseClick(button(bar, name), Qt.MouseButton.LeftButton)
    with qtbot.waitSignal(bar.correcting) as correcting:
        qtbot.mouseClick(button(bar, "correct"), Qt.MouseButton.LeftButton)
    assert correcting.args == [True]


@pytest.mark.parametrize("notation", Notation)
def test_a_correction_is_pasted_in_any_notation(bar: VerdictBar, qtbot: QtBot, notation: Notation) -> None:
    note_field(bar).setText("a note")
    bar.begin_correction()
    coordinates(bar).setText(write(AVIGNON, notation))
    preview = [label.text() for label in bar.findChildren(QLabel)]
    assert any(text.casefold().startswith(notation.word.casefold()) and "43.95" in text for text in preview)
    with qtbot.waitSignal(bar.corrected) as corrected:
        qtbot.keyClick(coordinates(bar), Qt.Key.Key_Return)
    place, note = corrected.args
    assert (round(place.lat, 3), round(place.lon, 3)) == (43.951, 4.808) or notation is Notation.PLUS_CODE
    assert note == "a note"
    assert not bar.is_correcting


def test_a_text_that_is_no_coordinate_is_refused_in_words(bar: VerdictBar, qtbot: QtBot) -> None:
    bar.begin_correction()
    coordinates(bar).setText("XR25+82 Avignon")
    words = "\n".join(label.text() for label in bar.findChildren(QLabel))
    assert "counts from a town" in words
    with qtbot.assertNotEmitted(bar.corrected):
        qtbot.keyClick(coordinates(bar), Qt.Key.Key_Return)
    words = "\n".join(label.text() for label in bar.findChildren(QLabel))
    assert "MGRS" in words
    assert "plus code" in words
    assert bar.is_correcting


def test_a_picked_place_is_kept_exactly_and_enter_uses_it_from_anywhere(bar: VerdictBar, qtbot: QtBot) -> None:
    bar.begin_correction()
    bar.begin_correction()
    place = Coordinate(43.950812345, 4.807512345)
    bar.set_picked(place)
    assert coordinates(bar).text() == "43.9508, 4.8075"
    with qtbot.assertNotEmitted(bar.accepted), qtbot.waitSignal(bar.corrected) as corrected:
        bar.accept()
    assert corrected.args == [place, ""]


def test_a_correction_without_a_place_is_asked_for_and_escape_ends_it(bar: VerdictBar, qtbot: QtBot) -> None:
    seen: list[bool] = []
    bar.correcting.connect(seen.append)
    bar.begin_correction()
    with qtbot.assertNotEmitted(bar.corrected), qtbot.assertNotEmitted(bar.accepted):
        bar.accept()
    assert any("no coordinates yet" in label.text() for label in bar.findChildren(QLabel))
    qtbot.keyClick(coordinates(bar), Qt.Key.Key_Escape)
    assert seen == [True, False]
    assert not coordinates(bar).isVisible()


def test_a_blocked_bar_does_nothing_and_says_why(bar: VerdictBar, qtbot: QtBot) -> None:
    bar.begin_correction()
    bar.set_blocked("This case is only read here.")
    assert not bar.is_correcting
    with qtbot.assertNotEmitted(bar.accepted), qtbot.assertNotEmitted(bar.rejected), qtbot.assertNotEmitted(bar.correcting):
        bar.accept()
        bar.reject()
        bar.begin_correction()
    bar.set_blocked("", answer="There is no answer yet.")
    assert button(bar, "accept").toolTip() == "There is no answer yet."
    bar.begin_correction()
    assert button(bar, "accept").isEnabled()


# ---- plain text ----


def test_tooltips_are_never_taken_for_markup() -> None:
    assert tooltip("<b>bold</b><img src=x>") == "‹b>bold‹/b>‹img src=x>"
    assert max(map(len, tooltip("word " * 100).splitlines())) <= 60


def test_names_keep_their_letters() -> None:
    assert shown("  Côte\nd’Azur ") == "Côte d’Azur"
    assert shown("X" * 30).replace("\u200b", "") == "X" * 30
    assert len(shown("ab " * 1000)) <= 120
