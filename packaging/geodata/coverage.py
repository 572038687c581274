"""From pieces to regions that fit together without a gap or an overlap, on the lines of Natural Earth in full resolution.

1. Country borders and admin-1 lines are put on a grid of 1e-4 degrees (11 m) and cut the land into faces.
2. A face that several regions share (an admin-1 line that ends nowhere, a split by nearness) is cut by the edges of the pieces.
3. Every face goes to the piece that covers most of it, among the pieces of its own country of Natural Earth.
4. Small splinters join the neighbour with the longest common edge.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt
import shapely
from policy import SHARED_TRUTH, VATICAN, WESTERN_SAHARA_NORTH
from sources import Frame, Shapes, Town
from votes import Nearest, Piece, polygons_of

GRID = 1e-4  # degrees
SHARED = 0.02  # a face is shared when a second region covers this part of it
SPLINTER = 3e-4  # square degrees, 3.7 km² at the equator


def settled(frames: list[Frame]) -> list[Frame]:
    """The frames with Western Sahara and the Vatican as our policy has them, and without the land that belongs to nobody."""
    by_adm0 = {frame.adm0: frame for frame in frames}
    below = shapely.box(-20, 20, 0, WESTERN_SAHARA_NORTH)
    move(by_adm0, "MAR", "SAH", shapely.intersection(by_adm0["MAR"].shape, below))
    vatican = shapely.Polygon(VATICAN)
    move(by_adm0, "VAT", "ITA", shapely.difference(by_adm0["VAT"].shape, vatican))
    move(by_adm0, "ITA", "VAT", vatican)
    return [frame for frame in by_adm0.values() if frame.code is not None]


def move(frames: dict[str, Frame], giver: str, taker: str, land: Any) -> None:
    """Gives land of one frame to another."""
    frames[giver] = replace(frames[giver], shape=polygons_of(shapely.difference(frames[giver].shape, land)))
    frames[taker] = replace(frames[taker], shape=polygons_of(shapely.union(frames[taker].shape, land)))


def regions(frames: list[Frame], lines: Shapes, pieces: list[Piece], towns: list[Town]) -> dict[str, Any]:
    """Region code -> polygons. `frames` as `settled` gives them."""
    home = frame_of_pieces(frames, pieces)
    borders = [shapely.boundary(np.array([frame.shape for frame in frames], dtype=object)), lines]
    faces, owner = faces_of(frames, borders)
    cuts = cuts_of_shared(faces, owner, pieces, home)
    faces, owner = faces_of(frames, [shapely.boundary(faces), cuts])  # not `borders`: the cuts end on lines that are on the grid
    codes = [assign(frame, faces[owner == n], [pieces[i] for i in home[n]], towns) for n, frame in enumerate(frames)]
    found: dict[str, list[Any]] = defaultdict(list)
    for n in range(len(frames)):
        own = faces[owner == n]
        for face, code in zip(own, without_splinters(own, codes[n]), strict=True):
            found[code].append(face)
    return {code: shapely.coverage_union_all(parts) for code, parts in sorted(found.items())}


def faces_of(frames: list[Frame], lines: Iterable[Shapes]) -> tuple[Shapes, npt.NDArray[np.int64]]:
    """The faces that `lines` enclose inside the frames, and the frame of each."""
    network = shapely.union_all(np.concatenate([shapely.get_parts(part) for part in lines]), grid_size=GRID)
    faces = shapely.get_parts(shapely.polygonize([network]))
    tree = shapely.STRtree([frame.shape for frame in frames])
    face, frame = tree.query(shapely.point_on_surface(faces), predicate="intersects")
    owner = np.full(len(faces), -1)
    owner[face] = frame
    return faces[owner >= 0], owner[owner >= 0]


def frame_of_pieces(frames: list[Frame], pieces: list[Piece]) -> dict[int, list[int]]:
    """Frame -> the pieces that lie mostly in it. A piece outside every frame, or of a country that has no land there, is left out."""
    tree = shapely.STRtree([frame.shape for frame in frames])
    shapes = np.array([piece.shape for piece in pieces], dtype=object)
    best: dict[int, tuple[float, int]] = {}
    for piece, frame in zip(*tree.query(shapes, predicate="intersects"), strict=True):
        area = float(shapely.area(shapely.intersection(shapes[piece], frames[frame].shape)))
        best[piece] = max(best.get(piece, (0.0, -1)), (area, int(frame)))
    found: dict[int, list[int]] = defaultdict(list)
    for piece, (area, frame) in sorted(best.items()):
        if area > 0 and country_of(pieces[piece].code) in countries_in(frames[frame]):
            found[frame].append(int(piece))
    return found


def countries_in(frame: Frame) -> set[str]:
    """The countries that may have land in a frame of Natural Earth: its own, its islands with own codes, Crimea."""
    own = {str(frame.code)} | SHARED_TRUTH.get(str(frame.code), set())
    return own | {"UA"} if frame.adm0 == "RUS" else own


def country_of(code: str) -> str:
    """ "FR.11" -> "FR"."""
    return code.partition(".")[0]


def overlaps(faces: Shapes, pieces: list[Piece]) -> dict[int, dict[int, float]]:
    """Face -> piece -> common area in square degrees."""
    shapes = np.array([piece.shape for piece in pieces], dtype=object)
    face, piece = shapely.STRtree(shapes).query(faces, predicate="intersects")
    areas = shapely.area(shapely.intersection(faces[face], shapes[piece]))
    found: dict[int, dict[int, float]] = defaultdict(dict)
    for f, p, area in zip(face, piece, areas, strict=True):
        found[int(f)][int(p)] = float(area)
    return found


def cuts_of_shared(faces: Shapes, owner: npt.NDArray[np.int64], pieces: list[Piece], home: dict[int, list[int]]) -> Shapes:
    """Edges of the pieces inside the faces that more than one region covers."""
    cuts = []
    for frame, own in home.items():
        inside, candidates = faces[owner == frame], [pieces[i] for i in own]
        for face, shares in overlaps(inside, candidates).items():
            least = max(SPLINTER, SHARED * inside[face].area)
            large = [piece for piece, area in shares.items() if area > min(least, 0.3 * candidates[piece].shape.area)]
            if len({candidates[piece].code for piece in large}) > 1:
                cuts += [shapely.intersection(candidates[piece].shape.boundary, inside[face]) for piece in large]
    parts = shapely.get_parts(np.array(cuts, dtype=object))
    return np.asarray(parts[shapely.get_dimensions(parts) == 1])


def assign(frame: Frame, faces: Shapes, pieces: list[Piece], towns: list[Town]) -> list[str]:
    """The code of every face of one frame: of the piece that covers most of it, else of the nearest town, else the bare country."""
    shares = overlaps(faces, pieces) if pieces else {}
    own = [town for town in towns if town.country in countries_in(frame)]
    divided = {town.country for town in own if town.province}
    own = [town for town in own if town.province or town.country not in divided]
    nearest = Nearest(own) if own else None
    found = []
    for n, face in enumerate(faces):
        share = shares.get(n, {})
        if share and max(share.values()) > 0:
            found.append(pieces[max(share, key=lambda piece: (share[piece], -piece))].code)
        elif nearest is not None:
            middle = shapely.point_on_surface(face)
            town = nearest.to(middle.y, middle.x)[0]
            found.append(town.province or town.country)
        else:
            found.append(str(frame.code))
    return found


def without_splinters(faces: Shapes, codes: list[str]) -> list[str]:
    """The codes, with connected groups of faces smaller than `SPLINTER` given to the neighbour with the longest common edge.

    The largest group of a code stays, however small it is: Maltese towns, the castles of San Marino.
    """
    codes = list(codes)
    edges = common_edges(faces)
    area = shapely.area(faces)
    found = sorted(groups(codes, edges), key=lambda group: (float(area[group].sum()), group))
    largest = {codes[group[0]]: group for group in found}
    for group in found:
        lengths: dict[str, float] = defaultdict(float)
        if area[group].sum() < SPLINTER and group is not largest[codes[group[0]]]:
            for a in group:
                for b, length in edges[a].items():
                    lengths[codes[b]] += length
            lengths.pop(codes[group[0]], None)
        if lengths:
            winner = max(sorted(lengths), key=lambda code: lengths[code])
            for a in group:
                codes[a] = winner
    return codes


def common_edges(faces: Shapes) -> dict[int, dict[int, float]]:
    """Face -> neighbour -> length of their common edge in degrees; no entry where only corners touch."""
    found: dict[int, dict[int, float]] = defaultdict(dict)
    a, b = shapely.STRtree(faces).query(faces, predicate="touches")
    lengths = shapely.length(shapely.intersection(faces[a], faces[b]))
    for one, other, length in zip(a, b, lengths, strict=True):
        if length > 0:
            found[int(one)][int(other)] = float(length)
    return found


def groups(codes: list[str], edges: dict[int, dict[int, float]]) -> list[list[int]]:
    """Faces of the same code that hang together."""
    left, found = set(range(len(codes))), []
    while left:
        group = [left.pop()]
        for member in group:  # grows while it is walked
            near = [face for face in edges[member] if face in left and codes[face] == codes[member]]
            left.difference_update(near)
            group += near
        found.append(sorted(group))
    return found
