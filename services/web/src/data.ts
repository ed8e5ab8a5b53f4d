// What a map folder holds for the page: columns as Arrow, atlases, small vectors.
import { tableFromIPC, type Table, type Vector } from "apache-arrow";

export interface Cluster {
  level: number;
  id: number;
  label: string;
  x: number;
  y: number;
  radius: number;
  count: number;
}

export interface Atlas {
  cell: number;
  side: number;
}

export interface About {
  format: number;
  count: number;
  counts: Record<string, number>;
  unit: string;
  models: Record<string, { name: string; version: string } | null>;
  clusters: Record<string, Cluster[]>;
  atlases: { small: Atlas; large: Atlas };
  metadata: string[];
}

export interface Facet {
  name: string;
  values: (string | number | boolean | null)[];
}

export interface MapData {
  about: About;
  count: number;
  ids: Vector;
  fileNames: Vector;
  photoIds: Vector;
  unit: string[];
  category: string[];
  label: string[];
  x: Float32Array;
  y: Float32Array;
  gridX: Int32Array;
  gridY: Int32Array;
  rgb: Uint8Array; // three bytes a unit
  facets: Facet[];
}

export class BadMap extends Error {}

const FORMAT = 1;

async function get(path: string): Promise<Response> {
  let response: Response;
  try {
    response = await fetch(path);
  } catch {
    throw new BadMap("The map cannot be reached. Is the server still there?");
  }
  if (!response.ok) {
    throw new BadMap(`This map folder is not complete: ${path} is missing.`);
  }
  return response;
}

export async function loadMap(): Promise<MapData> {
  const [about, bytes] = await Promise.all([
    get("page/about.json").then((r) => r.json() as Promise<About>),
    get("page/points.arrow").then((r) => r.arrayBuffer()),
  ]);
  if (about.format !== FORMAT) {
    throw new BadMap(`This map was written in format ${String(about.format)}; this page reads ${String(FORMAT)}.`);
  }
  let table: Table;
  try {
    table = tableFromIPC(new Uint8Array(bytes));
  } catch {
    throw new BadMap("This map's points are damaged: page/points.arrow cannot be read.");
  }
  return fromTable(about, table);
}

function column(table: Table, name: string): Vector {
  const vector = table.getChild(name);
  if (vector === null) {
    throw new BadMap(`This map's points have no column ${name}.`);
  }
  return vector;
}

function fromTable(about: About, table: Table): MapData {
  const texts = (name: string): string[] => Array.from(column(table, name), (v) => String(v));
  const numbers = (name: string): Float32Array => column(table, name).toArray() as Float32Array;
  const integers = (name: string): Int32Array => column(table, name).toArray() as Int32Array;
  const rgb = new Uint8Array(table.numRows * 3);
  ["red", "green", "blue"].forEach((name, offset) => {
    const values = column(table, name);
    for (let i = 0; i < table.numRows; i++) rgb[3 * i + offset] = Number(values.get(i));
  });
  return {
    about,
    count: table.numRows,
    ids: column(table, "id"),
    fileNames: column(table, "file_name"),
    photoIds: column(table, "photo_id"),
    unit: texts("unit"),
    category: texts("category"),
    label: texts("label"),
    x: numbers("x"),
    y: numbers("y"),
    gridX: integers("grid_x"),
    gridY: integers("grid_y"),
    rgb,
    facets: about.metadata.map((name) => ({ name, values: facetValues(table, name) })),
  };
}

function facetValues(table: Table, name: string): Facet["values"] {
  return Array.from(column(table, `meta:${name}`), (value: unknown) => {
    if (typeof value === "bigint") return Number(value);
    if (typeof value === "string" || typeof value === "number" || typeof value === "boolean") return value;
    return null;
  });
}

let vectors: Promise<{ values: Int8Array; dimensions: number }> | undefined;

async function loadVectors(count: number): Promise<{ values: Int8Array; dimensions: number }> {
  vectors ??= get("page/vectors.i8")
    .then((r) => r.arrayBuffer())
    .then((buffer) => ({ values: new Int8Array(buffer), dimensions: buffer.byteLength / Math.max(count, 1) }));
  return vectors;
}

// The nearest units of the same kind, by the vectors, not by the map.
export async function neighbours(data: MapData, index: number, wanted: number): Promise<number[]> {
  const { values, dimensions } = await loadVectors(data.count);
  const own = values.subarray(index * dimensions, (index + 1) * dimensions);
  const scores = new Float32Array(data.count);
  for (let i = 0; i < data.count; i++) {
    let sum = 0;
    const start = i * dimensions;
    for (let d = 0; d < dimensions; d++) sum += (own[d] ?? 0) * (values[start + d] ?? 0);
    scores[i] = sum;
  }
  const alike = [];
  for (let i = 0; i < data.count; i++) {
    if (i !== index && data.unit[i] === data.unit[index]) alike.push(i);
  }
  alike.sort((a, b) => (scores[b] ?? 0) - (scores[a] ?? 0));
  return alike.slice(0, wanted);
}
