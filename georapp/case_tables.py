"""The tables of a case file, and the steps from each version of them to the next. What they mean: case.py."""

from __future__ import annotations

import sqlite3

from georapp.case_file import Migration


def _first(connection: sqlite3.Connection) -> None:
    for statement in _TABLES.split(";"):
        connection.execute(statement)


_TABLES = """
CREATE TABLE photo (
  number INTEGER PRIMARY KEY,
  sha256 TEXT NOT NULL UNIQUE,
  path BLOB NOT NULL,
  added_at TEXT NOT NULL,
  place_in_queue REAL NOT NULL,
  state TEXT NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'skipped', 'located', 'failed')),
  known_lat REAL,
  known_lon REAL,
  file TEXT NOT NULL
);
CREATE INDEX photo_queue ON photo (state, place_in_queue);
CREATE INDEX photo_place ON photo (place_in_queue);
CREATE TABLE answer (
  number INTEGER PRIMARY KEY,
  photo INTEGER NOT NULL REFERENCES photo,
  at TEXT NOT NULL,
  model TEXT NOT NULL,
  stated TEXT NOT NULL,
  country TEXT NOT NULL,
  lat REAL,
  lon REAL,
  radius_km REAL,
  error_km REAL,
  located TEXT NOT NULL
);
CREATE INDEX answer_photo ON answer (photo);
CREATE TABLE failure (
  number INTEGER PRIMARY KEY,
  photo INTEGER NOT NULL REFERENCES photo,
  at TEXT NOT NULL,
  reason TEXT NOT NULL,
  failed TEXT NOT NULL
);
CREATE INDEX failure_photo ON failure (photo);
CREATE TABLE verdict (
  number INTEGER PRIMARY KEY,
  photo INTEGER NOT NULL REFERENCES photo,
  at TEXT NOT NULL,
  author TEXT NOT NULL,
  ruling TEXT NOT NULL,
  lat REAL,
  lon REAL,
  note TEXT NOT NULL
);
CREATE INDEX verdict_photo ON verdict (photo);
CREATE TABLE unreadable (path BLOB PRIMARY KEY, at TEXT NOT NULL, reason TEXT NOT NULL, hint TEXT NOT NULL);
CREATE TABLE setting (name TEXT PRIMARY KEY, value TEXT NOT NULL)
"""

MIGRATIONS: tuple[Migration, ...] = (_first,)

ROWS = """
SELECT photo.*, answer.stated, answer.country, answer.lat, answer.lon, answer.radius_km, answer.error_km, answer.model,
  failure.reason, verdict.ruling, verdict.lat AS corrected_lat, verdict.lon AS corrected_lon
FROM photo
LEFT JOIN answer ON answer.number = (SELECT max(number) FROM answer WHERE photo = photo.number)
LEFT JOIN failure ON failure.number = (SELECT max(number) FROM failure WHERE photo = photo.number)
LEFT JOIN verdict ON verdict.number = (SELECT max(number) FROM verdict WHERE photo = photo.number)
"""
