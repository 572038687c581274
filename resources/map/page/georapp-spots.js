"use strict";
/* All photos of a case: near ones are drawn as one, and keys go from one to the next. Uses what georapp-map.js declares. */

const CELL = 46; // pixels within which photos are drawn as one
const RING = 6; // pixels around the one at which the keys are

let clusters = null, walked = null; // walked: the number of a photo, so that it is found again at another zoom

const Badge = L.CircleMarker.extend({
  _updatePath() {
    const { _ctx: ctx, _drawing: drawing } = this._renderer, { kind, count, here } = this.options, { x, y } = this._point, r = this._radius;
    if (!drawing || this._empty()) return;
    const ring = kind === "truth";
    const circle = radius => { ctx.beginPath(); ctx.arc(x, y, radius, 0, 2 * Math.PI); };
    if (here) for (const [strokeStyle, lineWidth] of [[look.halo, 6], [colours.text, 2.5]]) {
      circle(r + RING);
      Object.assign(ctx, { strokeStyle, lineWidth }).stroke();
    }
    Object.assign(ctx, { fillStyle: ring ? look.halo : colours[kind], strokeStyle: ring ? colours.truth : look.halo, lineWidth: ring ? 4 : 2 });
    circle(r);
    if (kind === "human") { ctx.beginPath(); ctx.rect(x - r, y - r, 2 * r, 2 * r); }
    ctx.fill();
    ctx.stroke();
    if (!count) return;
    Object.assign(ctx, { font: `650 12px ${FONT}`, fillStyle: colours.on, textAlign: "center", textBaseline: "middle" });
    ctx.fillText(String(count), x, y + 0.5);
  },
  _updateBounds() { // with the ring, or some of it would stay when it goes on
    L.CircleMarker.prototype._updateBounds.call(this);
    const more = L.point(RING + 4, RING + 4);
    this._pxBounds = L.bounds(this._pxBounds.min.subtract(more), this._pxBounds.max.add(more));
  },
});

function clustered(spots, zoom) { // from west to east, which is how keys go through them
  const cells = new Map();
  for (const spot of spots) {
    const point = map.project([spot[0], spot[1]], zoom), key = `${Math.floor(point.x / CELL)}:${Math.floor(point.y / CELL)}`;
    const cell = cells.get(key) || { x: 0, y: 0, spots: [] };
    cells.set(key, Object.assign(cell, { x: cell.x + point.x, y: cell.y + point.y }));
    cell.spots.push(spot);
  }
  const placed = [...cells.values()].map(cell => ({ spots: cell.spots, at: map.unproject([cell.x / cell.spots.length, cell.y / cell.spots.length], zoom) }));
  return placed.sort((a, b) => a.at.lng - b.at.lng || b.at.lat - a.at.lat);
}

const isHere = cell => walked !== null && cell.spots.some(spot => spot[2] === walked);

function beginSpots() { // of a new message; the keys stay where they are if that photo is still there
  clusters = null;
  if (!(current.spots || []).some(spot => spot[2] === walked)) walked = null;
  drawSpots();
  sayHere();
}

function drawSpots() {
  if (!current || current.do !== "spots") return;
  const zoom = map.getZoom(), view = map.getBounds().pad(0.2);
  if (!clusters || clusters.zoom !== zoom) clusters = { zoom, cells: clustered(current.spots, zoom) };
  groups.spots.clearLayers();
  for (const cell of clusters.cells) for (const by of WORLDS) {
    const at = L.latLng(cell.at.lat, cell.at.lng + by);
    if (view.contains(at)) groups.spots.addLayer(badge(cell, at));
  }
}

function badge(cell, at) {
  const count = cell.spots.length, first = cell.spots[0], single = count === 1, here = isHere(cell);
  const style = single ? { kind: first[3], radius: 7 } : { kind: "prediction", count, radius: Math.min(24, 10 + 3 * Math.log10(count) + String(count).length) };
  const drawn = new Badge(at, { ...style, here, pane: "spots", renderer: renderers.spots, bubblingMouseEvents: false });
  const said = Object.assign(document.createElement("span"), { textContent: nameOf(cell) });
  return drawn.bindTooltip(said, { direction: "top", offset: [0, here ? -16 : -8], permanent: here }).on("click", () => open(cell));
}

const nameOf = cell => (cell.spots.length === 1 ? cell.spots[0][4] : `${cell.spots.length} photos`);

function open(cell) {
  if (cell.spots.length === 1 || !canPart(cell)) {
    cell.turn = ((cell.turn ?? -1) + 1) % cell.spots.length; // several at one place: each click the next
    bridge.chose(cell.spots[cell.turn][2]);
  } else flyTo(around(cell));
}

const around = cell => L.latLngBounds(cell.spots.map(spot => [spot[0], spot[1]]));
const canPart = cell => map.getZoom() < map.getMaxZoom() && !around(cell).getSouthWest().equals(around(cell).getNorthEast());

// --- keys -------------------------------------------------------------------------------------------------------------------------

function walk(by) { // 0: no longer
  const cells = (current && current.do === "spots" && clusters && clusters.cells) || [], from = cells.findIndex(isHere);
  if (!cells.length || (!by && from < 0)) return;
  const cell = from < 0 ? nearest(cells) : cells[(from + by + cells.length) % cells.length];
  walked = by ? cell.spots[0][2] : null;
  const at = inView(cell.at);
  if (by && !map.getBounds().pad(-0.1).contains(at)) flyTo(at, map.getZoom());
  map.getContainer().focus({ preventScroll: true });
  drawSpots();
  sayHere();
}

function inView(at) { // in the world that is looked at
  return L.latLng(at.lat, at.lng + 360 * Math.round((map.getCenter().lng - at.lng) / 360));
}

function nearest(cells) {
  const middle = map.getCenter(), far = cell => map.project(inView(cell.at)).distanceTo(map.project(middle));
  return cells.reduce((best, cell) => (far(cell) < far(best) ? cell : best));
}

function sayHere() { // for those who do not see the ring
  const cells = (walked !== null && clusters && clusters.cells) || [], n = cells.findIndex(isHere), cell = cells[n];
  const opens = cell && (cell.spots.length === 1 ? "opens it" : canPart(cell) ? "goes closer" : "opens one after the other");
  const text = cell ? `${n + 1} of ${cells.length}: ${nameOf(cell)}. Enter ${opens}.` : "", said = document.querySelector(".said");
  if (text === said.textContent) return;
  said.textContent = text;
  bridge.walked(text);
}

function enter(event) {
  const cell = clusters && clusters.cells.find(isHere);
  if (event.key !== "Enter" || !cell) return;
  event.preventDefault();
  open(cell);
}
