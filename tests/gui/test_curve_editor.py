"""The reward curve: its points without a window, then chosen, typed, dragged and moved with the keys."""

from __future__ import annotations

import random
from collections.abc import Iterator

import pytest
from PySide6.QtCore import QEvent, QPoint, QPointF, Qt
from PySide6.QtGui import QMouseEvent, QWheelEvent
from PySide6.QtWidgets import QApplication, QComboBox, QLabel, QLineEdit, QPushButton, QWidget
from pytestqt.qtbot import QtBot

from georapp.gui import look
from georapp.gui.train.configure import curve_editor, curve_points
from georapp.gui.train.configure.curve_editor import CurveEditor
from georapp.reward_curves import CURVES, GEO_R_PAPER, Knots
from georapp.run_settings import OWN_CURVE
from tests.gui.showing import expose, put_away

PAPER = GEO_R_PAPER.points
Told = tuple[str, tuple[tuple[float, float], ...], bool]


@pytest.fixture
def editor(qtbot: QtBot) -> Iterator[CurveEditor]:
    editor = CurveEditor()
    editor.resize(760, 420)
    expose(editor, qtbot)
    yield editor
    put_away(editor)


@pytest.fixture
def told(editor: CurveEditor) -> list[Told]:
    heard: list[Told] = []
    editor.changed.connect(lambda name, points, steps: heard.append((name, points, steps)))
    return heard


# ---- points ----


def test_the_axis_has_0_km_at_its_left_edge_and_powers_of_ten_from_1_km_on() -> None:
    assert curve_points.position(0) == curve_points.LEFT
    assert curve_points.position(1) == 0
    assert curve_points.position(1000) == pytest.approx(3)
    for km in (0, 0.25, 1, 7, 1490, 20_000):
        assert curve_points.kilometres_at(curve_points.position(km)) == pytest.approx(km)


def test_the_axis_ends_where_no_two_points_are_farther_apart() -> None:
    assert curve_points.kilometres_at(99) == 20_000 <= curve_points.FARTHEST_KM
    assert curve_points.kilometres_at(-99) == 0


@pytest.mark.parametrize("name", CURVES)
def test_points_of_a_published_curve_make_nearly_the_same_curve(name: str) -> None:
    curve = CURVES[name]
    steps = isinstance(curve, Knots) and curve.steps
    own = Knots(curve_points.points_of(curve), steps)
    for km in (0, 1, 25, 200, 750, 2500, 15_000):
        assert own(km) == pytest.approx(curve(km), abs=0.02)


def test_a_drawn_line_is_the_curve_and_has_its_corners() -> None:
    x, y = curve_points.line(GEO_R_PAPER)
    assert (x[0], y[0]) == (curve_points.LEFT, 1)
    assert curve_points.position(750) in x
    assert (y[:-1] >= y[1:]).all()


def test_a_curve_in_steps_falls_upright() -> None:
    x, y = curve_points.line(CURVES["steps"])
    falls = x[1:][y[1:] < y[:-1]]
    assert falls.tolist() == [curve_points.position(km) for km in (0.5, 2, 10, 25, 200, 750)]


def test_a_point_stays_between_its_neighbours() -> None:
    assert curve_points.moved(PAPER, 1, 9000, 0.9)[1] == (2475, 0.9)
    assert curve_points.moved(PAPER, 1, 0, 0.9)[1] == (0.01, 0.9)
    assert curve_points.moved(PAPER, 1, 800, 0.05)[1] == (800, 0.2)
    assert curve_points.moved(PAPER, 1, 800, 3)[1] == (800, 1)


def test_the_first_point_stays_at_0_km_and_above_the_last() -> None:
    assert curve_points.moved(PAPER, 0, 100, 0.7)[0] == (0, 0.7)
    assert curve_points.moved(((0, 1), (10, 0.4)), 0, 0, 0)[0] == (0, 0.41)
    assert curve_points.moved(((0, 1), (10, 0.4)), 1, 10, 1)[1] == (10, 0.99)


