// Where a map's files come from, and one sentence for whatever goes wrong on the way.
import { tableFromIPC, type Table, type Vector } from "apache-arrow";

export class BadMap extends Error {}

export const MOST_AT_A_TIME = 8;

export class Source {
  constructor(readonly base: string) {}

  async bytes(path: string, signal?: AbortSignal): Promise<Uint8Array> {
    return new Uint8Array(await (await this.get(path, signal)).arrayBuffer());
  }

  async blob(path: string, signal?: AbortSignal): Promise<Blob> {
    return (await this.get(path, signal)).blob();
  }

  async json(path: string): Promise<unknown> {
    const response = await this.get(path);
    try {
      return await response.json();
    } catch {
      throw new BadMap(`This map is half-written or damaged: ${path} cannot be read.`);
    }
  }

  async table(path: string): Promise<Table> {
    return tableOf(await this.bytes(path), path);
  }

  private async get(path: string, signal?: AbortSignal): Promise<Response> {
    let response: Response;
    try {
      response = await fetch(this.base + path, signal === undefined ? {} : { signal });
    } catch (error) {
      if (error instanceof DOMException && error.name === "AbortError") throw error;
      throw new BadMap("The map cannot be reached. Is its server still there?");
    }
    if (response.status === 404) throw new BadMap(`This map is not complete: ${path} is missing.`);
    if (!response.ok) throw new BadMap(`The server does not give ${path} (status ${String(response.status)}).`);
    return response;
  }
}

export function tableOf(bytes: Uint8Array, path: string): Table {
  try {
    const table: Table = tableFromIPC(bytes);
    if (table.schema.fields.length > 0) return table;
  } catch {
    // told below
  }
  throw new BadMap(`This map is half-written or damaged: ${path} cannot be read.`);
}

export function column(table: Table, name: string): Vector {
  const found = table.getChild(name);
  if (found === null) throw new BadMap(`This map is from another version: it has no column ${name}.`);
  return found;
}

export interface Coded {
  codes: Int8Array | Int16Array; // -1 for none
  names: string[];
}

// A dictionary column as codes and names.
export function coded(vector: Vector): Coded {
  const data = vector.data[0];
  if (data === undefined || vector.length === 0) return { codes: new Int16Array(0), names: [] };
  const dictionary = (data as { dictionary?: Vector }).dictionary;
  const names = dictionary === undefined ? [] : Array.from(dictionary, String);
  const values = data.values as Int8Array | Int16Array;
  if (vector.nullCount === 0) return { codes: values, names };
  const codes = values.slice();
  for (let i = 0; i < codes.length; i++) if (!vector.isValid(i)) codes[i] = -1;
  return { codes, names };
}
