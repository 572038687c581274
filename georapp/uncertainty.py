"""Several samples of one answer -> what they agree on, where they lie, and what may be stated.

The model's own words about how sure it is are never used. How far samples agree is measured; what share of agreement a level
needs is a property of a model, chosen on photos that are not reported on, and stands in its model.json.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence

from georapp.chain import Chain, Level, Region
from georapp.geo import Coordinate, clusters, medoid, radius_km
from georapp.prediction import Agreement, Candidate, Sample

CLUSTER_KM = 200.0  # samples nearer than this are one candidate
DEFAULT_NEEDED = dict.fromkeys(Level, 0.5)  # share of samples that must agree before a level is stated

Key = Callable[[Region], str]  # what makes two names the same region


def agreements(samples: Sequence[Sample], key: Key = lambda region: region.key) -> tuple[Agreement, ...]:
    """For each level the most frequent name among the samples that agree on all levels above; ends where no sample goes on."""
    alive = [sample.chain for sample in samples if sample.chain]
    found = []
    for level in Level:
        named = [(chain, region) for chain in alive for region in chain.regions if region.level is level]
        if not named:
            if level is Level.CONTINENT:  # Geo-R's own format has none
                continue
            break
        most, count = Counter(key(region) for _, region in named).most_common(1)[0]
        same = [(chain, region) for chain, region in named if key(region) == most]
        alive = [chain for chain, _ in same]
        name = Counter(region.name for _, region in same).most_common(1)[0][0]
        found.append(Agreement(level, name, count, len(samples)))
    return tuple(found)


def candidates(samples: Sequence[Sample]) -> tuple[Candidate, ...]:
    """Groups of samples by place, largest first. Shares are of all samples, so they need not add up to one."""
    located = [(sample.coordinate, sample.chain or Chain()) for sample in samples if sample.coordinate]
    points = [coordinate for coordinate, _ in located]
    found = []
    for group in clusters(points, CLUSTER_KM):
        centre = group[medoid([points[i] for i in group])]
        found.append(Candidate(points[centre], located[centre][1], len(group), len(group) / len(samples)))
    return tuple(found)


def circle_km(centre: Coordinate, samples: Sequence[Sample], share: float) -> float | None:
    """Radius of the circle around `centre` that holds `share` of all samples; None when too few have a coordinate."""
    points = [sample.coordinate for sample in samples if sample.coordinate]
    if len(points) < share * len(samples) - 1e-9:
        return None
    return radius_km(centre, points, share * len(samples) / len(points))


def stated(levels: Sequence[Agreement], coordinate: Coordinate | None, needed: Mapping[Level, float] = DEFAULT_NEEDED) -> Chain:
    """The regions, from general to exact, on which enough samples agree; the coordinate only where the city is among them."""
    regions = []
    for agreement in levels:
        if agreement.share < needed[agreement.level]:
            break
        regions.append(Region(agreement.level, agreement.name))
    exact = bool(regions) and regions[-1].level is Level.CITY
    return Chain(tuple(regions), coordinate if exact else None)
