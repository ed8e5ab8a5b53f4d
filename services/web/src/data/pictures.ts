// Single cut-outs for the page's panels, cut from the atlases.
import type { MapData } from "./map";

const KEPT = 36;

export class Pictures {
  private readonly sheets = new Map<string, Promise<ImageBitmap>>();

  constructor(private readonly data: MapData) {}

  // Draws a unit's picture into a canvas, from the level that fits.
  async draw(canvas: HTMLCanvasElement, index: number, pixels: number): Promise<void> {
    const guest = this.data.guest(index);
    if (guest !== undefined) {
      const bitmap = await createImageBitmap(guest.picture);
      put(canvas, bitmap, 0, 0, bitmap.width, bitmap.height);
      return;
    }
    const { levels } = this.data.about;
    const level = levels.find((one) => one.cell >= pixels) ?? levels.at(-1);
    if (level === undefined) return;
    const kind = this.data.kindOf(index);
    const each = level.columns ** 2;
    const within = index - this.data.unit(kind).first;
    const bitmap = await this.sheet(`page/${level.name}-${kind}-${String(Math.floor(within / each))}.webp`);
    const cell = within % each;
    put(canvas, bitmap, (cell % level.columns) * level.cell, Math.floor(cell / level.columns) * level.cell, level.cell, level.cell);
  }

  private sheet(path: string): Promise<ImageBitmap> {
    let sheet = this.sheets.get(path);
    if (sheet === undefined) {
      sheet = this.data.source.blob(path).then((blob) => createImageBitmap(blob));
      sheet.catch(() => this.sheets.delete(path));
    } else this.sheets.delete(path);
    this.sheets.set(path, sheet);
    if (this.sheets.size > KEPT) {
      const [oldest, old] = this.sheets.entries().next().value!;
      this.sheets.delete(oldest);
      void old.then((bitmap) => bitmap.close()).catch(() => undefined);
    }
    return sheet;
  }
}

function put(canvas: HTMLCanvasElement, bitmap: ImageBitmap, x: number, y: number, width: number, height: number): void {
  const side = Math.max(width, height);
  canvas.width = canvas.height = side;
  canvas.getContext("2d")?.drawImage(bitmap, x, y, width, height, (side - width) / 2, (side - height) / 2, width, height);
}
