// Colours of the drawing, light and dark.
export interface Palette {
  accent: [number, number, number, number];
  shade: [number, number, number, number];
  halo: [number, number, number, number]; // a thin line around dark cloth
  rim: [number, number, number, number];
  shadeFrom: number; // pixels of a picture from which it has a shade and a halo
}

export const LIGHT: Palette = { accent: [0.66, 0.2, 0.13, 1], shade: [0.2, 0.13, 0.08, 0.34], halo: [0, 0, 0, 0], rim: [0.33, 0.29, 0.25, 0.4], shadeFrom: 34 };
export const DARK: Palette = { accent: [1, 0.68, 0.55, 1], shade: [1, 0.95, 0.88, 0.17], halo: [1, 0.95, 0.88, 0.42], rim: [0.75, 0.72, 0.68, 0.4], shadeFrom: 13 };