def test_whatever_is_done_to_a_curve_it_stays_one() -> None:
    chance = random.Random(3)
    for name in CURVES:
        points = curve_points.points_of(CURVES[name])
        for _ in range(400):
            n, km, reward = chance.randrange(len(points)), 10 ** chance.uniform(-4, 5), chance.uniform(-0.5, 1.5)
            deed = chance.choice(("move", "nudge", "add", "add after", "remove"))
            if deed == "move":
                points = curve_points.moved(points, n, km, reward)
            elif deed == "nudge":
                points = curve_points.moved(points, n, curve_points.nudged(points[n][0], 0.05), points[n][1] - 0.05)
            elif deed == "add" and len(points) < 40:
                points, _ = curve_points.added(points, km, reward)
            elif deed == "add after" and len(points) < 40:
                points, _ = curve_points.added_after(points, n, steps=False)
            else:
                points = curve_points.removed(points, n)
            Knots(points)  # raises for what is no curve
            assert points[-1][0] <= curve_points.FARTHEST_KM


def test_a_point_added_between_two_lies_on_the_curve() -> None:
    points, n = curve_points.added_after(PAPER, 1, steps=False)
    assert n == 2
    assert points[n][1] == pytest.approx(GEO_R_PAPER(points[n][0]), abs=0.001)


def test_no_point_is_added_where_one_is() -> None:
    assert curve_points.added(PAPER, 750, 0.3) == (PAPER, 1)


def test_a_point_that_is_needed_cannot_be_removed() -> None:
    assert curve_points.removed(PAPER, 0) == PAPER
    assert curve_points.removed(((0, 1), (10, 0)), 1) == ((0, 1), (10, 0))
    assert curve_points.removed(((0, 1), (10, 0), (20, 0)), 1) == ((0, 1), (20, 0))


# ---- the editor ----


def test_setting_a_curve_says_nothing_and_shows_it(editor: CurveEditor, told: list[Told]) -> None:
    editor.set_curve("steps", (), False)
    assert told == []
    assert editor.marks.texts == ["0.800", "0.200", "0.100", "0.000", "0.000"]
    assert editor.findChild(QComboBox).currentData() == "steps"
    assert editor.table.model().rowCount() == 7


def test_rewards_of_known_distances_stand_beside_the_papers(editor: CurveEditor) -> None:
    editor.set_curve(OWN_CURVE, ((0, 0.8), (1000, 0)), False)
    assert editor.marks.texts == ["0.799", "0.780", "0.640", "0.200", "0.000"]
    names = [made.accessibleName() for made in editor.marks.findChildren(QLabel)]
    assert "750 km: reward 0.200; by the paper's curve 0.500" in names


def test_a_chosen_name_is_told_without_points(editor: CurveEditor, told: list[Told], qtbot: QtBot) -> None:
    names = editor.findChild(QComboBox)
    names.setFocus()
    qtbot.keyClick(names, Qt.Key.Key_Down)
    assert told == [("geo-r-code", (), False)]


def test_own_begins_with_the_points_of_the_curve_before(editor: CurveEditor, told: list[Told]) -> None:
    names = editor.findChild(QComboBox)
    names.setCurrentIndex(names.findData(OWN_CURVE))
    names.activated.emit(names.currentIndex())
    assert told == [(OWN_CURVE, PAPER, False)]


def test_arrow_keys_move_the_chosen_point_and_make_the_curve_an_own_one(
    editor: CurveEditor, told: list[Told], qtbot: QtBot
) -> None:
    editor.drawing.setFocus()
    qtbot.keyClick(editor.drawing, Qt.Key.Key_PageDown)
    assert told == []
    qtbot.keyClick(editor.drawing, Qt.Key.Key_Down)
    assert told == [(OWN_CURVE, (PAPER[0], (750, 0.45), *PAPER[2:]), False)]
    qtbot.keyClick(editor.drawing, Qt.Key.Key_Right)
    assert told[-1][1][1] == (842, 0.45)
    qtbot.keyClick(editor.drawing, Qt.Key.Key_Up, Qt.KeyboardModifier.ShiftModifier)
    assert told[-1][1][1] == (842, 0.455)
    assert "Point 2 of 4: 842 km, reward 0.455." in editor.drawing.accessibleDescription()
    assert editor.findChild(QComboBox).currentData() == OWN_CURVE


