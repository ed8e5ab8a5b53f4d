// Pictures of units, cut from the atlases, which are fetched when first needed.
import type { About } from "./data";

const sheets = new Map<string, Promise<ImageBitmap>>();

export type Size = "small" | "large";

export function perSheet(about: About, size: Size): number {
  const { cell, side } = about.atlases[size];
  return Math.floor(side / cell) ** 2;
}

export function sheet(size: Size, number: number): Promise<ImageBitmap> {
  const path = `page/${size}-${String(number)}.webp`;
  let found = sheets.get(path);
  if (found === undefined) {
    found = fetch(path)
      .then((response) => response.blob())
      .then((blob) => createImageBitmap(blob));
    sheets.set(path, found);
  }
  return found;
}

export function place(about: About, size: Size, index: number): { sheet: number; x: number; y: number; cell: number } {
  const { cell, side } = about.atlases[size];
  const columns = Math.floor(side / cell);
  const within = index % (columns * columns);
  return {
    sheet: Math.floor(index / (columns * columns)),
    x: (within % columns) * cell,
    y: Math.floor(within / columns) * cell,
    cell,
  };
}

// A canvas with a unit's picture; it fills in when the atlas has come.
export function picture(about: About, index: number, text: string): HTMLCanvasElement {
  const canvas = document.createElement("canvas");
  const { sheet: number, x, y, cell } = place(about, "large", index);
  canvas.width = cell;
  canvas.height = cell;
  canvas.setAttribute("role", "img");
  canvas.setAttribute("aria-label", text);
  sheet("large", number)
    .then((bitmap) => canvas.getContext("2d")?.drawImage(bitmap, x, y, cell, cell, 0, 0, cell, cell))
    .catch(() => undefined);
  return canvas;
}
