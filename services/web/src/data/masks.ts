// COCO's compressed run lengths, as pycocotools writes them.

// Lengths of runs in column order, the first of zeros.
export function runsOf(counts: string): Uint32Array {
  const runs: number[] = [];
  let at = 0;
  while (at < counts.length) {
    let [value, shift, more] = [0, 0, true];
    while (more) {
      const c = counts.charCodeAt(at++) - 48;
      value |= (c & 31) << (5 * shift);
      more = (c & 32) !== 0;
      shift++;
      if (!more && (c & 16) !== 0) value |= -1 << (5 * shift);
    }
    if (runs.length > 2) value += runs[runs.length - 2]!;
    runs.push(value);
  }
  return Uint32Array.from(runs);
}

// The mask at another size, one byte a pixel, row by row.
export function maskAt(counts: string, full: { width: number; height: number }, width: number, height: number): Uint8Array {
  const mask = new Uint8Array(width * height);
  const runs = runsOf(counts);
  let [begin, run] = [0, 0];
  for (let x = 0; x < width; x++) {
    const column = Math.min(Math.floor(((x + 0.5) * full.width) / width), full.width - 1) * full.height;
    while (run < runs.length && begin + runs[run]! <= column) begin += runs[run++]!;
    for (let at = begin, r = run; r < runs.length && at < column + full.height; at += runs[r++]!) {
      if (r % 2 === 0) continue;
      const from = Math.max(at - column, 0);
      const to = Math.min(at + runs[r]! - column, full.height);
      const [first, last] = [Math.round((from * height) / full.height), Math.round((to * height) / full.height)];
      for (let y = first; y < last; y++) mask[y * width + x] = 1;
    }
  }
  return mask;
}

// Draws a photo with everything but the garment held back, and the garment outlined.
export function drawOutlined(
  context: CanvasRenderingContext2D,
  photo: ImageBitmap,
  mask: Uint8Array,
  look: { paper: [number, number, number]; line: [number, number, number] },
): void {
  const { width, height } = context.canvas;
  context.drawImage(photo, 0, 0, width, height);
  const image = context.getImageData(0, 0, width, height);
  const { data } = image;
  const inside = (x: number, y: number): number => (x < 0 || y < 0 || x >= width || y >= height ? 0 : mask[y * width + x]!);
  for (let y = 0, at = 0; y < height; y++) {
    for (let x = 0; x < width; x++, at += 4) {
      if (mask[y * width + x] === 1) continue;
      const near = inside(x - 1, y) | inside(x + 1, y) | inside(x, y - 1) | inside(x, y + 1) | inside(x - 2, y) | inside(x + 2, y) | inside(x, y - 2) | inside(x, y + 2);
      const [colour, share] = near === 1 ? [look.line, 1] : [look.paper, 0.5];
      for (let c = 0; c < 3; c++) data[at + c] = data[at + c]! * (1 - share) + colour[c]! * share;
    }
  }
  context.putImageData(image, 0, 0);
}
