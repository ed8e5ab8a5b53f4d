// A map in typed arrays: what the first picture needs, then what comes after it.
import type { Vector } from "apache-arrow";
import { BadMap, coded, column, tableOf, type Coded, type Source } from "./source";

export interface Cluster {
  level: number;
  id: number;
  label: string;
  x: number;
  y: number;
  radius: number;
  count: number;
}

export interface Unit {
  first: number;
  count: number;
  extent: [number, number, number, number];
}

export interface Level {
  name: string;
  cell: number;
  columns: number;
}

export interface FacetAbout {
  name: string;
  kind: "number" | "date" | "choice" | "text";
}

export interface About {
  format: number;
  count: number;
  counts: Record<string, number>;
  created: string;
  units: Record<string, Unit>;
  photos: { count: number; shard: number };
  details: number;
  levels: Level[];
  facets: FacetAbout[];
  clusters: Record<string, Cluster[]>;
  models: Record<string, { name: string; version: string } | null>;
}

export type Kind = "garment" | "look";

export interface Facet {
  name: string;
  kind: FacetAbout["kind"];
  coded?: Coded; // of "choice", a photo
  numbers?: Float64Array; // of "number" and "date" (days since 1970); NaN for none
  texts?: Vector; // of "text"
}

export interface Guest {
  id: string;
  photoId: string;
  fileName: string;
  kind: Kind;
  category: string;
  score: number;
  x: number; // in the map's own units
  y: number;
  rgb: [number, number, number];
  picture: Blob;
}

const FORMAT = 2;
const NO_DATE = -(2 ** 31);
export const SPAN = 2000; // the longer side of a unit's map, in the page's own units
export const NOBODY = 2 ** 32 - 1;

export class MapData {
  readonly base: number; // units that the map was built with; guests come after them
  count: number;
  mapX: Float32Array;
  mapY: Float32Array;
  rgb: Uint8Array;
  category: Int16Array;
  readonly categories: string[];
  guests: Guest[] = [];
  // what comes after the first picture
  gridX = new Uint16Array(0);
  gridY = new Uint16Array(0);
  label: Coded = { codes: new Int16Array(0), names: [] };
  photo = new Uint32Array(0);
  number = new Int16Array(0);
  score = new Uint8Array(0);
  facets: Facet[] = [];
  photoSizes: { width: Int32Array; height: Int32Array } = { width: new Int32Array(0), height: new Int32Array(0) };
  private photoIds: Vector | null = null;
  private fileNames: Vector | null = null;
  complete = false;

  constructor(
    readonly source: Source,
    readonly about: About,
    points: Uint8Array,
  ) {
    const table = tableOf(points, "page/points.arrow");
    this.base = this.count = table.numRows;
    if (this.count !== about.count) throw new BadMap("This map is half-written: its files do not fit each other.");
    const x = column(table, "x").toArray() as Uint16Array;
    const y = column(table, "y").toArray() as Uint16Array;
    this.mapX = new Float32Array(this.count);
    this.mapY = new Float32Array(this.count);
    for (const kind of this.kinds()) this.unstep(kind, x, y);
    this.rgb = new Uint8Array(3 * this.count);
    ["red", "green", "blue"].forEach((name, offset) => {
      const values = column(table, name).toArray() as Uint8Array;
      for (let i = 0, at = offset; i < values.length; i++, at += 3) this.rgb[at] = values[i]!;
    });
    const category = coded(column(table, "category"));
    this.category = Int16Array.from(category.codes);
    this.categories = category.names;
  }

  static async load(source: Source): Promise<MapData> {
    const [about, points] = await Promise.all([source.json("page/about.json") as Promise<About>, source.bytes("page/points.arrow")]);
    if (about.format !== FORMAT) {
      const told = typeof about.format === "number" ? String(about.format) : "unknown";
      throw new BadMap(`This map was written in format ${told}; this page reads format ${String(FORMAT)}. Make the map anew with one version.`);
    }
    return new MapData(source, about, points);
  }

  // Everything else that is read by the whole: places in the grid, labels, photos, metadata.
  async loadRest(): Promise<void> {
    const [columns, photos] = await Promise.all([this.source.table("page/columns.arrow"), this.source.table("page/photos.arrow")]);
    if (columns.numRows !== this.base || photos.numRows !== this.about.photos.count) {
      throw new BadMap("This map is half-written: its files do not fit each other.");
    }
    this.gridX = column(columns, "grid_x").toArray() as Uint16Array<ArrayBuffer>;
    this.gridY = column(columns, "grid_y").toArray() as Uint16Array<ArrayBuffer>;
    this.label = coded(column(columns, "label"));
    this.photo = column(columns, "photo").toArray() as Uint32Array<ArrayBuffer>;
    this.number = column(columns, "number").toArray() as Int16Array<ArrayBuffer>;
    this.score = column(columns, "score").toArray() as Uint8Array<ArrayBuffer>;
    this.photoIds = column(photos, "id");
    this.fileNames = column(photos, "file_name");
    this.photoSizes = {
      width: column(photos, "width").toArray() as Int32Array<ArrayBuffer>,
      height: column(photos, "height").toArray() as Int32Array<ArrayBuffer>,
    };
    this.facets = this.about.facets.map((facet) => readFacet(facet, column(photos, `meta:${facet.name}`)));
    this.complete = true;
  }

  kinds(): Kind[] {
    return (["garment", "look"] as const).filter((kind) => this.about.units[kind] !== undefined);
  }

  unit(kind: Kind): Unit {
    return this.about.units[kind] ?? { first: 0, count: 0, extent: [0, 0, 1, 1] };
  }

