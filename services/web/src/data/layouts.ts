// Where each unit lies in each layout, in the page's own units.
import { hueRank } from "./colour";
import { mainland } from "./mainland";
import { SPAN, type Kind, type MapData } from "./map";
import type { Box } from "./places";

export type LayoutName = "map" | "grid" | "category" | "colour";
export const LAYOUTS: Record<LayoutName, string> = { map: "Similarity", grid: "Grid", category: "Category", colour: "Colour" };

export interface Heading {
  text: string;
  x: number;
  y: number;
  count: number;
}

export interface Layout {
  name: LayoutName;
  kind: Kind;
  positions: Float32Array; // x, y a unit
  size: number; // side of a picture
  bounds: Box; // of everything
  main: Box; // of nearly everything: lone islands left out
  headings: Heading[]; // names of blocks
}

export function layoutOf(data: MapData, kind: Kind, name: LayoutName, lab: () => Float32Array): Layout {
  if (name === "grid") return grid(data, kind);
  if (name === "category") return byCategory(data, kind, lab());
  if (name === "colour") return byColour(data, kind, lab());
  return similarity(data, kind);
}

function similarity(data: MapData, kind: Kind): Layout {
  const positions = new Float32Array(2 * data.count);
  for (let i = 0; i < data.count; i++) {
    positions[2 * i] = data.mapX[i]!;
    positions[2 * i + 1] = data.mapY[i]!;
  }
  const size = pictureSize(data, kind, positions);
  return finish({ name: "map", kind, positions, size, headings: [] }, data);
}

// Pictures as large as their usual distance lets them be: a sample's distance to its neighbours on the Z-curve.
function pictureSize(data: MapData, kind: Kind, positions: Float32Array): number {
  const { first, count } = data.unit(kind);
  const even = SPAN / Math.sqrt(Math.max(count, 9));
  if (count < 60) return Math.min(even * 0.8, SPAN / 6);
  const step = Math.max(1, Math.floor(count / 600));
  const found: number[] = [];
  for (let i = first + 4; i < first + count - 4; i += step) {
    let near = Infinity;
    for (let j = i - 4; j <= i + 4; j++) {
      if (j === i) continue;
      near = Math.min(near, Math.hypot(positions[2 * i]! - positions[2 * j]!, positions[2 * i + 1]! - positions[2 * j + 1]!));
    }
    found.push(near);
  }
  const usual = found.sort((a, b) => a - b)[found.length >> 1] ?? even;
  return Math.min(Math.max(2.3 * usual, 0.6 * even), 1.2 * even);
}

function grid(data: MapData, kind: Kind): Layout {
  const positions = new Float32Array(2 * data.count);
  const { first, count } = data.unit(kind);
  let [columns, rows] = [1, 1];
  for (let i = first; i < first + count; i++) {
    columns = Math.max(columns, (data.gridX[i] ?? 0) + 1);
    rows = Math.max(rows, (data.gridY[i] ?? 0) + 1);
  }
  const cell = SPAN / Math.max(columns, rows);
  const put = (i: number, column: number, row: number): void => {
    positions[2 * i] = (column - (columns - 1) / 2) * cell;
    positions[2 * i + 1] = (row - (rows - 1) / 2) * cell;
  };
  for (let i = first; i < first + count; i++) put(i, data.gridX[i] ?? 0, data.gridY[i] ?? 0);
  for (let i = data.base, n = 0; i < data.count; i++) if (data.guest(i)?.kind === kind) put(i, n % columns, rows + 1 + Math.floor(n++ / columns));
  return finish({ name: "grid", kind, positions, size: cell * 0.92, headings: [] }, data);
}

// A block a category, the largest first, each in the order of hues; blocks fill rows of the page.
function byCategory(data: MapData, kind: Kind, lab: Float32Array): Layout {
  const positions = new Float32Array(2 * data.count);
  const order = byKey(rowsOf(data, kind), (i) => hueRank(lab[3 * i]!, lab[3 * i + 1]!, lab[3 * i + 2]!));
  const groups = new Map<number, number[]>();
  for (const i of order) {
    const category = data.category[i]!;
    const group = groups.get(category);
    if (group === undefined) groups.set(category, [i]);
    else group.push(i);
  }
  const ranked = [...groups].sort((a, b) => b[1].length - a[1].length);
  const total = order.length;
  const wide = Math.ceil(Math.sqrt(total * 3.4)) + 4;
  const headings: Heading[] = [];
  let [x, y, tall] = [0, 0, 0];
  for (const [category, members] of ranked) {
    const columns = Math.max(2, Math.ceil(Math.sqrt(members.length * 1.15)));
    const rows = Math.ceil(members.length / columns);
    const gap = Math.max(1, Math.sqrt(total) / 14);
    if (x > 0 && x + columns > wide) [x, y, tall] = [0, y + tall + 2.2 * gap, 0];
    members.forEach((i, n) => {
      positions[2 * i] = x + (n % columns);
      positions[2 * i + 1] = y + Math.floor(n / columns);
    });
    headings.push({ text: data.categories[category] ?? "", x: x + (columns - 1) / 2, y: y - 0.5 - gap * 0.55, count: members.length });
    x += columns + gap;
    tall = Math.max(tall, rows);
  }
  return scaled({ name: "category", kind, positions, size: 0.92, headings }, data);
}

