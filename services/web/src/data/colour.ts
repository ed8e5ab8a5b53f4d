// sRGB to CIELAB (D65), hues in order, and the units nearest to a colour.
import type { MapData } from "./map";

const LINEAR = Float32Array.from({ length: 256 }, (_, value) => {
  const v = value / 255;
  return v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4;
});

const f = (t: number): number => (t > 216 / 24389 ? Math.cbrt(t) : (841 / 108) * t + 4 / 29);

export function toLab(red: number, green: number, blue: number): [number, number, number] {
  const [r, g, b] = [LINEAR[red]!, LINEAR[green]!, LINEAR[blue]!];
  const x = f((0.4124564 * r + 0.3575761 * g + 0.1804375 * b) / 0.95047);
  const y = f(0.2126729 * r + 0.7151522 * g + 0.072175 * b);
  const z = f((0.0193339 * r + 0.119192 * g + 0.9503041 * b) / 1.08883);
  return [116 * y - 16, 500 * (x - y), 200 * (y - z)];
}

export function fromHex(text: string): [number, number, number] {
  const value = Number.parseInt(text.slice(1), 16);
  return [(value >> 16) & 255, (value >> 8) & 255, value & 255];
}

export function toHex(rgb: Uint8Array, index: number): string {
  return `#${[0, 1, 2].map((i) => (rgb[3 * index + i] ?? 0).toString(16).padStart(2, "0")).join("")}`;
}

// CIELAB of every unit, three values each.
export function labOf(data: MapData): Float32Array {
  const lab = new Float32Array(3 * data.count);
  for (let i = 0; i < data.count; i++) lab.set(toLab(data.rgb[3 * i]!, data.rgb[3 * i + 1]!, data.rgb[3 * i + 2]!), 3 * i);
  return lab;
}

// A place in the order of hues, 0 to 65535: greys by lightness first, then around the circle.
export function hueRank(l: number, a: number, b: number): number {
  if (Math.hypot(a, b) < 12) return Math.round(l * 60);
  const hue = (Math.atan2(b, a) + 2 * Math.PI) % (2 * Math.PI);
  return 6100 + Math.min(23, Math.floor((hue / (2 * Math.PI)) * 24)) * 2400 + Math.round(l * 23);
}

// The units among `rows` whose leading colour is nearest, by ΔE*76.
export function nearestColours(lab: Float32Array, rows: Uint32Array, hex: string, wanted: number): number[] {
  const [l, a, b] = toLab(...fromHex(hex));
  const far = new Float32Array(rows.length);
  for (let k = 0; k < rows.length; k++) {
    const at = 3 * rows[k]!;
    far[k] = (lab[at]! - l) ** 2 + (lab[at + 1]! - a) ** 2 + (lab[at + 2]! - b) ** 2;
  }
  const limit = Float32Array.from(far).sort()[Math.min(wanted, far.length) - 1] ?? -1;
  const near: number[] = [];
  for (let k = 0; k < rows.length; k++) if (far[k]! <= limit) near.push(k);
  return near.sort((one, two) => far[one]! - far[two]!).slice(0, wanted).map((k) => rows[k]!);
}
