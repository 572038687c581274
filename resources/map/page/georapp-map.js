"use strict";
/* The map's page: draws what the program says and tells it what the person does. It decides nothing.
   Messages come as JSON over the web channel; `ACTS` has a function for each value of `do`, see georapp/map_page.py.
   Text from models and files is set as textContent only. Shapes are drawn three times, 360 degrees apart. */

const P = protomapsL, WORLDS = [-360, 0, 360], FLIGHT_S = 0.8;
const FRAMES = 5; // until what was painted is on the screen
const CELL = 46; // pixels within which photos are drawn as one
const FONT = 'Inter, "Noto Sans", "DejaVu Sans", sans-serif';
const CALM = matchMedia("(prefers-reduced-motion: reduce)");

let map, bridge, colours = {}, look = {}, dark = false, still = false, base = null, files = [], held = null;
let groups = {}, renderers = {}, current = null, clusters = null, detail = 0, latest = 0, settling = 0, resting = 0, flying = false;

// --- base map -------------------------------------------------------------------------------------------------------------------

const isKind = kind => (zoom, feature) => feature.props.kind === kind;
const byName = (a, b) => (a.name < b.name ? -1 : Number(a.name > b.name));
const byPeople = (a, b) => (b.pop || 0) - (a.pop || 0) || byName(a, b);
const byRank = (a, b) => (a.rank || 99) - (b.rank || 99) || byName(a, b);
const line = (color, width, dash) => new P.LineSymbolizer({ color, width, dash });
const area = (fill, stroke, width) => new P.PolygonSymbolizer({ fill, stroke, width });

function paintRules(c) {
  return [
    { dataLayer: "earth", symbolizer: area(c.land, c.coast, 0.8) },
    { dataLayer: "water", symbolizer: area(c.ocean, c.coast, 0.5) },
    { dataLayer: "boundaries", minzoom: 4, filter: isKind("region"), symbolizer: line(c.region, z => (z < 6 ? 0.7 : 1.1), [3, 2]) },
    { dataLayer: "boundaries", filter: isKind("country"), symbolizer: line(c.country, z => (z < 4 ? 0.7 : z < 7 ? 1.1 : 1.6)) },
    { dataLayer: "boundaries", filter: isKind("disputed"), symbolizer: line(c.country, z => (z < 4 ? 0.6 : 1.1), [4, 3]) },
  ];
}

function labelRules(c) {
  const shown = (kind, more) => (z, f) => f.props.kind === kind && f.props.min_zoom <= z && (!more || more(f.props));
  const halo = { labelProps: ["name"], stroke: c.halo, width: 1.8, lineHeight: 1.15 };
  const text = options => new P.CenteredTextSymbolizer({ ...halo, ...options });
  const town = (weight, size, fill, radius) => new P.GroupSymbolizer([
    new P.CircleSymbolizer({ radius, fill: c.halo, stroke: c.dot, width: 1.2 }),
    new P.OffsetTextSymbolizer({ ...halo, offsetX: 5, offsetY: 3, fill, font: `${weight} ${size}px ${FONT}` }),
  ]);
  const countryFont = (z, f) => `600 ${f.props.rank <= 2 ? 13 + Math.max(0, z - 3) * 1.5 : 11 + Math.max(0, z - 4)}px ${FONT}`;
  return [
    { dataLayer: "places", maxzoom: 6, filter: shown("country"), sort: byRank,
      symbolizer: text({ fill: c.name, font: countryFont, letterSpacing: 0.6, textTransform: "uppercase" }) },
    { dataLayer: "places", minzoom: 3, filter: shown("city", p => p.pop >= 1e6 || p.cap), sort: byPeople, symbolizer: town(600, 13.5, c.name, 2.8) },
    { dataLayer: "places", minzoom: 5, filter: shown("city", p => p.pop >= 1e5 && p.pop < 1e6 && !p.cap), sort: byPeople, symbolizer: town(550, 12.5, c.townName, 2.3) },
    { dataLayer: "places", minzoom: 5, maxzoom: 9, filter: shown("region"), symbolizer: text({ fill: c.regionName, font: `500 11.5px ${FONT}`, letterSpacing: 0.5 }) },
    { dataLayer: "places", minzoom: 7, filter: shown("city", p => p.pop < 1e5 && !p.cap), sort: byPeople, symbolizer: town(450, 11, c.townName, 1.7) },
  ];
}

