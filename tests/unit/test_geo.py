"""Distances against the vectors of the method's paper and known cities; medoid, radius and clusters by their definitions."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from georapp.geo import HALF_CIRCUMFERENCE_KM, Coordinate, clusters, distance_km, medoid, radius_km

coordinates = st.builds(Coordinate, st.floats(-90, 90), st.floats(-180, 180))
PARIS, LONDON, TOKYO = Coordinate(48.8566, 2.3522), Coordinate(51.5074, -0.1278), Coordinate(35.6764, 139.65)


@pytest.mark.parametrize(
    ("a", "b", "km"),
    [
        ((48.8584, 2.2945), (51.5, -0.12), 340.307),
        ((43.452002, 142.615358), (43.06, 141.35), 111.357),
        ((0, 0), (0, 180), 20015.087),
        ((0, 179.5), (0, -179.5), 111.195),
        ((90, 0), (90, 120), 0),
    ],
)
def test_distance_vectors(a: tuple[float, float], b: tuple[float, float], km: float) -> None:
    assert distance_km(Coordinate(*a), Coordinate(*b)) == pytest.approx(km, abs=1e-3)


@given(coordinates, coordinates)
def test_distance_is_symmetric_and_bounded(a: Coordinate, b: Coordinate) -> None:
    assert distance_km(a, b) == pytest.approx(distance_km(b, a), abs=1e-6)
    assert 0 <= distance_km(a, b) <= HALF_CIRCUMFERENCE_KM + 1e-6
    assert distance_km(a, a) == 0


@pytest.mark.parametrize(("lat", "lon"), [(90.001, 0), (-91, 0), (0, 180.1), (0, -181), (math.nan, 0), (0, math.inf)])
def test_impossible_coordinates_are_refused(lat: float, lon: float) -> None:
    with pytest.raises(ValueError, match="lies between"):
        Coordinate(lat, lon)


def test_medoid_ignores_an_outlier() -> None:
    near = [Coordinate(48.85, 2.35), Coordinate(48.86, 2.34), Coordinate(48.87, 2.33)]
    assert medoid([*near, TOKYO]) == 1


def test_medoid_of_nothing() -> None:
    with pytest.raises(ValueError, match="No points"):
        medoid([])


@given(st.lists(coordinates, min_size=1, max_size=8), st.floats(0.01, 1))
def test_radius_holds_the_share_and_no_smaller_one_does(points: list[Coordinate], share: float) -> None:
    centre = points[0]
    radius = radius_km(centre, points, share)
    inside = sum(distance_km(centre, p) <= radius for p in points)
    closer = sum(distance_km(centre, p) < radius for p in points)
    assert inside >= share * len(points) - 1e-6
    assert closer < share * len(points) + 1e-6


def test_clusters_join_through_others_and_are_ordered_by_size() -> None:
    chain = [Coordinate(0, 0), Coordinate(0, 1.5), Coordinate(0, 3.0)]  # 167 km apart each, 333 km from first to last
    assert clusters([TOKYO, *chain, PARIS], 200) == [[1, 2, 3], [0], [4]]


@given(st.lists(coordinates, max_size=10))
def test_clusters_are_a_partition(points: list[Coordinate]) -> None:
    groups = clusters(points, 200)
    assert sorted(i for group in groups for i in group) == list(range(len(points)))


def test_paris_and_london_are_344_km_apart() -> None:
    assert distance_km(PARIS, LONDON) == pytest.approx(343.6, abs=0.5)
