"use strict";
/* The map's page: draws what the program says and tells it what the person does. It decides nothing.
   Messages come as JSON over the web channel; `ACTS` has a function for each value of `do`, see georapp/map_page.py.
   Text from models and files is set as textContent only. Shapes are drawn three times, 360 degrees apart. */

const WORLDS = [-360, 0, 360], FLIGHT_S = 0.8;
const FRAMES = 5; // until what was painted is on the screen
const SEEN_FROM = 128; // pixels that a map file's longer side has on the screen when its streets begin to be drawn
const LASTING = ["ground", "tools"]; // what a new message does not take away
const TILES_KEPT = 16; // of a map file that are not on the screen; a town's take a megabyte each
const CALM = matchMedia("(prefers-reduced-motion: reduce)");

let map, bridge, colours = {}, look = {}, dark = false, still = false, base = null, files = [], held = null;
let groups = {}, renderers = {}, current = null, detail = 0, latest = 0, settling = 0, resting = 0, flying = false;

// --- base map -------------------------------------------------------------------------------------------------------------------

function fileLayer(file) {
  const url = `georapp://tiles/${file.id}/{z}/{x}/{y}`;
  const shared = { pane: "files", bounds: corners(file.box), maxZoom: 19 };
  if (!file.vector) return L.tileLayer(url, { ...shared, minZoom: file.min, maxNativeZoom: file.max });
  const { paintRules, labelRules } = streetRules(file.schema, look), own = onlyWhere((label, zoom) => isInside(label, pixelBox(file, zoom)), labelRules);
  const options = { ...shared, url, minZoom: vectorFrom(file), maxDataZoom: file.max, tileDelay: 0.01, attribution: "", paintRules, labelRules: own };
  const layer = P.leafletLayer(options);
  layer.backgroundColor = undefined;
  layer.createTile = function (at) { // its tiles reach beyond what the file is about
    const element = Object.getPrototypeOf(this).createTile.call(this, at), { x, y } = this._wrapCoords(at).multiplyBy(256), box = pixelBox(file, at.z);
    const over = [box.top - y, x + 256 - box.right, y + 256 - box.bottom, box.left - x].map(side => Math.max(0, side));
    if (over.some(Boolean)) element.style.clipPath = `inset(${over.map(side => `${side}px`).join(" ")})`;
    return element;
  };
  return layer;
}

function pixelBox(file, zoom) {
  const [low, high] = corners(file.box).map(corner => map.project(corner, zoom));
  return { left: low.x, top: high.y, right: high.x, bottom: low.y };
}

/* No name is cut off at the edge of a file: its own stay inside, those of the base map outside. */
const isInside = (label, box) => label.bboxes.every(one => one.minX >= box.left && one.maxX <= box.right && one.minY >= box.top && one.maxY <= box.bottom);
const isOutside = (label, box) => label.bboxes.every(one => one.maxX < box.left || one.minX > box.right || one.maxY < box.top || one.minY > box.bottom);
const onlyWhere = (fits, rules) => rules.map(rule => ({ ...rule, symbolizer: {
  place: (layout, geom, feature) => (rule.symbolizer.place(layout, geom, feature) || []).filter(label => fits(label, layout.zoom)),
} }));
const isFree = (label, zoom) => files.every(file => !file.vector || zoom < vectorFrom(file) || isOutside(label, pixelBox(file, zoom)));

function vectorFrom(file) { // the base map is better where a file is a few pixels large; tiles are drawn twice as large as they come
  const { left, top, right, bottom } = pixelBox(file, 0), close = Math.ceil(Math.log2(SEEN_FROM / Math.max(right - left, bottom - top)));
  return Math.max(6, file.min + 1, Math.min(close, file.max + 1));
}

function drawGround() { // OpenMapTiles has no land: the world's own land and names would show through between the streets
  groups.ground.clearLayers();
  for (const { schema, layer, box: [south, west, north, east] } of files) {
    const drawn = schema === "openmaptiles" && layer && map.getZoom() >= layer.options.minZoom && east - west < 350;
    if (drawn) fill("ground", [[south, west], [south, east], [north, east], [north, west]], { fillColor: look.land, fillOpacity: 1 });
  }
}

function drawBase() {
  [base, ...files.map(file => file.layer)].forEach(layer => layer && layer.remove());
  const rules = { paintRules: paintRules(look), labelRules: onlyWhere(isFree, labelRules(look)), backgroundColor: look.ocean };
  base = P.leafletLayer({ url: "georapp://tiles/base/{z}/{x}/{y}", maxDataZoom: BASE_ZOOM, tileDelay: 0.01, attribution: "", ...rules }).addTo(map);
  files.forEach(file => (file.layer = fileLayer(file).addTo(map)));
  drawGround();
  map.setMaxZoom(files.length ? 19 : 16);
}

/* Labels depend on the order in which tiles arrive. Once the view is at rest they are placed again, in one order for all tiles of the
   view, so that the same view has the same pixels. */
async function settle() {
  if (flying || !base) return; // the end of the flight calls again
  const turn = ++settling, layers = [base, ...files.map(file => file.layer)], vector = layers.filter(layer => layer.views);
  const late = () => turn !== settling || layers.some(layer => !layer._map);
  await refine();
  const found = await Promise.all(vector.map(tilesOf));
  if (late()) return;
  vector.forEach((layer, n) => placeLabels(layer, found[n]));
  await pause(20); // tiles that are being painted with the old labels are done by then
  if (late()) return;
  await Promise.all(vector.flatMap((layer, n) => found[n].map(({ at, element }) => layer.renderTile({ ...at, distanceTo: () => 0 }, element, element.key, () => {}))));
  await Promise.all(layers.map(loaded));
  for (let n = 0; n < FRAMES; n++) await frame();
  if (turn !== settling) return;
  vector.forEach((layer, n) => layer !== base && forget(layer, found[n].length + TILES_KEPT));
  bridge.settled(latest);
}

