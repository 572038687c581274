"use strict";
/* How vector tiles are painted: the base map, and map files of the user in the layers of Protomaps or OpenMapTiles.
   `c` has colours by what they paint, see georapp/map_page.py. Later rules paint over earlier ones; earlier labels go first. */

const P = protomapsL, LINE = 2, POINT = 1;
const FONT = 'Inter, "Noto Sans", "DejaVu Sans", sans-serif'; // of other scripts the system's fonts follow by themselves
const BASE_ZOOM = 7; // the finest of the base map's tiles

const line = (color, width, dash) => (dash ? new Dashed({ color, width, dash }) : new P.LineSymbolizer({ color, width }));
const area = (fill, stroke, width) => new P.PolygonSymbolizer({ fill, stroke, width });

class Dashed extends P.LineSymbolizer { // only what is seen: a border of the coarse base map is a million dashes long where streets are drawn
  draw(ctx, lines, zoom) {
    const { a: scale, e, f } = ctx.getTransform(), { width, height } = ctx.canvas, room = 8;
    const left = -e / scale - room, top = -f / scale - room, right = (width - e) / scale + room, bottom = (height - f) / scale + room;
    const isSeen = (a, b) => Math.max(a.x, b.x) >= left && Math.min(a.x, b.x) <= right && Math.max(a.y, b.y) >= top && Math.min(a.y, b.y) <= bottom;
    ctx.setLineDash(this.dash.get(zoom));
    for (const points of lines) {
      let way = 0, before = false;
      for (let n = 1; n < points.length; n++) {
        const [a, b] = [points[n - 1], points[n]], seen = isSeen(a, b);
        if (seen && !before) { ctx.beginPath(); ctx.lineDashOffset = way; ctx.moveTo(a.x, a.y); }
        if (seen) ctx.lineTo(b.x, b.y);
        else if (before) ctx.stroke();
        [before, way] = [seen, way + Math.hypot(b.x - a.x, b.y - a.y)];
      }
      if (before) ctx.stroke();
    }
    ctx.setLineDash([]);
  }
}

// --- base map -------------------------------------------------------------------------------------------------------------------

const isKind = kind => (zoom, feature) => feature.props.kind === kind;
const byName = (a, b) => (a.name < b.name ? -1 : Number(a.name > b.name));
const byPeople = (a, b) => (b.pop || 0) - (a.pop || 0) || byName(a, b);
const byRank = (a, b) => (a.rank || 99) - (b.rank || 99) || byName(a, b);

class Land extends P.PolygonSymbolizer { // at 180 degrees and at the lower end of the map land is cut, and no coast is there
  draw(ctx, rings, zoom) {
    const side = 512 * 2 ** Math.max(0, zoom - 1 - BASE_ZOOM), edge = at => at === 0 || at === side;
    const isCut = (a, b) => (a.x === b.x && edge(a.x)) || (a.y === b.y && edge(a.y));
    ctx.beginPath();
    for (const ring of rings) ring.forEach((point, n) => (n ? ctx.lineTo(point.x, point.y) : ctx.moveTo(point.x, point.y)));
    ctx.fill();
    ctx.beginPath();
    for (const ring of rings) ring.forEach((point, n) => (n && !isCut(ring[n - 1], point) ? ctx.lineTo(point.x, point.y) : ctx.moveTo(point.x, point.y)));
    ctx.stroke();
  }
}

