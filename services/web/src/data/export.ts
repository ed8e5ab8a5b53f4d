// A selection as files: CSV, Parquet, COCO JSON of its masks.
import { toHex } from "./colour";
import type { Details } from "./details";
import type { MapData } from "./map";

type Cell = string | number | null;

interface ColumnOf {
  name: string;
  type: "STRING" | "DOUBLE" | "INT32";
  value: (row: number) => Cell;
}

function columnsOf(data: MapData): ColumnOf[] {
  return [
    { name: "id", type: "STRING", value: (i) => data.idOf(i) },
    { name: "photo_id", type: "STRING", value: (i) => data.photoId(i) },
    { name: "file_name", type: "STRING", value: (i) => data.fileName(i) },
    { name: "unit", type: "STRING", value: (i) => data.kindOf(i) },
    { name: "category", type: "STRING", value: (i) => data.categoryOf(i) },
    { name: "score", type: "DOUBLE", value: (i) => Math.round(data.scoreOf(i) * 1000) / 1000 },
    { name: "colour", type: "STRING", value: (i) => toHex(data.rgb, i) },
    { name: "group", type: "STRING", value: (i) => data.labelOf(i) },
    { name: "x", type: "DOUBLE", value: (i) => Math.round((data.mapX[i] ?? 0) * 100) / 100 },
    { name: "y", type: "DOUBLE", value: (i) => Math.round((data.mapY[i] ?? 0) * 100) / 100 },
    ...data.facets.map((facet): ColumnOf => {
      const type = facet.kind === "number" ? "DOUBLE" : "STRING";
      return { name: facet.name, type, value: (i) => metadataOf(data, facet.name, i) };
    }),
  ];
}

// A unit's value of a metadata column; dates as ISO text.
export function metadataOf(data: MapData, name: string, row: number): Cell {
  const facet = data.facets.find((one) => one.name === name);
  const photo = row < data.base ? data.photo[row] : undefined;
  if (facet === undefined || photo === undefined) return null;
  if (facet.coded !== undefined) return facet.coded.names[facet.coded.codes[photo] ?? -1] ?? null;
  if (facet.texts !== undefined) return (facet.texts.get(photo) as string | null) ?? null;
  const value = facet.numbers?.[photo] ?? NaN;
  if (Number.isNaN(value)) return null;
  return facet.kind === "date" ? isoDate(value) : value;
}

export function isoDate(days: number): string {
  return new Date(days * 86_400_000).toISOString().slice(0, 10);
}

export function toCsv(data: MapData, rows: readonly number[]): Blob {
  // a cell that a spreadsheet would take for a formula begins with an apostrophe
  const text = (value: Cell): string => (typeof value === "string" && /^[=+\-@\t\r]/.test(value) ? `'${value}` : String(value ?? ""));
  const quote = (value: Cell): string => `"${text(value).replaceAll('"', '""')}"`;
  const columns = columnsOf(data);
  const lines = [columns.map((c) => quote(c.name)), ...rows.map((row) => columns.map((c) => quote(c.value(row))))];
  return new Blob([lines.map((line) => line.join(",")).join("\r\n"), "\r\n"], { type: "text/csv" });
}

export async function toParquet(data: MapData, rows: readonly number[]): Promise<Blob> {
  const { parquetWriteBuffer } = await import("hyparquet-writer");
  const columnData = columnsOf(data).map((c) => ({ name: c.name, type: c.type, data: rows.map((row) => c.value(row)), nullable: true }));
  return new Blob([parquetWriteBuffer({ columnData })], { type: "application/vnd.apache.parquet" });
}

// Photos and masks of the selection as a COCO data set.
export async function toCoco(data: MapData, rows: readonly number[], details: Details, advance: (done: number) => void): Promise<Blob> {
  const images = new Map<string, Record<string, unknown>>();
  const names = [...new Set(rows.map((row) => data.categoryOf(row)))].sort();
  const annotations: Record<string, unknown>[] = [];
  for (const [n, row] of rows.entries()) {
    const detail = await details.of(row);
    const { width, height } = details.photoSize(row);
    const photo = data.photoId(row);
    const image = images.get(photo) ?? { id: images.size + 1, file_name: data.fileName(row), width, height };
    images.set(photo, image);
    annotations.push({
      id: n + 1,
      image_id: image["id"],
      category_id: names.indexOf(data.categoryOf(row)) + 1,
      segmentation: { size: [height, width], counts: detail.counts },
      bbox: detail.bbox.map((v) => Math.round(v * 100) / 100),
      area: detail.area,
      iscrowd: 0,
      score: Math.round(data.scoreOf(row) * 1000) / 1000,
      garment_id: data.idOf(row),
    });
    if (n % 200 === 199) advance(n + 1);
  }
  const document = {
    info: { description: "fashionMap selection" },
    licenses: [],
    images: [...images.values()],
    categories: names.map((name, i) => ({ id: i + 1, name })),
    annotations,
  };
  return new Blob([JSON.stringify(document)], { type: "application/json" });
}

export function download(blob: Blob, name: string): void {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}