function byColour(data: MapData, kind: Kind, lab: Float32Array): Layout {
  const positions = new Float32Array(2 * data.count);
  const order = byKey(rowsOf(data, kind), (i) => hueRank(lab[3 * i]!, lab[3 * i + 1]!, lab[3 * i + 2]!));
  const rows = Math.max(1, Math.ceil(Math.sqrt(order.length / 1.7)));
  for (let n = 0; n < order.length; n++) {
    positions[2 * order[n]!] = Math.floor(n / rows);
    positions[2 * order[n]! + 1] = n % rows;
  }
  return scaled({ name: "colour", kind, positions, size: 0.92, headings: [] }, data);
}

// Rows of a kind in the order that a reader follows: the map's own keeps neighbours together.
export function reading({ name, kind, positions, headings }: Layout, data: MapData): number[] {
  const rows = Array.from(rowsOf(data, kind));
  if (name === "map") return rows;
  const block = new Map(headings.map(({ text }, n) => [text, n]));
  const blockOf = (row: number): number => block.get(data.categoryOf(row)) ?? 0;
  const [slow, fast] = name === "colour" ? [0, 1] : [1, 0];
  return rows.sort((a, b) => blockOf(a) - blockOf(b) || positions[2 * a + slow]! - positions[2 * b + slow]! || positions[2 * a + fast]! - positions[2 * b + fast]!);
}

// Rows of a kind, in the page's order: the map's own, then guests.
export function rowsOf(data: MapData, kind: Kind): Uint32Array {
  const { first, count } = data.unit(kind);
  const rows = new Uint32Array(data.size(kind));
  for (let n = 0; n < count; n++) rows[n] = first + n;
  for (let i = data.base, n = count; i < data.count; i++) if (data.guest(i)?.kind === kind) rows[n++] = i;
  return rows;
}

// Rows by a key of 0 to 65535, by counting.
function byKey(rows: Uint32Array, key: (row: number) => number): Uint32Array {
  const keys = Uint16Array.from(rows, key);
  const starts = new Uint32Array(65537);
  for (const k of keys) starts[k + 1]!++;
  for (let k = 0; k < 65536; k++) starts[k + 1]! += starts[k]!;
  const sorted = new Uint32Array(rows.length);
  for (let n = 0; n < rows.length; n++) sorted[starts[keys[n]!]!++] = rows[n]!;
  return sorted;
}

type Draft = Omit<Layout, "bounds" | "main">;

// Brings a layout of whole cells to the page's span, its middle at the origin.
function scaled(draft: Draft, data: MapData): Layout {
  const [x1, y1, x2, y2] = boundsOf(draft, data);
  const scale = SPAN / Math.max(x2 - x1 + 1, y2 - y1 + 1);
  const { positions } = draft;
  for (let i = 0; i < positions.length; i += 2) {
    positions[i] = (positions[i]! - (x1 + x2) / 2) * scale;
    positions[i + 1] = (positions[i + 1]! - (y1 + y2) / 2) * scale;
  }
  const headings = draft.headings.map((h) => ({ ...h, x: (h.x - (x1 + x2) / 2) * scale, y: (h.y - (y1 + y2) / 2) * scale }));
  return finish({ ...draft, size: draft.size * scale, headings }, data);
}

function finish(draft: Draft, data: MapData): Layout {
  const all = boundsOf(draft, data);
  const main = draft.name === "map" ? mainland(draft.positions, rowsOf(data, draft.kind), all) : all;
  return { ...draft, bounds: framed(all, draft), main: framed(main, draft) };
}

// With room for pictures and headings.
function framed([x1, y1, x2, y2]: Box, { size, headings }: Draft): Box {
  const half = size / 2;
  return [x1 - half, Math.min(y1 - half, ...headings.map((h) => h.y - half)), x2 + half, y2 + half];
}

function boundsOf({ positions, kind }: Draft, data: MapData): Box {
  let [x1, y1, x2, y2] = [Infinity, Infinity, -Infinity, -Infinity];
  const rows = rowsOf(data, kind);
  for (const i of rows) {
    const [x, y] = [positions[2 * i]!, positions[2 * i + 1]!];
    if (x < x1) x1 = x;
    if (x > x2) x2 = x;
    if (y < y1) y1 = y;
    if (y > y2) y2 = y;
  }
  return rows.length === 0 ? [-1, -1, 1, 1] : [x1, y1, x2, y2];
}
