// What the page needs of single units, in chunks, read when it is asked for.
import type { Table } from "apache-arrow";
import { NOBODY, type MapData } from "./map";
import { BadMap, column } from "./source";

export interface Detail {
  bbox: number[]; // x, y, width, height in the photo's pixels
  area: number;
  colours: { hex: string; share: number }[];
  near: number[]; // rows, the nearest first
  counts: string; // COCO's compressed run lengths; empty where unknown
}

export interface LivePhotos {
  preview(photoId: string): Promise<Blob>;
  detail(photoId: string, id: string): Promise<Omit<Detail, "near"> & { near: string[]; width: number; height: number }>;
}

const KEPT = 40;

export class Details {
  private readonly tables = new Map<string, Promise<Table>>();
  private readonly guestSizes = new Map<string, { width: number; height: number }>();

  constructor(
    private readonly data: MapData,
    private readonly live: LivePhotos | null,
  ) {}

  async of(index: number): Promise<Detail> {
    const guest = this.data.guest(index);
    if (guest !== undefined) return this.ofGuest(guest.photoId, guest.id);
    const each = this.data.about.details;
    const table = await this.table(`page/details-${String(Math.floor(index / each))}.arrow`);
    const row = index % each;
    const value = (name: string): unknown => column(table, name).get(row);
    const list = (name: string): unknown[] => Array.from((value(name) as Iterable<unknown> | null) ?? []);
    const shares = list("colour_weights");
    return {
      bbox: list("bbox").map(Number),
      area: Number(value("area")),
      colours: list("colours").map((hex, i) => ({ hex: String(hex), share: Number(shares[i] ?? 0) })),
      near: list("near").map(Number).filter((other) => other !== NOBODY),
      counts: String(value("counts")),
    };
  }

  photoSize(index: number): { width: number; height: number } {
    const guest = this.data.guest(index);
    if (guest !== undefined) return this.guestSizes.get(guest.photoId) ?? { width: 0, height: 0 };
    const photo = this.data.photo[index] ?? 0;
    return { width: this.data.photoSizes.width[photo] ?? 0, height: this.data.photoSizes.height[photo] ?? 0 };
  }

  // A small picture of the unit's photo; null where this map has none.
  async preview(index: number): Promise<Blob | null> {
    if (this.live !== null) return this.live.preview(this.data.photoId(index));
    const { shard } = this.data.about.photos;
    if (shard === 0) return null;
    const photo = this.data.photo[index] ?? 0;
    const table = await this.table(`page/photos-${String(Math.floor(photo / shard))}.arrow`);
    const bytes = column(table, "preview").get(photo % shard) as Uint8Array<ArrayBuffer> | null;
    return bytes === null || bytes.length === 0 ? null : new Blob([bytes], { type: "image/webp" });
  }

  private async ofGuest(photoId: string, id: string): Promise<Detail> {
    if (this.live === null) throw new BadMap("Its details are on a server that is not there.");
    const told = await this.live.detail(photoId, id);
    this.guestSizes.set(photoId, { width: told.width, height: told.height });
    return { ...told, near: told.near.map((other) => this.data.find(other)).filter((other) => other >= 0) };
  }

  private table(path: string): Promise<Table> {
    let table = this.tables.get(path);
    if (table === undefined) {
      table = this.data.source.table(path);
      table.catch(() => this.tables.delete(path));
    } else this.tables.delete(path);
    this.tables.set(path, table);
    if (this.tables.size > KEPT) this.tables.delete(this.tables.keys().next().value!);
    return table;
  }
}