async function tilesOf(layer) { // those of the view, with what is in them
  const zoom = map.getZoom(), view = layer.views.get("");
  const own = Object.keys(layer._tiles).filter(key => layer._keyToTileCoords(key).z === zoom && layer._tiles[key].current).sort();
  return Promise.all(own.map(async key => {
    const at = layer._wrapCoords(layer._keyToTileCoords(key));
    return { at, element: layer._tiles[key].el, prepared: await view.getDisplayTile(at).catch(() => null) };
  }));
}

function placeLabels(layer, found) {
  const unique = new Map(found.filter(tile => tile.prepared).map(({ prepared }) => [P.toIndex(prepared.dataTile), prepared]));
  const ordered = [...unique.keys()].sort().map(key => unique.get(key));
  layer.labelers = new P.Labelers(layer.scratch, layer.labelRules, 1000, layer.onTilesInvalidated);
  layer.labelers.add(map.getZoom(), new Map([["", ordered]]));
}

const loaded = layer => layer._loading && new Promise(done => { layer.once("load", done); setTimeout(done, 2000); });

function forget(layer, kept) { // protomaps-leaflet keeps 64 tiles
  const cache = layer.views.get("").tileCache.cache, oldest = [...cache.entries()].sort(([, a], [, b]) => a.used - b.used);
  for (const [key] of oldest.slice(0, Math.max(0, oldest.length - kept))) cache.delete(key);
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

function stroke(name, lines, style) {
  const options = { interactive: false, fill: false, smoothFactor: 0.2, pane: name, renderer: renderers[name], ...style }, parts = lines.flatMap(drawn);
  if (parts.length) WORLDS.forEach(by => groups[name].addLayer(L.polyline(deep(parts, by), options)));
}

function drawn(points) { // where the map ends, and where Antarctica is cut at 180 degrees, there is no line
  const isEdge = ([lat, lon], [to, east]) => Math.min(Math.abs(lat), Math.abs(to)) > 85.05 || (lon === east && Math.abs(lon) % 360 === 180);
  const parts = [];
  points.forEach((point, n) => (n && !isEdge(points[n - 1], point) ? parts[parts.length - 1] : parts[parts.push([]) - 1]).push(point));
  return parts.filter(part => part.length > 1);
}

function icon(kind, text) {
  const element = Object.assign(document.createElement("i"), { textContent: text });
  return L.divIcon({ className: `mark ${kind}`, html: element, iconSize: null });
}

function mark(name, kind, [lat, lon], text = "") {
  WORLDS.forEach(by => groups[name].addLayer(L.marker([lat, lon + by], { interactive: false, keyboard: false, pane: name, icon: icon(kind, text) })));
}

function way(name, found, kind) {
  stroke(name, [found.points], { color: look.halo, weight: 4, opacity: 0.7 });
  stroke(name, [found.points], { color: colours[kind] || colours.text, weight: 2, dashArray: kind === "truth" ? "2 6" : null });
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
    fill("regions", region.polygons, { fillColor: color, fillOpacity: province ? 0.12 : 0.04 });
    stroke("regions", region.polygons.flat(), { color, weight: province ? 2 : 1.6, lineJoin: "round" });
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
  for (const [name, group] of Object.entries(groups)) if (!LASTING.includes(name)) group.clearLayers();
  [current, detail] = [message, 0];
  beginSpots();
  if (message.regions) drawRegions(message.regions);
  for (const { share, fill: inside, edge } of message.areas || []) {
    const small = share === 50;
    fill("areas", inside, { fillColor: colours.prediction, fillOpacity: small ? 0.22 : 0.13 });
    stroke("areas", [edge], { color: colours.prediction, weight: small ? 2 : 1.5, dashArray: small ? null : "6 5" });
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
  walk(message) { walk(message.by); },
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
  map.on("zoomend", drawGround);
  map.on("moveend", () => { flying = false; drawSpots(); sayHere(); rest(); bridge.moved(map.getZoom(), metres(map.getZoom())); });
  map.on("resize", limit);
  document.addEventListener("keydown", enter);
  window.addEventListener("error", event => bridge.troubled(event.message));
  document.addEventListener("securitypolicyviolation", event => bridge.refused(event.blockedURI));
}

const metres = zoom => 40075016.686 * Math.cos(map.getCenter().lat * Math.PI / 180) / 256 / 2 ** zoom; // of a pixel in the middle
function limit() { // no more than one and a half worlds, nothing above and below them
  const { x, y } = map.getSize();
  map.setMinZoom(Math.max(1, Math.ceil(Math.log2(Math.max(x / 1.5, y) / 256))));
}

function prepare() {
  for (const [n, name] of ["ground", "files", "spot", "regions", "areas", "spots", "marks", "found", "tools"].entries()) {
    map.createPane(name).style.zIndex = n < 2 ? 205 + 5 * n : 330 + 20 * n;
    if (name !== "tools" && name !== "spots") map.getPane(name).style.pointerEvents = "none";
    renderers[name] = L.canvas({ pane: name, padding: 0.2 });
    groups[name] = L.layerGroup().addTo(map);
  }
  map.boxZoom.disable();
  Object.assign(map.options, { maxBounds: L.latLngBounds([-85.05, -1e5], [85.05, 1e5]), maxBoundsViscosity: 1 });
  map.getContainer().append(Object.assign(document.createElement("div"), { className: "attribution" }));
  map.getContainer().append(Object.assign(document.createElement("div"), { className: "said", role: "status", ariaLive: "polite" }));
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