function openMapTilesRules(c) { // the plainest style that shows streets
  const main = (z, f) => ["motorway", "trunk", "primary", "secondary"].includes(f.props.class);
  const named = { labelProps: ["name:latin", "name"], stroke: c.halo, width: 1.7 };
  return {
    paintRules: [
      { dataLayer: "water", symbolizer: area(c.ocean) },
      { dataLayer: "building", minzoom: 13, symbolizer: area(c.built) },
      { dataLayer: "transportation", symbolizer: line(c.road, z => Math.max(0.5, (z - 9) * 0.5)) },
      { dataLayer: "transportation", filter: main, symbolizer: line(c.dot, z => Math.max(0.8, (z - 8) * 0.7)) },
    ],
    labelRules: [
      { dataLayer: "place", symbolizer: new P.CenteredTextSymbolizer({ ...named, fill: c.townName, font: `550 12px ${FONT}` }) },
      { dataLayer: "transportation_name", minzoom: 13, symbolizer: new P.LineLabelSymbolizer({ ...named, fill: c.regionName, font: `500 11px ${FONT}` }) },
    ],
  };
}

function fileLayer(file) {
  const url = `georapp://tiles/${file.id}/{z}/{x}/{y}`;
  const shared = { pane: "files", bounds: corners(file.box), minZoom: file.min, maxZoom: 19 };
  if (!file.vector) return L.tileLayer(url, { ...shared, maxNativeZoom: file.max });
  const rules = file.schema === "protomaps" ? { flavor: dark ? "dark" : "light", lang: "en" } : openMapTilesRules(look);
  const layer = P.leafletLayer({ ...shared, url, minZoom: Math.max(6, file.min), maxDataZoom: file.max, attribution: "", ...rules });
  layer.backgroundColor = undefined; // the world below stays where the file ends
  return layer;
}

function drawBase() {
  [base, ...files.map(file => file.layer)].forEach(layer => layer && layer.remove());
  const rules = { paintRules: paintRules(look), labelRules: labelRules(look), backgroundColor: look.ocean };
  base = P.leafletLayer({ url: "georapp://tiles/base/{z}/{x}/{y}", maxDataZoom: 7, tileDelay: 0.01, attribution: "", ...rules }).addTo(map);
  files.forEach(file => (file.layer = fileLayer(file).addTo(map)));
  map.setMaxZoom(files.length ? 19 : 16);
}

/* Labels depend on the order in which tiles arrive. Once the view is at rest they are placed again, in one order for all tiles of the
   view, so that the same view has the same pixels. */
async function settle() {
  if (flying || !base) return; // the end of the flight calls again
  const turn = ++settling, layer = base, zoom = map.getZoom(), view = layer.views.get("");
  await refine();
  const own = Object.keys(layer._tiles).filter(key => layer._keyToTileCoords(key).z === zoom && layer._tiles[key].current).sort();
  const tiles = own.map(key => ({ at: layer._wrapCoords(layer._keyToTileCoords(key)), element: layer._tiles[key].el }));
  const prepared = await Promise.all(tiles.map(tile => view.getDisplayTile(tile.at).catch(() => null)));
  if (turn !== settling || layer !== base) return;
  const unique = new Map(prepared.filter(Boolean).map(tile => [P.toIndex(tile.dataTile), tile]));
  const ordered = [...unique.keys()].sort().map(key => unique.get(key));
  layer.labelers = new P.Labelers(layer.scratch, layer.labelRules, 1000, layer.onTilesInvalidated);
  layer.labelers.add(zoom, new Map([["", ordered]]));
  await pause(20); // tiles that are being painted with the old labels are done by then
  if (turn !== settling) return;
  await Promise.all(tiles.map(tile => layer.renderTile({ ...tile.at, distanceTo: () => 0 }, tile.element, tile.element.key, () => {})));
  if (layer._loading) await new Promise(done => { layer.once("load", done); setTimeout(done, 2000); });
  for (let n = 0; n < FRAMES; n++) await frame();
  if (turn === settling) bridge.settled(latest);
}

