// The explorer service's HTTP calls; every failure is one sentence.
import { tableFromIPC, type Table } from "apache-arrow";
import type { LivePhotos } from "../data/details";
import type { Guest, Kind } from "../data/map";
import { BadMap } from "../data/source";
import { fromHex } from "../data/colour";

export interface MapAbout {
  version: string;
  created: string;
  counts: Record<string, number>;
}

export interface CollectionAbout {
  name: string;
  newest: string;
  maps: MapAbout[];
}

export interface Operations {
  stages: Record<string, number>;
  rates: Record<string, number>;
  queues: { name: string; waiting: number; dead: number; consumers: number }[];
  failures: { stage: string; photo_id: string; file_name: string; reason: string; at: string }[];
  ready: boolean;
}

export class NeedsToken extends Error {}

const TOKEN = "fashionmap-token";

export function keepToken(token: string): void {
  sessionStorage.setItem(TOKEN, token);
}

async function call(path: string, options: RequestInit = {}): Promise<Response> {
  const token = sessionStorage.getItem(TOKEN);
  const headers = new Headers(options.headers);
  if (token !== null) headers.set("Authorization", `Bearer ${token}`);
  let response: Response;
  try {
    response = await fetch(`api/${path}`, { ...options, headers });
  } catch {
    throw new BadMap("The server does not answer. Try again when it is back.");
  }
  if (response.ok) return response;
  const told = (await response.json().catch(() => ({}))) as { error?: string };
  const sentence = told.error ?? `The server refuses this (status ${String(response.status)}).`;
  throw response.status === 401 ? new NeedsToken(sentence) : new BadMap(sentence);
}

const at = (collection: string): string => `collections/${encodeURIComponent(collection)}`;

export async function listCollections(): Promise<{ name: string; newest: string }[]> {
  return ((await (await call("collections")).json()) as { collections: { name: string; newest: string }[] }).collections;
}

export async function describeCollection(collection: string): Promise<CollectionAbout> {
  return (await (await call(at(collection))).json()) as CollectionAbout;
}

export async function readOperations(collection: string): Promise<Operations> {
  return (await (await call(`${at(collection)}/operations`)).json()) as Operations;
}

export async function retryFailures(collection: string, stage: string): Promise<number> {
  const response = await call(`${at(collection)}/retry?stage=${encodeURIComponent(stage)}`, { method: "POST" });
  return ((await response.json()) as { sent: number }).sent;
}

export async function requestMap(collection: string): Promise<void> {
  await call(`${at(collection)}/maps?unit=both`, { method: "POST" });
}

export async function putPhoto(collection: string, file: File): Promise<string> {
  const headers = { "X-File-Name": encodeURIComponent(file.name) };
  const response = await call(`${at(collection)}/photos`, { method: "POST", body: file, headers });
  return ((await response.json()) as { photo: string }).photo;
}

export async function searchByPhoto(collection: string, version: string, file: File): Promise<ReadableStream<Uint8Array>> {
  const response = await call(`${at(collection)}/maps/${version}/search`, { method: "POST", body: file });
  if (response.body === null) throw new BadMap("The server gave no answer.");
  return response.body;
}

// Units placed since the map was built: all, or those of some photos.
export async function readPlaced(collection: string, version: string, photos: string[]): Promise<Guest[]> {
  const search = new URLSearchParams(photos.map((photo) => ["photo", photo]));
  const response = await call(`${at(collection)}/maps/${version}/placed?${search.toString()}`);
  return guestsOf(tableFromIPC(new Uint8Array(await response.arrayBuffer())));
}

function guestsOf(table: Table): Guest[] {
  return Array.from({ length: table.numRows }, (_, row): Guest => {
    const value = (name: string): unknown => table.getChild(name)?.get(row);
    return {
      id: String(value("id")),
      photoId: String(value("photo_id")),
      fileName: String(value("file_name")),
      kind: String(value("unit")) as Kind,
      category: String(value("category")),
      score: Number(value("score")),
      x: Number(value("x")),
      y: Number(value("y")),
      rgb: fromHex(String(value("colour"))),
      picture: new Blob([value("thumbnail") as Uint8Array<ArrayBuffer>], { type: "image/webp" }),
    };
  });
}

type LiveDetail = Awaited<ReturnType<LivePhotos["detail"]>>;

// Photos and details of a live map; what a visitor's own photo holds is remembered here.
export class LiveDetails implements LivePhotos {
  private readonly own = new Map<string, { detail: LiveDetail; photo: Blob }>();

  constructor(
    private readonly collection: string,
    private readonly version: string,
  ) {}

  remember(photoId: string, id: string, detail: LiveDetail, photo: Blob): void {
    this.own.set(id, { detail, photo });
    this.own.set(photoId, { detail, photo });
  }

  async preview(photoId: string): Promise<Blob> {
    const own = this.own.get(photoId);
    return own?.photo ?? (await call(`${at(this.collection)}/photos/${photoId}/preview`)).blob();
  }

  async detail(photoId: string, id: string): Promise<LiveDetail> {
    const own = this.own.get(id);
    if (own !== undefined) return own.detail;
    const response = await call(`${at(this.collection)}/maps/${this.version}/photos/${photoId}/${encodeURIComponent(id)}`);
    return (await response.json()) as LiveDetail;
  }
}
