// Which units lie where: cells over a layout, and small blocks of neighbours in the page's order.
import type { Layout } from "./layouts";

export type Box = [number, number, number, number];

// Units in square cells, by counting: nearest unit and units in a box without looking at all.
export class Cells {
  private readonly side: number;
  private readonly columns: number;
  private readonly rowCount: number;
  private readonly starts: Uint32Array;
  private readonly items: Uint32Array;

  constructor(
    private readonly layout: Layout,
    rows: Uint32Array,
  ) {
    const [x1, y1, x2, y2] = layout.bounds;
    this.side = Math.max(Math.sqrt(((x2 - x1) * (y2 - y1)) / Math.max(rows.length / 4, 1)), 1e-3);
    this.columns = Math.min(4096, Math.ceil((x2 - x1) / this.side) + 1);
    this.rowCount = Math.min(4096, Math.ceil((y2 - y1) / this.side) + 1);
    this.starts = new Uint32Array(this.columns * this.rowCount + 1);
    this.items = new Uint32Array(rows.length);
    const cells = Uint32Array.from(rows, (i) => this.cell(layout.positions[2 * i]!, layout.positions[2 * i + 1]!));
    for (const cell of cells) this.starts[cell + 1]!++;
    for (let c = 1; c < this.starts.length; c++) this.starts[c]! += this.starts[c - 1]!;
    const next = this.starts.slice();
    for (let n = 0; n < rows.length; n++) this.items[next[cells[n]!]!++] = rows[n]!;
  }

  nearest(x: number, y: number, reach: number, fits: (index: number) => boolean): number {
    let [best, least] = [-1, reach * reach];
    this.visit([x - reach, y - reach, x + reach, y + reach], (i) => {
      const far = (this.layout.positions[2 * i]! - x) ** 2 + (this.layout.positions[2 * i + 1]! - y) ** 2;
      if (far <= least && fits(i)) [best, least] = [i, far];
    });
    return best;
  }

  within(box: Box, fits: (index: number) => boolean, most = Infinity): number[] {
    const found: number[] = [];
    this.visit(box, (i) => {
      const [x, y] = [this.layout.positions[2 * i]!, this.layout.positions[2 * i + 1]!];
      if (found.length < most && x >= box[0] && x <= box[2] && y >= box[1] && y <= box[3] && fits(i)) found.push(i);
    });
    return found;
  }

  private visit(box: Box, act: (index: number) => void): void {
    const [left, right] = [this.column(box[0]), this.column(box[2])];
    for (let row = this.row(box[1]); row <= this.row(box[3]); row++) {
      const [from, to] = [this.starts[row * this.columns + left]!, this.starts[row * this.columns + right + 1]!];
      for (let n = from; n < to; n++) act(this.items[n]!);
    }
  }

  private column(x: number): number {
    return Math.min(Math.max(Math.floor((x - this.layout.bounds[0]) / this.side), 0), this.columns - 1);
  }

  private row(y: number): number {
    return Math.min(Math.max(Math.floor((y - this.layout.bounds[1]) / this.side), 0), this.rowCount - 1);
  }

  private cell(x: number, y: number): number {
    return this.row(y) * this.columns + this.column(x);
  }
}

// Whether a place lies inside a loop.
export function within([x, y]: [number, number], corners: [number, number][]): boolean {
  let inside = false;
  for (let i = 0, j = corners.length - 1; i < corners.length; j = i++) {
    const [xi, yi] = corners[i]!;
    const [xj, yj] = corners[j]!;
    if (yi > y !== yj > y && x < ((xj - xi) * (y - yi)) / (yj - yi) + xi) inside = !inside;
  }
  return inside;
}

export const BLOCK = 16;

// Bounding boxes of each sixteen units of a kind: a sheet of the largest level is one block.
export class Blocks {
  readonly count: number;
  private readonly boxes: Float32Array;

  constructor(
    private readonly layout: Layout,
    readonly first: number,
    readonly units: number,
  ) {
    this.count = Math.ceil(units / BLOCK);
    this.boxes = new Float32Array(4 * this.count);
    for (let b = 0; b < this.count; b++) {
      let [x1, y1, x2, y2] = [Infinity, Infinity, -Infinity, -Infinity];
      for (let i = first + b * BLOCK; i < Math.min(first + (b + 1) * BLOCK, first + units); i++) {
        const [x, y] = [layout.positions[2 * i]!, layout.positions[2 * i + 1]!];
        if (x < x1) x1 = x;
        if (x > x2) x2 = x;
        if (y < y1) y1 = y;
        if (y > y2) y2 = y;
      }
      this.boxes.set([x1, y1, x2, y2], 4 * b);
    }
  }

  // Marks blocks that have a unit in the box; returns how many.
  mark(box: Box, seen: Uint8Array): number {
    const { boxes } = this;
    let found = 0;
    for (let b = 0, at = 0; b < this.count; b++, at += 4) {
      const apart = boxes[at]! > box[2] || boxes[at + 2]! < box[0] || boxes[at + 1]! > box[3] || boxes[at + 3]! < box[1];
      const inside = !apart && boxes[at]! >= box[0] && boxes[at + 2]! <= box[2] && boxes[at + 1]! >= box[1] && boxes[at + 3]! <= box[3];
      seen[b] = inside || (!apart && this.some(b, box)) ? 1 : 0;
      found += seen[b]!;
    }
    return found;
  }

  private some(block: number, box: Box): boolean {
    const { positions } = this.layout;
    const end = Math.min(this.first + (block + 1) * BLOCK, this.first + this.units);
    for (let i = this.first + block * BLOCK; i < end; i++) {
      const [x, y] = [positions[2 * i]!, positions[2 * i + 1]!];
      if (x >= box[0] && x <= box[2] && y >= box[1] && y <= box[3]) return true;
    }
    return false;
  }
}
