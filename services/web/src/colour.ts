// Colours: sRGB to CIELAB (D65), and words about nearness.
export type Lab = [number, number, number];

function linear(value: number): number {
  const v = value / 255;
  return v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4;
}

export function toLab(red: number, green: number, blue: number): Lab {
  const r = linear(red);
  const g = linear(green);
  const b = linear(blue);
  const f = (t: number): number => (t > 216 / 24389 ? Math.cbrt(t) : (841 / 108) * t + 4 / 29);
  const x = f((0.4124564 * r + 0.3575761 * g + 0.1804375 * b) / 0.95047);
  const y = f(0.2126729 * r + 0.7151522 * g + 0.072175 * b);
  const z = f((0.0193339 * r + 0.119192 * g + 0.9503041 * b) / 1.08883);
  return [116 * y - 16, 500 * (x - y), 200 * (y - z)];
}

export function distance(one: Lab, two: Lab): number {
  return Math.hypot(one[0] - two[0], one[1] - two[1], one[2] - two[2]);
}

export function fromHex(text: string): Lab {
  const value = Number.parseInt(text.slice(1), 16);
  return toLab((value >> 16) & 255, (value >> 8) & 255, value & 255);
}

// Order by hue, greys first and by lightness.
export function rank(lab: Lab): number {
  const chroma = Math.hypot(lab[1], lab[2]);
  if (chroma < 12) return lab[0] / 1000;
  const hue = (Math.atan2(lab[2], lab[1]) + 2 * Math.PI) % (2 * Math.PI);
  return 1 + Math.floor((hue / (2 * Math.PI)) * 24) + lab[0] / 1000;
}