def test_insert_adds_and_delete_removes_a_point(editor: CurveEditor, told: list[Told], qtbot: QtBot) -> None:
    qtbot.keyClick(editor.drawing, Qt.Key.Key_End)
    qtbot.keyClick(editor.drawing, Qt.Key.Key_PageUp)
    qtbot.keyClick(editor.drawing, Qt.Key.Key_Insert)
    assert len(told[-1][1]) == 5
    qtbot.keyClick(editor.drawing, Qt.Key.Key_Delete)
    assert told[-1][1] == PAPER
    qtbot.keyClick(editor.drawing, Qt.Key.Key_Home)
    qtbot.keyClick(editor.drawing, Qt.Key.Key_Delete)
    assert len(told) == 2


def test_buttons_do_the_same_and_remove_is_off_for_a_point_that_is_needed(
    editor: CurveEditor, told: list[Told], qtbot: QtBot
) -> None:
    add, remove = editor.findChildren(QPushButton)
    assert not remove.isEnabled()
    qtbot.mouseClick(add, Qt.MouseButton.LeftButton)
    assert len(told[-1][1]) == 5
    assert remove.isEnabled()
    qtbot.mouseClick(remove, Qt.MouseButton.LeftButton)
    assert told[-1][1] == PAPER


def typed(editor: CurveEditor, qtbot: QtBot, row: int, column: int, text: str) -> None:
    table = editor.table
    table.setCurrentIndex(table.model().index(row, column))
    qtbot.keyClick(table, Qt.Key.Key_F2)
    field = table.findChild(QLineEdit)
    field.setText(text)
    qtbot.keyClick(field, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: table.findChild(QLineEdit) is None)


def test_numbers_are_typed_in_the_table(editor: CurveEditor, told: list[Told], qtbot: QtBot) -> None:
    typed(editor, qtbot, 2, 0, "3,000 km")
    assert told == [(OWN_CURVE, (*PAPER[:2], (3000, 0.2), PAPER[3]), False)]


def test_what_is_no_number_leaves_the_old_one(editor: CurveEditor, told: list[Told], qtbot: QtBot) -> None:
    for text in ("far", "", "nan", "inf"):
        typed(editor, qtbot, 2, 0, text)
    assert told == []


def test_an_impossible_curve_is_told_and_explained(editor: CurveEditor, told: list[Told], qtbot: QtBot) -> None:
    typed(editor, qtbot, 2, 1, "0.9")
    assert told[-1][1][2] == (2500, 0.9)
    assert "never rise" in editor.problem
    assert editor.marks.texts == ["–"] * 5
    typed(editor, qtbot, 2, 1, "0.3")
    assert editor.problem == ""
    assert editor.marks.texts[3] == "0.500"


@pytest.mark.parametrize(
    "points", [(), ((0, 1),), ((5, 1), (3, 0)), ((0, 9), (10, -9)), ((0, float("nan")), (1, 0)), ((0, 1, 2), (3,))]
)
def test_points_of_a_file_that_make_no_curve_are_shown(editor: CurveEditor, points: Told) -> None:
    editor.set_curve(OWN_CURVE, points, False)  # type: ignore[arg-type]
    assert editor.problem
    editor.grab()


def test_a_point_is_dragged_and_told_once(editor: CurveEditor, told: list[Told]) -> None:
    there = editor.drawing.place_of(2)
    mouse(editor, QEvent.Type.MouseButtonPress, there)
    for n in range(1, 11):
        mouse(editor, QEvent.Type.MouseMove, there - QPoint(0, n))
    assert told == []
    mouse(editor, QEvent.Type.MouseButtonRelease, there - QPoint(0, 10))
    assert len(told) == 1
    assert 0.2 < told[0][1][2][1] < 0.5
    assert editor.drawing.place_of(2).y() == pytest.approx(there.y() - 10, abs=1)


