// Where each unit lies in each layout, in common units: the similarity map spans about 2,000.
import { rank, toLab } from "./colour";
import type { MapData } from "./data";

export type LayoutName = "map" | "grid" | "category" | "colour";

export interface Layout {
  positions: Float32Array; // x, y a unit
  size: number; // side of a picture
}

const SPAN = 2000;

export function layoutOf(data: MapData, name: LayoutName): Layout {
  if (name === "map") return similarity(data);
  if (name === "grid") return cells(data, (i) => [data.gridX[i] ?? 0, data.gridY[i] ?? 0]);
  if (name === "category") return byCategory(data);
  return byColour(data);
}

function similarity(data: MapData): Layout {
  const positions = new Float32Array(2 * data.count);
  let reach = 1e-6;
  for (let i = 0; i < data.count; i++) reach = Math.max(reach, Math.abs(data.x[i] ?? 0), Math.abs(data.y[i] ?? 0));
  const scale = SPAN / 2 / reach;
  for (let i = 0; i < data.count; i++) {
    positions[2 * i] = (data.x[i] ?? 0) * scale;
    positions[2 * i + 1] = (data.y[i] ?? 0) * scale;
  }
  return { positions, size: (1.1 * SPAN) / Math.sqrt(Math.max(data.count, 9)) / 1.45 };
}

function cells(data: MapData, cell: (index: number) => [number, number]): Layout {
  const places = Array.from({ length: data.count }, (_, i) => cell(i));
  let columns = 1;
  let rows = 1;
  for (const [x, y] of places) {
    columns = Math.max(columns, x + 1);
    rows = Math.max(rows, y + 1);
  }
  const step = SPAN / Math.max(columns, rows);
  const positions = new Float32Array(2 * data.count);
  places.forEach(([x, y], i) => {
    positions[2 * i] = (x - (columns - 1) / 2) * step;
    positions[2 * i + 1] = (y - (rows - 1) / 2) * step;
  });
  return { positions, size: step * 0.94 };
}

function byCategory(data: MapData): Layout {
  const names = [...new Set(data.category)].sort();
  const members = names.map((name) => indices(data, (i) => data.category[i] === name));
  const width = Math.max(4, Math.ceil(Math.sqrt(data.count / Math.max(names.length, 1)) * 0.55));
  const place = new Map<number, [number, number]>();
  members.forEach((list, column) => {
    sorted(data, list).forEach((index, n) => {
      place.set(index, [column * (width + 1) + (n % width), Math.floor(n / width)]);
    });
  });
  return cells(data, (i) => place.get(i) ?? [0, 0]);
}

function byColour(data: MapData): Layout {
  const order = sorted(data, indices(data, () => true));
  const columns = Math.max(1, Math.ceil(Math.sqrt(data.count * 1.5)));
  const rows = Math.ceil(data.count / columns);
  const place = new Map(order.map((index, n) => [index, [Math.floor(n / rows), n % rows] as [number, number]]));
  return cells(data, (i) => place.get(i) ?? [0, 0]);
}

function indices(data: MapData, keep: (index: number) => boolean): number[] {
  return Array.from({ length: data.count }, (_, i) => i).filter(keep);
}

function sorted(data: MapData, list: number[]): number[] {
  const ranks = new Map(
    list.map((i) => [i, rank(toLab(data.rgb[3 * i] ?? 0, data.rgb[3 * i + 1] ?? 0, data.rgb[3 * i + 2] ?? 0))]),
  );
  return [...list].sort((a, b) => (ranks.get(a) ?? 0) - (ranks.get(b) ?? 0));
}