const pause = milliseconds => new Promise(done => setTimeout(done, milliseconds));
const frame = () => Promise.race([new Promise(requestAnimationFrame), pause(500)]); // a hidden page has no frames
const rest = () => { settling++; clearTimeout(resting); resting = setTimeout(settle, 60); };

// --- shapes ---------------------------------------------------------------------------------------------------------------------

const moved = (points, by) => points.map(([lat, lon]) => [lat, lon + by]);
const deep = (shape, by) => (typeof shape[0][0] === "number" ? moved(shape, by) : shape.map(part => deep(part, by)));

function fill(name, shape, style) {
  const options = { interactive: false, stroke: false, smoothFactor: 0.5, pane: name, renderer: renderers[name], ...style };
  WORLDS.forEach(by => groups[name].addLayer(L.polygon(deep(shape, by), options)));
}

function stroke(name, points, style) {
  const options = { interactive: false, fill: false, smoothFactor: 0.2, pane: name, renderer: renderers[name], ...style };
  WORLDS.forEach(by => groups[name].addLayer(L.polyline(moved(points, by), options)));
}

function icon(kind, text) {
  const element = Object.assign(document.createElement("i"), { textContent: text });
  return L.divIcon({ className: `mark ${kind}`, html: element, iconSize: null });
}

function mark(name, kind, [lat, lon], text = "") {
  WORLDS.forEach(by => groups[name].addLayer(L.marker([lat, lon + by], { interactive: false, keyboard: false, pane: name, icon: icon(kind, text) })));
}

function way(name, found, kind) {
  stroke(name, found.points, { color: look.halo, weight: 4, opacity: 0.7 });
  stroke(name, found.points, { color: colours[kind] || colours.text, weight: 2, dashArray: kind === "truth" ? "2 6" : null });
  if (found.label) mark(name, "chip", found.points[found.points.length - 1], found.label);
}

function drawRegions(regions) {
  groups.regions.clearLayers();
  groups.spot.clearLayers();
  const country = regions.find(region => region.level === "country" && region.polygons);
  if (country && !current.away) fill("spot", [[[-90, -180], [-90, 180], [90, 180], [90, -180]], ...spread(country.polygons)], { fillColor: look.spot, fillOpacity: look.spotOpacity });
  for (const region of regions) {
    if (region.at) mark("regions", "city", region.at);
    if (!region.polygons) continue;
    const province = region.level === "province", color = colours[region.level];
    fill("regions", region.polygons, { stroke: true, color, weight: province ? 2 : 1.6, lineJoin: "round", fillColor: color, fillOpacity: province ? 0.12 : 0.04 });
  }
}

function spread(polygons) { // rings of one world, also those that reach into it from its neighbours
  const rings = polygons.flat(), touches = (ring, by) => ring.some(point => Math.abs(point[1] + by) < 180);
  return WORLDS.flatMap(by => rings.filter(ring => touches(ring, by)).map(ring => moved(ring, by).map(([lat, lon]) => [lat, Math.max(-180, Math.min(180, lon))])));
}

async function refine() { // outlines come as fine as the zoom needs
  const step = Math.min(9, Math.max(3, Math.ceil(map.getZoom() / 2) * 2 + 1)), regions = (current && current.regions) || [];
  if (step === detail || !regions.length) return;
  detail = step;
  await Promise.all(regions.filter(region => region.code).map(async region => {
    region.polygons = await (await fetch(`georapp://outline/${region.code}/${step}`)).json();
  })).catch(() => {}); // the coarse ones stay
  if (step === detail && current.regions === regions) drawRegions(regions);
}

// --- many photos ----------------------------------------------------------------------------------------------------------------

const Badge = L.CircleMarker.extend({
  _updatePath() {
    const { _ctx: ctx, _drawing: drawing } = this._renderer, { kind, count } = this.options, { x, y } = this._point, r = this._radius;
    if (!drawing || this._empty()) return;
    const ring = kind === "truth";
    Object.assign(ctx, { fillStyle: ring ? look.halo : colours[kind], strokeStyle: ring ? colours.truth : look.halo, lineWidth: ring ? 4 : 2 });
    ctx.beginPath();
    if (kind === "human") ctx.rect(x - r, y - r, 2 * r, 2 * r); else ctx.arc(x, y, r, 0, 2 * Math.PI);
    ctx.fill();
    ctx.stroke();
    if (!count) return;
    Object.assign(ctx, { font: `650 12px ${FONT}`, fillStyle: colours.on, textAlign: "center", textBaseline: "middle" });
    ctx.fillText(String(count), x, y + 0.5);
  },
});