function paintRules(c) {
  return [
    { dataLayer: "earth", symbolizer: new Land({ fill: c.land, stroke: c.coast, width: 0.8 }) },
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

// --- map files of the user --------------------------------------------------------------------------------------------------------

/* The layers of a schema and the field that says what a thing is; Protomaps before its version 4 wrote pmap: before its fields. */
const SCHEMAS = {
  protomaps: {
    land: "earth", uses: ["landcover", "landuse"], water: "water", rivers: "water", waterNames: "water", buildings: "buildings",
    roads: "roads", roadNames: "roads", places: "places", borders: "boundaries",
    kinds: p => [p.kind_detail ?? p["pmap:kind_detail"], p.kind ?? p["pmap:kind"]],
    level: p => Number(p.kind_detail ?? p["pmap:min_admin_level"]),
  },
  openmaptiles: {
    land: "", uses: ["landcover", "landuse", "park"], water: "water", rivers: "waterway", waterNames: "water_name", buildings: "building",
    roads: "transportation", roadNames: "transportation_name", places: "place", borders: "boundary",
    kinds: p => [p.class],
    level: p => (p.maritime ? 99 : Number(p.admin_level)),
  },
};

/* What the schemas call things -> what is painted alike. */
const sorted = table => new Map(Object.entries(table).flatMap(([ours, theirs]) => theirs.split(" ").map(word => [word, ours])));
const USES = sorted({
  wood: "wood forest scrub",
  green: "green grass grassland meadow park garden golf_course cemetery village_green playground pitch allotments recreation_ground zoo nature_reserve national_park protected_area wetland",
  town: "residential commercial industrial retail suburb quarter neighbourhood railway school university college hospital urban_area",
  sand: "sand beach barren",
  ice: "ice glacier",
});
const ROADS = sorted({
  highway: "motorway motorway_link trunk trunk_link highway",
  main: "primary primary_link secondary secondary_link tertiary tertiary_link major_road medium_road",
  minor: "residential unclassified living_street road minor minor_road busway raceway",
  lane: "service track alley driveway parking_aisle",
  path: "path footway pedestrian cycleway steps bridleway corridor sidewalk crossing other",
  rail: "rail subway tram light_rail narrow_gauge monorail funicular transit",
  ferry: "ferry",
});
const PLACES = sorted({
  country: "country", region: "region state province", city: "city", town: "town", village: "village hamlet isolated_dwelling island locality",
  quarter: "suburb borough quarter neighbourhood macrohood",
});
const WIDTHS = { highway: [4, 1.4], main: [2.7, 1.42], minor: [1.3, 1.5], lane: [0.8, 1.45], path: [0.8, 1.15], rail: [1, 1.2], ferry: [1, 1.1] }; // pixels at zoom 13, and times what each zoom

const NAMES = ["name:en", "name_en", "name:latin", "name"]; // as on the base map; where a place has no such name, the one in its own script
const important = p => p.min_zoom ?? p["pmap:min_zoom"] ?? p.rank ?? 99;
const byImportance = (a, b) => important(a) - important(b) || (b.population || 0) - (a.population || 0) || byName(a, b);

/* What it does not know is not painted. */
function streetRules(name, c) {
  const schema = SCHEMAS[name];
  const is = (table, ours) => (z, f) => ours === table.get(schema.kinds(f.props).find(word => table.has(word)));
  return { paintRules: streetPaint(schema, is, c), labelRules: streetLabels(schema, is, c) };
}

function streetPaint(schema, is, c) {
  const wide = (kind, more = 0) => z => Math.max(0.4, WIDTHS[kind][0] * WIDTHS[kind][1] ** (z - 13)) + more;
  const road = (kind, minzoom, color, more) => ({ dataLayer: schema.roads, minzoom, filter: is(ROADS, kind),
    symbolizer: new P.LineSymbolizer({ color, width: wide(kind, more), lineJoin: "round", lineCap: more ? "butt" : "round" }) });
  const dashed = (kind, minzoom, color, dash) => ({ dataLayer: schema.roads, minzoom, filter: is(ROADS, kind), symbolizer: line(color, wide(kind), dash) });
  const border = (least, most, symbolizer) => ({ dataLayer: schema.borders, symbolizer,
    filter: (z, f) => schema.level(f.props) >= least && schema.level(f.props) <= most });
  return [
    ...(schema.land ? [{ dataLayer: schema.land, symbolizer: area(c.land) }] : []),
    ...["town", "green", "wood", "sand", "ice"].flatMap(use => schema.uses.map(dataLayer => ({ dataLayer, filter: is(USES, use), symbolizer: area(c[use]) }))),
    { dataLayer: schema.water, filter: (z, f) => f.geomType > LINE, symbolizer: area(c.ocean) },
    { dataLayer: schema.rivers, filter: (z, f) => f.geomType === LINE, symbolizer: line(c.ocean, z => Math.max(0.6, 1.3 ** (z - 12))) },
    { dataLayer: schema.buildings, minzoom: 14, symbolizer: area(c.built, c.wall, 0.6) },
    dashed("ferry", 10, c.waterName, [5, 4]),
    dashed("path", 15, c.path, [3, 2]),
    ...[["lane", 15], ["minor", 14], ["main", 12], ["highway", 11]].map(([kind, from]) => road(kind, from, c.kerb, 1.6)),
    ...[["lane", 14], ["minor", 13]].map(([kind, from]) => road(kind, from, c.road)),
    road("main", 8, c.main),
    road("highway", 6, c.highway),
    road("rail", 11, c.rail),
    border(3, 4, line(c.region, 1.1, [3, 2])),
    border(1, 2, line(c.country, 1.6)),
  ];
}

function streetLabels(schema, is, c) {
  const halo = { labelProps: NAMES, stroke: c.halo };
  const text = (fill, font) => new P.CenteredTextSymbolizer({ ...halo, width: 1.8, lineHeight: 1.15, fill, font: `${font} ${FONT}` });
  const along = (fill, font) => new P.LineLabelSymbolizer({ ...halo, width: 3, position: P.LineLabelPlacement.Center, fill, font: `${font} ${FONT}` });
  const place = (kind, minzoom, maxzoom, fill, font) => ({ dataLayer: schema.places, minzoom, maxzoom, filter: is(PLACES, kind), sort: byImportance, symbolizer: text(fill, font) });
  const road = (kind, minzoom, font) => ({ dataLayer: schema.roadNames, minzoom, filter: is(ROADS, kind), symbolizer: along(c.roadName, font) });
  return [
    place("country", 1, 6, c.name, "600 13px"),
    place("city", 6, 16, c.name, "600 15px"),
    place("town", 8, 17, c.name, "600 13px"),
    place("region", 5, 9, c.regionName, "500 11.5px"),
    place("village", 11, 18, c.townName, "550 12px"),
    place("quarter", 13, 18, c.regionName, "550 12px"),
    { dataLayer: schema.waterNames, minzoom: 9, filter: (z, f) => f.geomType === POINT, symbolizer: text(c.waterName, "500 11.5px") },
    road("highway", 12, "550 11px"),
    road("main", 13, "550 11px"),
    { dataLayer: schema.rivers, minzoom: 13, filter: (z, f) => f.geomType === LINE, symbolizer: along(c.waterName, "500 11px") },
    road("minor", 15, "500 11px"),
    road("lane", 16, "500 10.5px"),
    road("path", 17, "500 10.5px"),
  ];
}