def test_a_click_on_a_point_chooses_it_and_tells_nothing(editor: CurveEditor, told: list[Told]) -> None:
    mouse(editor, QEvent.Type.MouseButtonPress, editor.drawing.place_of(1))
    mouse(editor, QEvent.Type.MouseButtonRelease, editor.drawing.place_of(1))
    assert told == []
    assert editor.table.currentIndex().row() == 1


def test_a_double_click_adds_a_point_and_one_on_a_point_does_not(editor: CurveEditor, told: list[Told]) -> None:
    place = (editor.drawing.place_of(0) + editor.drawing.place_of(1)) / 2
    mouse(editor, QEvent.Type.MouseButtonDblClick, place)
    assert len(told[-1][1]) == 5
    mouse(editor, QEvent.Type.MouseButtonDblClick, editor.drawing.place_of(1))
    assert len(told) == 1


def test_steps_make_an_own_curve(editor: CurveEditor, told: list[Told], qtbot: QtBot) -> None:
    box = editor._in_steps
    qtbot.keyClick(box, Qt.Key.Key_Space)
    assert told == [(OWN_CURVE, PAPER, True)]
    assert editor.marks.texts[2] == "1.000"


def test_the_wheel_does_not_choose_another_curve(editor: CurveEditor, told: list[Told]) -> None:
    editor.drawing.setFocus()
    for widget in (editor.findChild(QComboBox), editor.drawing.ground):
        wheel(widget)
    assert told == []


def test_a_screen_reader_is_told_what_changed(editor: CurveEditor, monkeypatch: pytest.MonkeyPatch, qtbot: QtBot) -> None:
    said: list[str] = []

    class Reader:
        @staticmethod
        def isActive() -> bool:
            return True

        @staticmethod
        def updateAccessibility(event: object) -> None:
            said.append(event.message())  # type: ignore[attr-defined]

    monkeypatch.setattr(curve_editor, "QAccessible", Reader)
    qtbot.keyClick(editor.drawing, Qt.Key.Key_PageDown)
    qtbot.keyClick(editor.drawing, Qt.Key.Key_Down)
    qtbot.keyClick(editor.drawing, Qt.Key.Key_Home)
    qtbot.keyClick(editor.drawing, Qt.Key.Key_Delete)
    assert said == [
        "Point 2 of 4: 750 km, reward 0.5.",
        "Point 2 of 4: 750 km, reward 0.45.",
        "Point 1 of 4: 0 km, reward 1.",
        "This point is needed.",
    ]


def test_a_narrow_editor_has_its_table_below(editor: CurveEditor, qtbot: QtBot) -> None:
    editor.resize(440, 640)
    qtbot.waitUntil(lambda: editor.table.mapTo(editor, QPoint()).y() > editor.drawing.geometry().bottom())
    assert editor.minimumSizeHint().width() <= 440


def test_it_follows_the_theme(editor: CurveEditor, qapp: QApplication) -> None:
    dark = look.current().dark
    before = editor.drawing.grab().toImage().pixelColor(20, 40)
    look.apply(qapp, dark=not dark)
    assert editor.drawing.grab().toImage().pixelColor(20, 40) != before
    look.apply(qapp, dark=dark)


def mouse(editor: CurveEditor, kind: QEvent.Type, place: QPoint) -> None:
    button = Qt.MouseButton.NoButton if kind == QEvent.Type.MouseMove else Qt.MouseButton.LeftButton
    held = Qt.MouseButton.NoButton if kind == QEvent.Type.MouseButtonRelease else Qt.MouseButton.LeftButton
    ground = editor.drawing.ground
    where = QPointF(place)
    QApplication.sendEvent(
        ground, QMouseEvent(kind, where, ground.mapToGlobal(where), button, held, Qt.KeyboardModifier.NoModifier)
    )


def wheel(widget: QWidget) -> None:
    middle = QPointF(widget.rect().center())
    none = Qt.KeyboardModifier.NoModifier
    event = QWheelEvent(
        middle,
        widget.mapToGlobal(middle),
        QPoint(0, -120),
        QPoint(0, -120),
        Qt.MouseButton.NoButton,
        none,
        Qt.ScrollPhase.NoScrollPhase,
        False,
    )
    QApplication.sendEvent(widget, event)
    assert not event.isAccepted()