function clustered(spots, zoom) {
  const cells = new Map();
  for (const spot of spots) {
    const point = map.project([spot[0], spot[1]], zoom), key = `${Math.floor(point.x / CELL)}:${Math.floor(point.y / CELL)}`;
    const cell = cells.get(key) || { x: 0, y: 0, spots: [] };
    cells.set(key, Object.assign(cell, { x: cell.x + point.x, y: cell.y + point.y }));
    cell.spots.push(spot);
  }
  return [...cells.values()].map(cell => ({ spots: cell.spots, at: map.unproject([cell.x / cell.spots.length, cell.y / cell.spots.length], zoom) }));
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
  const count = cell.spots.length, first = cell.spots[0], single = count === 1;
  const style = single ? { kind: first[3], radius: 7 } : { kind: "prediction", count, radius: Math.min(24, 10 + 3 * Math.log10(count) + String(count).length) };
  const drawn = new Badge(at, { ...style, pane: "spots", renderer: renderers.spots, bubblingMouseEvents: false });
  const said = Object.assign(document.createElement("span"), { textContent: single ? first[4] : `${count} photos` });
  return drawn.bindTooltip(said, { direction: "top", offset: [0, -8] }).on("click", () => open(cell));
}

function open(cell) {
  const box = L.latLngBounds(cell.spots.map(spot => [spot[0], spot[1]])), point = box.getSouthWest().equals(box.getNorthEast());
  if (cell.spots.length === 1 || point || map.getZoom() >= map.getMaxZoom()) {
    cell.turn = ((cell.turn ?? -1) + 1) % cell.spots.length; // several at one place: each click the next
    bridge.chose(cell.spots[cell.turn][2]);
  } else flyTo(box);
}

// --- views and messages ---------------------------------------------------------------------------------------------------------

const corners = box => [box.slice(0, 2), box.slice(2)];
function flyTo(bounds, zoom) {
  const fits = { paddingTopLeft: [40, 64], paddingBottomRight: [56, 64], maxZoom: 12 };
  const target = zoom === undefined ? map._getBoundsCenterZoom(L.latLngBounds(bounds), fits) : { center: L.latLng(bounds), zoom };
  target.zoom = Number.isFinite(target.zoom) ? Math.max(target.zoom, map.getMinZoom()) : map.getMinZoom(); // none on a map without size
  target.center = map._limitCenter(target.center, target.zoom, map.options.maxBounds);
  flying = !still && !CALM.matches && !document.hidden && map.getSize().x > 0;
  if (flying) map.flyTo(target.center, target.zoom, { duration: FLIGHT_S });
  else map.setView(target.center, target.zoom, { animate: false, reset: true });
}

function draw(message) {
  Object.values(groups).forEach(group => group !== groups.tools && group.clearLayers());
  [current, clusters, detail] = [message, null, 0];
  if (message.regions) drawRegions(message.regions);
  for (const { share, fill: inside, edge } of message.areas || []) {
    const small = share === 50;
    fill("areas", inside, { fillColor: colours.prediction, fillOpacity: small ? 0.22 : 0.13 });
    stroke("areas", edge, { color: colours.prediction, weight: small ? 2 : 1.5, dashArray: small ? null : "6 5" });
  }
  if (message.line) way("marks", message.line, "truth");
  for (const one of message.marks || []) mark("marks", one.kind, one.at, one.text);
  drawSpots();
}

