// Pictures of units that came after the map was built, on sheets of their own.
import type { Guest } from "../data/map";
import { upload } from "./sheets";

const CELL = 192;
const COLUMNS = 5;
const EACH = COLUMNS * COLUMNS;

interface GuestSheet {
  first: number;
  count: number;
  texture: WebGLTexture;
  columns: number;
  cell: number;
}

export class GuestSheets {
  private made: GuestSheet[] = [];
  private taken = 0;

  constructor(
    private readonly gl: WebGL2RenderingContext,
    private readonly ready: () => void,
  ) {}

  sheets(): GuestSheet[] {
    return this.made;
  }

  take(guests: Guest[]): void {
    if (guests.length === this.taken) return;
    if (guests.length < this.taken) this.clear();
    const from = Math.floor(this.taken / EACH) * EACH;
    this.taken = guests.length;
    for (let first = from; first < guests.length; first += EACH) void this.make(first, guests.slice(first, first + EACH));
  }

  private clear(): void {
    for (const { texture } of this.made) this.gl.deleteTexture(texture);
    [this.made, this.taken] = [[], 0];
  }

  private async make(first: number, guests: Guest[]): Promise<void> {
    const canvas = new OffscreenCanvas(CELL * COLUMNS, CELL * COLUMNS);
    const context = canvas.getContext("2d")!;
    for (const [n, guest] of guests.entries()) {
      const bitmap = await createImageBitmap(guest.picture).catch(() => null);
      if (bitmap === null) continue;
      const scale = Math.min((CELL - 16) / bitmap.width, (CELL - 16) / bitmap.height);
      const [width, height] = [bitmap.width * scale, bitmap.height * scale];
      const [x, y] = [(n % COLUMNS) * CELL + (CELL - width) / 2, Math.floor(n / COLUMNS) * CELL + (CELL - height) / 2];
      context.drawImage(bitmap, x, y, width, height);
      bitmap.close();
    }
    const picture = await createImageBitmap(canvas, { premultiplyAlpha: "premultiply" });
    if (first + guests.length > this.taken) return picture.close(); // let go meanwhile
    const sheet = { first, count: guests.length, texture: upload(this.gl, picture, true), columns: COLUMNS, cell: CELL };
    picture.close();
    const old = this.made.findIndex((one) => one.first === first);
    if (old >= 0) {
      this.gl.deleteTexture(this.made[old]!.texture);
      this.made[old] = sheet;
    } else this.made.push(sheet);
    this.ready();
  }
}