  kindOf(index: number): Kind {
    const guest = this.guest(index);
    if (guest !== undefined) return guest.kind;
    const looks = this.about.units["look"];
    return looks !== undefined && index >= looks.first && index < looks.first + looks.count ? "look" : "garment";
  }

  size(kind: Kind): number {
    return this.unit(kind).count + this.guests.filter((guest) => guest.kind === kind).length;
  }

  guest(index: number): Guest | undefined {
    return index >= this.base ? this.guests[index - this.base] : undefined;
  }

  categoryOf(index: number): string {
    return this.categories[this.category[index] ?? -1] ?? "";
  }

  labelOf(index: number): string {
    return this.label.names[this.label.codes[index] ?? -1] ?? "";
  }

  photoId(index: number): string {
    const guest = this.guest(index);
    return guest?.photoId ?? String(this.photoIds?.get(this.photo[index] ?? 0) ?? "");
  }

  fileName(index: number): string {
    const guest = this.guest(index);
    return guest?.fileName ?? this.fileNameOfPhoto(this.photo[index] ?? 0);
  }

  fileNameOfPhoto(photo: number): string {
    return String(this.fileNames?.get(photo) ?? "");
  }

  scoreOf(index: number): number {
    return this.guest(index)?.score ?? (this.score[index] ?? 0) / 255;
  }

  idOf(index: number): string {
    const guest = this.guest(index);
    if (guest !== undefined) return guest.id;
    const number = this.number[index] ?? 0;
    return `${this.photoId(index).slice(0, 16)}-${number < 0 ? "look" : String(number)}`;
  }

  find(id: string): number {
    const start = id.slice(0, 16);
    for (let photo = 0; photo < this.about.photos.count; photo++) {
      if (!String(this.photoIds?.get(photo) ?? "").startsWith(start)) continue;
      for (let i = 0; i < this.base; i++) if (this.photo[i] === photo && this.idOf(i) === id) return i;
    }
    const guest = this.guests.findIndex((one) => one.id === id);
    return guest < 0 ? -1 : this.base + guest;
  }

  // The other units of the same photo.
  ofSamePhoto(index: number): number[] {
    const found: number[] = [];
    const own = this.photoId(index);
    if (index < this.base) {
      const photo = this.photo[index];
      for (let i = 0; i < this.base; i++) if (this.photo[i] === photo && i !== index) found.push(i);
    }
    this.guests.forEach((guest, at) => {
      if (guest.photoId === own && this.base + at !== index) found.push(this.base + at);
    });
    return found;
  }

  // From the map's own units to the page's.
  place(kind: Kind, x: number, y: number): [number, number] {
    const [x1, y1, x2, y2] = this.unit(kind).extent;
    const scale = SPAN / Math.max(x2 - x1, y2 - y1, 1e-6);
    return [(x - (x1 + x2) / 2) * scale, (y - (y1 + y2) / 2) * scale];
  }

  // Takes units that were placed after the map was built; old ones do not move.
  append(guests: Guest[]): void {
    const known = new Set(this.guests.map((guest) => guest.id));
    const fresh = guests.filter((guest) => !known.has(guest.id));
    const grow = <T extends Float32Array | Uint8Array | Int16Array>(old: T, each: number): T => {
      const grown = new (old.constructor as new (length: number) => T)(old.length + each * fresh.length);
      grown.set(old);
      return grown;
    };
    this.mapX = grow(this.mapX, 1);
    this.mapY = grow(this.mapY, 1);
    this.rgb = grow(this.rgb, 3);
    this.category = grow(this.category, 1);
    for (const guest of fresh) {
      [this.mapX[this.count], this.mapY[this.count]] = this.place(guest.kind, guest.x, guest.y);
      this.rgb.set(guest.rgb, 3 * this.count);
      if (!this.categories.includes(guest.category)) this.categories.push(guest.category);
      this.category[this.count] = this.categories.indexOf(guest.category);
      this.count++;
    }
    this.guests = [...this.guests, ...fresh];
  }

  // Forgets guests.
  dismiss(ids: ReadonlySet<string>): void {
    const kept = this.guests.filter((guest) => !ids.has(guest.id));
    this.count = this.base;
    this.mapX = this.mapX.slice(0, this.base);
    this.mapY = this.mapY.slice(0, this.base);
    this.rgb = this.rgb.slice(0, 3 * this.base);
    this.category = this.category.slice(0, this.base);
    this.guests = [];
    this.append(kept);
  }

  private unstep(kind: Kind, x: Uint16Array, y: Uint16Array): void {
    const { first, count, extent } = this.unit(kind);
    const [x1, y1, x2, y2] = extent;
    const [stepX, stepY] = [Math.max(x2 - x1, 1e-9) / 65535, Math.max(y2 - y1, 1e-9) / 65535];
    const scale = SPAN / Math.max(x2 - x1, y2 - y1, 1e-6);
    for (let i = first; i < first + count; i++) {
      this.mapX[i] = (x1 + x[i]! * stepX - (x1 + x2) / 2) * scale;
      this.mapY[i] = (y1 + y[i]! * stepY - (y1 + y2) / 2) * scale;
    }
  }
}

function readFacet(about: FacetAbout, vector: Vector): Facet {
  if (about.kind === "choice") return { ...about, coded: coded(vector) };
  if (about.kind === "text") return { ...about, texts: vector };
  const values = vector.toArray() as Float64Array | Int32Array;
  const numbers = Float64Array.from(values, (value) => (about.kind === "date" && value === NO_DATE ? NaN : value));
  return { ...about, numbers };
}