const show = message => { draw(message); flyTo(corners(message.box)); };
const ACTS = {
  world: show, follow: show, answer: show, spots: show,
  view(message) { flyTo(corners(message.box)); },
  theme(message) {
    ({ dark, colours, land: look } = message);
    const root = document.documentElement;
    root.className = dark ? "dark" : "light";
    Object.entries(colours).forEach(([name, colour]) => root.style.setProperty(`--${name}`, colour));
    drawBase();
    if (current) draw(current);
  },
  files(message) {
    files.forEach(file => file.layer && file.layer.remove());
    files = message.files;
    if (base) drawBase();
    document.querySelector(".attribution").textContent = [message.attribution, ...files.map(file => file.attribution)].filter(Boolean).join(" · ");
  },
  go(message) {
    [groups.found, groups.spot].forEach(group => group.clearLayers());
    if (current) current.away = true; // no spotlight on what is not looked at
    if (message.label) { mark("found", "cross", message.at); mark("found", "chip", message.at, message.label); }
    flyTo(message.at, message.zoom);
  },
  correcting(message) {
    held = held && held.remove() && null;
    if (!message.on || !message.at) return;
    held = L.marker(message.at, { icon: icon("human held", ""), draggable: true, autoPan: true, pane: "tools", keyboard: false });
    held.addTo(map).on("dragend", () => tell("dragged", held.getLatLng()));
  },
  measure(message) {
    groups.tools.clearLayers();
    if (message.line) way("tools", { ...message.line, label: message.label }, "text");
    message.points.forEach(point => mark("tools", "end", point));
  },
  cursor(message) { map.getContainer().classList.toggle("crosshair", message.cross); },
  zoom(message) { map.setZoom(map.getZoom() + message.by, { animate: !still && !CALM.matches }); },
};

function handle(text) {
  const message = JSON.parse(text);
  ({ still, id: latest } = message);
  ACTS[message.do](message);
  rest();
}

// --- what the person does ---------------------------------------------------------------------------------------------------------

const tell = (what, at, ...more) => bridge[what](Math.max(-90, Math.min(90, at.lat)), at.wrap().lng, ...more);

function listen() {
  let pointer = null;
  map.on("click", event => tell("clicked", event.latlng));
  map.on("contextmenu", event => tell("asked", event.latlng, event.containerPoint.x, event.containerPoint.y));
  map.on("mousemove", event => {
    if (!pointer) requestAnimationFrame(() => { if (pointer) tell("pointed", pointer); pointer = null; });
    pointer = event.latlng;
  });
  map.on("mouseout", () => { pointer = null; bridge.left(); });
  map.on("moveend", () => { flying = false; drawSpots(); rest(); bridge.moved(map.getZoom(), metres(map.getZoom())); });
  map.on("resize", limit);
  window.addEventListener("error", event => bridge.troubled(event.message));
  document.addEventListener("securitypolicyviolation", event => bridge.refused(event.blockedURI));
}

const metres = zoom => 40075016.686 * Math.cos(map.getCenter().lat * Math.PI / 180) / 256 / 2 ** zoom; // of a pixel in the middle
function limit() { // no more than one and a half worlds, nothing above and below them
  const { x, y } = map.getSize();
  map.setMinZoom(Math.max(1, Math.ceil(Math.log2(Math.max(x / 1.5, y) / 256))));
}

function prepare() {
  for (const [n, name] of ["files", "spot", "regions", "areas", "spots", "marks", "found", "tools"].entries()) {
    map.createPane(name).style.zIndex = name === "files" ? 210 : 350 + 20 * n;
    if (name !== "tools" && name !== "spots") map.getPane(name).style.pointerEvents = "none";
    renderers[name] = L.canvas({ pane: name, padding: 0.2 });
    groups[name] = L.layerGroup().addTo(map);
  }
  map.boxZoom.disable();
  Object.assign(map.options, { maxBounds: L.latLngBounds([-85.05, -1e5], [85.05, 1e5]), maxBoundsViscosity: 1 });
  map.getContainer().append(Object.assign(document.createElement("div"), { className: "attribution" }));
  limit();
}

function georappStart(leaflet) { // called by the page's own inline script
  map = leaflet;
  prepare();
  const fonts = [450, 500, 550, 600, 650].map(weight => document.fonts.load(`${weight} 12px Inter`, "Aéş"));
  new QWebChannel(qt.webChannelTransport, async channel => {
    bridge = channel.objects.bridge;
    await Promise.allSettled(fonts);
    listen();
    bridge.said.connect(handle);
    bridge.started();
  });
}
