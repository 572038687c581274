"""What is said of a model's origin: licences in strangers' files, a hash of the data, credits from tables."""

from __future__ import annotations

import dataclasses
import random
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

pytest.importorskip("torch", reason="the training half (georapp[train]) is not installed")

from training.provenance import (
    UNKNOWN_LICENCE,
    Credit,
    Licence,
    album_hash,
    base_licence,
    credits_of,
    credits_table,
    licences,
)
from training.rows import AlbumRow, Part


@pytest.mark.parametrize(
    ("file", "text", "name"),
    [
        ("README.md", "---\nlicense: apache-2.0\nlanguage:\n- en\n---\n# A model\n", "apache-2.0"),
        (
            "README.md",
            "---\nlicense: other\nlicense_name: qwen-research\nlicense_link: LICENSE\n---\n",
            "other, qwen-research, LICENSE",
        ),
        ("README.md", '---\nlicense: "mit"\n---\n', "mit"),
        ("LICENSE", "\n   Apache License\n  Version 2.0\n", "Apache License"),
        ("LICENCE.txt", "Free for research.\n", "Free for research."),
        ("config.json", '{"license": "gemma"}', "gemma"),
    ],
)
def test_the_licence_is_taken_from_the_file_that_says_it(file: str, text: str, name: str, tmp_path: Path) -> None:
    (tmp_path / file).write_text(text, "utf-8")

    assert base_licence(tmp_path) == Licence(name, file)


@pytest.mark.parametrize(
    ("file", "text"),
    [
        ("README.md", "# A model\nlicense: mit is not said by a heading\n"),
        ("README.md", "---\ntitle: x\n---\nlicense: mit\n"),
        ("config.json", '{"license": 5}'),
        ("config.json", '["license"]'),
        ("config.json", "{"),
        ("LICENSE", " \n"),
    ],
)
def test_what_nobody_says_is_to_be_looked_up(file: str, text: str, tmp_path: Path) -> None:
    (tmp_path / file).write_text(text, "utf-8")

    assert base_licence(tmp_path) == Licence() == Licence(UNKNOWN_LICENCE, "")
    assert base_licence(tmp_path / "no folder") == Licence()


def row(number: int, **changes: object) -> AlbumRow:
    plain = AlbumRow(f"{number:064x}", f"/photos/{number}.jpg", number / 7, number / 3, "FR", f"answer {number}", Part.TRAIN)
    return dataclasses.replace(plain, **changes)


@given(st.lists(st.integers(0, 99), unique=True), st.randoms())
def test_the_hash_of_an_album_is_that_of_its_content(numbers: list[int], chance: random.Random) -> None:
    rows = [row(number) for number in numbers]
    moved = [dataclasses.replace(one, path="/elsewhere/x.jpg") for one in rows]
    chance.shuffle(moved)

    assert album_hash(rows) == album_hash(moved)


@pytest.mark.parametrize("change", [{"lat": 5.0}, {"answer": "another"}, {"part": Part.PROBE}, {"id": "f" * 64}])
def test_any_other_content_gives_another_hash(change: dict[str, object]) -> None:
    assert album_hash([row(1), row(2)]) != album_hash([row(1), row(2, **change)])


def test_credits_come_from_the_tables_by_hash_or_by_name(tmp_path: Path) -> None:
    table = tmp_path / "photos.csv"
    table.write_text(
        "id,sha256,title,photographer,license,source_page\n"
        f'renamed,{1:064x},"A  bridge",Ana Lima,CC BY 4.0,https://example.org/1\n'
        "2,,A tower,,CC0,\n"
        "99,,of no photo here,,CC0,\n",
        "utf-8",
    )
    rows = [row(1), row(2, author="said by the album"), row(3, author="bo")]

    found = credits_of(rows, [str(tmp_path), str(table), str(tmp_path / "gone.csv")])

    assert found == [
        Credit(rows[0].id, "1.jpg", "A bridge", "Ana Lima", "CC BY 4.0", "https://example.org/1"),
        Credit(rows[1].id, "2.jpg", "A tower", "said by the album", "CC0", ""),
        Credit(rows[2].id, "3.jpg", author="bo"),
    ]
    assert licences(found) == {"CC BY 4.0": 1, "CC0": 1, "": 1}
    lines = credits_table(found).splitlines()
    assert lines[1] == f"{1:064x}\t1.jpg\tA bridge\tAna Lima\tCC BY 4.0\thttps://example.org/1"
    assert len(lines) == 4


def test_a_table_of_odd_bytes_credits_nobody_and_breaks_nothing(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes(b"\xff\xfe\x00id,licence\n\x00,\xff\n")

    assert credits_of([row(1)], [str(tmp_path / "a.csv")]) == [Credit(row(1).id, "1.jpg")]
