// Where nearly all units lie: the map without lone islands, which would make everything else small.
import type { Box } from "./places";

const SHARE = 0.98; // of all units that stay at the least
const SPARSE = 1 / 8; // what is left out has at most this share of the mean density
const STRIPS = 512;
const CUTS = 8;
const LEAST = 0.02; // of a side that a cut must win

interface Cut {
  side: 0 | 1 | 2 | 3; // of the box
  at: number;
  won: number; // share of the side that is won, less what the units in it count for
}

// Cuts the emptiest margin off a box that holds all rows, again and again.
export function mainland(positions: Float32Array, rows: Uint32Array, all: Box): Box {
  const box: Box = [...all];
  for (let n = 0; n < CUTS; n++) {
    const axes = countsIn(positions, rows, box);
    const inside = axes[0].reduce((sum, count) => sum + count, 0);
    const most = Math.floor(inside - SHARE * rows.length);
    const cuts = ([0, 1, 2, 3] as const).map((side) => emptiest(axes[side % 2]!, side, box, inside, most));
    const best = cuts.reduce((a, b) => (b.won > a.won ? b : a));
    if (best.won < LEAST) break;
    box[best.side] = best.at;
  }
  return box;
}

// How many of the units inside a box lie in each strip of its width, and of its height.
function countsIn(positions: Float32Array, rows: Uint32Array, [x1, y1, x2, y2]: Box): [Uint32Array, Uint32Array] {
  const [across, down] = [new Uint32Array(STRIPS), new Uint32Array(STRIPS)];
  const [perX, perY] = [STRIPS / Math.max(x2 - x1, 1e-9), STRIPS / Math.max(y2 - y1, 1e-9)];
  for (const i of rows) {
    const [x, y] = [positions[2 * i]!, positions[2 * i + 1]!];
    if (x < x1 || x > x2 || y < y1 || y > y2) continue;
    across[Math.min(Math.floor((x - x1) * perX), STRIPS - 1)]!++;
    down[Math.min(Math.floor((y - y1) * perY), STRIPS - 1)]!++;
  }
  return [across, down];
}

// From one side of a box, the margin of at most so many units that wins the most room for its units.
function emptiest(counts: Uint32Array, side: Cut["side"], box: Box, inside: number, most: number): Cut {
  const far = side > 1;
  const long = box[(side % 2) + 2]! - box[side % 2]!;
  if (long <= 0) return { side, at: box[side]!, won: 0 };
  let [left, strips, won] = [0, 0, 0];
  for (let n = 0; n < STRIPS; n++) {
    left += counts[far ? STRIPS - 1 - n : n]!;
    if (left > most) break;
    const here = (n + 1) / STRIPS - left / (inside * SPARSE);
    if (here > won) [strips, won] = [n + 1, here];
  }
  const cut = (long * strips) / STRIPS;
  return { side, at: box[side]! + (far ? -cut : cut), won };
}
