// A visitor's photo: its garments found on the map, shown with the photo that never leaves but for that.
import { signal } from "@preact/signals";
import { maskAt } from "../data/masks";
import type { Guest } from "../data/map";
import { BadMap } from "../data/source";
import type { Explorer } from "../explorer";
import { searchByPhoto, type LiveDetails } from "./api";

export interface FoundUnit {
  id: string;
  category: string;
  score: number;
  bbox: [number, number, number, number];
  area: number;
  counts: string;
  x: number;
  y: number;
  near: string[];
}

export interface Visit {
  file: File;
  stage: "sending" | "cutting out" | "comparing" | "done" | "failed";
  sentence: string;
  photo: string; // its id, once known
  units: FoundUnit[];
  kept: string; // what becomes of it in the collection, "" while it is not kept
}

export const visit = signal<Visit | null>(null);

const LONGEST = 900; // pixels of the photo that cut-outs are taken from

export function isPicture(file: File): boolean {
  return file.type.startsWith("image/") || /\.(jpe?g|png|webp|tiff?|heic|heif|avif)$/i.test(file.name);
}

export async function search(explorer: Explorer, live: LiveDetails, place: { collection: string; version: string }, file: File): Promise<void> {
  const change = (part: Partial<Visit>): void => {
    if (visit.value?.file === file) visit.value = { ...visit.value, ...part };
  };
  visit.value = { file, stage: "sending", sentence: "", photo: "", units: [], kept: "" };
  try {
    for await (const record of lines(await searchByPhoto(place.collection, place.version, file))) {
      if (typeof record["error"] === "string") throw new BadMap(record["error"]);
      const stage = record["stage"] as Visit["stage"];
      if (stage !== "done") {
        change({ stage });
        continue;
      }
      const units = record["units"] as FoundUnit[];
      const photo = record["photo"] as { id: string; width: number; height: number };
      if (units.length > 0) explorer.welcome(await guestsOf(file, photo, units, live));
      change({ stage, units, photo: photo.id, sentence: units.length === 0 ? "No garment was found on this photo." : "" });
      const [first] = units;
      if (first !== undefined) show(explorer, explorer.data.find(first.id));
    }
  } catch (error) {
    change({ stage: "failed", sentence: error instanceof Error ? error.message : String(error) });
    throw error;
  }
}

// Shows the first of the garments; on a small screen its panel would cover the list of all of them.
function show(explorer: Explorer, index: number): void {
  if (matchMedia("(max-width: 900px)").matches) explorer.looking?.flyTo(index);
  else explorer.choice.select(index, { fly: true });
}

async function* lines(stream: ReadableStream<Uint8Array>): AsyncGenerator<Record<string, unknown>> {
  const reader = stream.pipeThrough(new TextDecoderStream() as unknown as TransformStream<Uint8Array, string>).getReader();
  let rest = "";
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    const parts = (rest + value).split("\n");
    rest = parts.pop() ?? "";
    for (const part of parts) yield JSON.parse(part) as Record<string, unknown>;
  }
}

// Cuts the garments out of the visitor's own file, here in the browser.
async function guestsOf(file: File, photo: { id: string; width: number; height: number }, units: FoundUnit[], live: LiveDetails): Promise<Guest[]> {
  const bitmap = await createImageBitmap(file, { imageOrientation: "from-image" }).catch(() => null);
  const scale = Math.min(1, LONGEST / Math.max(photo.width, photo.height));
  const [width, height] = [Math.max(1, Math.round(photo.width * scale)), Math.max(1, Math.round(photo.height * scale))];
  const canvas = new OffscreenCanvas(width, height);
  const context = canvas.getContext("2d", { willReadFrequently: true })!;
  context.fillStyle = "#8f8a84"; // a format that the browser cannot draw still has its masks
  context.fillRect(0, 0, width, height);
  if (bitmap !== null) context.drawImage(bitmap, 0, 0, width, height);
  const pixels = context.getImageData(0, 0, width, height);
  const small = await canvas.convertToBlob({ type: "image/webp", quality: 0.85 });
  return Promise.all(
    units.map(async (unit): Promise<Guest> => {
      const { blob, rgb } = await cutOut(pixels, maskAt(unit.counts, photo, width, height), unit.bbox.map((v) => v * scale));
      const hex = `#${rgb.map((v) => v.toString(16).padStart(2, "0")).join("")}`;
      live.remember(photo.id, unit.id, { ...unit, width: photo.width, height: photo.height, colours: [{ hex, share: 1 }] }, small);
      return { ...unit, photoId: photo.id, fileName: file.name, kind: "garment", rgb, picture: blob };
    }),
  );
}

async function cutOut(pixels: ImageData, mask: Uint8Array, box: number[]): Promise<{ blob: Blob; rgb: [number, number, number] }> {
  const [left, top] = [Math.floor(box[0]!), Math.floor(box[1]!)];
  const [wide, high] = [Math.max(1, Math.ceil(box[2]!)), Math.max(1, Math.ceil(box[3]!))];
  const cut = new ImageData(wide, high);
  const sum: [number, number, number] = [0, 0, 0];
  let count = 0;
  for (let y = 0; y < high; y++) {
    for (let x = 0; x < wide; x++) {
      const from = (top + y) * pixels.width + left + x;
      if (left + x >= pixels.width || mask[from] !== 1) continue;
      const to = 4 * (y * wide + x);
      for (let c = 0; c < 3; c++) {
        cut.data[to + c] = pixels.data[4 * from + c]!;
        sum[c]! += pixels.data[4 * from + c]!;
      }
      cut.data[to + 3] = 255;
      count++;
    }
  }
  const canvas = new OffscreenCanvas(wide, high);
  canvas.getContext("2d")!.putImageData(cut, 0, 0);
  const rgb = sum.map((v) => Math.round(v / Math.max(count, 1))) as [number, number, number];
  return { blob: await canvas.convertToBlob({ type: "image/png" }), rgb };
}
