// What is shown, and what each facet would show: counts by value, histograms by number and date.
import { rowsOf } from "./layouts";
import type { Facet, Kind, MapData } from "./map";

export interface Filter {
  text: string;
  categories: ReadonlySet<string>; // empty: all
  choices: ReadonlyMap<string, ReadonlySet<string>>; // facet to values
  ranges: ReadonlyMap<string, readonly [number, number]>; // facet to least and most
}

export const EVERYTHING: Filter = { text: "", categories: new Set(), choices: new Map(), ranges: new Map() };

export interface Tally {
  shown: Uint8Array; // 1 a unit that passes
  total: number;
  categories: { name: string; count: number }[];
  facets: FacetTally[];
}

export interface FacetTally {
  facet: Facet;
  values: { name: string; count: number }[]; // of a choice
  bins: number[]; // of a number or a date
  least: number;
  most: number;
}

export const BINS = 28;
const MOST_WORDS = 8;

export function isActive(filter: Filter): boolean {
  return filter.text.trim() !== "" || filter.categories.size + filter.choices.size + filter.ranges.size > 0;
}

// A test a unit fails or passes; number `which` of all tests.
type Test = (row: number, photo: number) => boolean;

export function apply(data: MapData, kind: Kind, filter: Filter): Tally {
  const tests = [categoryTest(data, filter), textTest(data, filter), ...data.facets.map((facet) => facetTest(facet, filter))];
  const shown = new Uint8Array(data.count);
  const rows = rowsOf(data, kind);
  const failed = new Int16Array(rows.length); // -1 none, -2 more than one, else the one that fails
  let total = 0;
  for (let n = 0; n < rows.length; n++) {
    const row = rows[n]!;
    const photo = row < data.base ? (data.photo[row] ?? -1) : -1;
    let fails = -1;
    for (let t = 0; t < tests.length && fails !== -2; t++) {
      const test = tests[t];
      if (test != null && !test(row, photo)) fails = fails === -1 ? t : -2;
    }
    failed[n] = fails;
    if (fails === -1) {
      shown[row] = 1;
      total++;
    }
  }
  return {
    shown,
    total,
    categories: countCategories(data, rows, failed),
    facets: data.facets.map((facet, f) => tallyFacet(data, facet, rows, failed, f + 2)),
  };
}

function categoryTest(data: MapData, filter: Filter): Test | null {
  if (filter.categories.size === 0) return null;
  const passes = data.categories.map((name) => filter.categories.has(name));
  return (row) => passes[data.category[row] ?? -1] ?? false;
}

function facetTest(facet: Facet, filter: Filter): Test | null {
  const chosen = filter.choices.get(facet.name);
  if (facet.coded !== undefined && chosen !== undefined) {
    const { codes, names } = facet.coded;
    const passes = names.map((name) => chosen.has(name));
    return (_, photo) => passes[codes[photo] ?? -1] ?? false;
  }
  const range = filter.ranges.get(facet.name);
  if (facet.numbers !== undefined && range !== undefined) {
    const { numbers } = facet;
    return (_, photo) => {
      const value = numbers[photo] ?? NaN;
      return value >= range[0] && value <= range[1];
    };
  }
  return null;
}

const photoTexts = new WeakMap<MapData, string[]>();

// File name and metadata of every photo, in small letters.
function textsOf(data: MapData): string[] {
  let texts = photoTexts.get(data);
  if (texts === undefined) {
    const worded = data.facets.filter((facet) => facet.coded !== undefined || facet.texts !== undefined);
    texts = Array.from({ length: data.about.photos.count }, (_, photo) => {
      const values = worded.map((f) => (f.coded !== undefined ? (f.coded.names[f.coded.codes[photo] ?? -1] ?? "") : String(f.texts?.get(photo) ?? "")));
      return [data.fileNameOfPhoto(photo), ...values].join("\n").toLowerCase();
    });
    if (data.complete) photoTexts.set(data, texts);
  }
  return texts;
}

// Every word stands somewhere: in the category, the group's label, the file name or the metadata.
function textTest(data: MapData, filter: Filter): Test | null {
  const words = filter.text.toLowerCase().split(/\s+/).filter(Boolean).slice(0, MOST_WORDS);
  if (words.length === 0) return null;
  const texts = textsOf(data);
  const hits = words.map((word) => ({
    word,
    category: data.categories.map((name) => name.toLowerCase().includes(word)),
    label: data.label.names.map((name) => name.toLowerCase().includes(word)),
    photo: Uint8Array.from(texts, (text) => (text.includes(word) ? 1 : 0)),
  }));
  return (row, photo) =>
    hits.every((hit) => {
      if (hit.category[data.category[row] ?? -1] ?? false) return true;
      if (photo < 0) return data.fileName(row).toLowerCase().includes(hit.word);
      return hit.photo[photo] === 1 || (hit.label[data.label.codes[row] ?? -1] ?? false);
    });
}

function countCategories(data: MapData, rows: Uint32Array, failed: Int16Array): { name: string; count: number }[] {
  const counts = new Uint32Array(data.categories.length);
  const there = new Uint8Array(data.categories.length);
  for (let n = 0; n < rows.length; n++) {
    const code = data.category[rows[n]!]!;
    there[code] = 1;
    if (failed[n] === -1 || failed[n] === 0) counts[code]!++;
  }
  return ranked(data.categories, counts, (code) => there[code] === 1);
}

function tallyFacet(data: MapData, facet: Facet, rows: Uint32Array, failed: Int16Array, which: number): FacetTally {
  const tally: FacetTally = { facet, values: [], bins: [], least: NaN, most: NaN };
  if (facet.coded !== undefined) {
    const { codes, names } = facet.coded;
    const counts = new Uint32Array(names.length);
    each(data, rows, failed, which, (photo) => {
      const code = codes[photo] ?? -1;
      if (code >= 0) counts[code]!++;
    });
    return { ...tally, values: ranked(names, counts, () => true) };
  }
  if (facet.numbers === undefined) return tally;
  const { numbers } = facet;
  let [least, most] = [Infinity, -Infinity];
  for (const value of numbers) {
    if (value < least) least = value;
    if (value > most) most = value;
  }
  const bins = new Array<number>(BINS).fill(0);
  each(data, rows, failed, which, (photo) => {
    const value = numbers[photo] ?? NaN;
    if (!Number.isNaN(value)) bins[Math.min(Math.floor(((value - least) / Math.max(most - least, 1e-9)) * BINS), BINS - 1)]!++;
  });
  return { ...tally, bins, least, most };
}

function each(data: MapData, rows: Uint32Array, failed: Int16Array, which: number, act: (photo: number) => void): void {
  for (let n = 0; n < rows.length; n++) {
    const row = rows[n]!;
    if (row < data.base && (failed[n] === -1 || failed[n] === which)) act(data.photo[row] ?? -1);
  }
}

function ranked(names: string[], counts: Uint32Array, keep: (code: number) => boolean): { name: string; count: number }[] {
  return names
    .map((name, code) => ({ name, count: counts[code] ?? 0, code }))
    .filter(({ code }) => keep(code))
    .sort((a, b) => b.count - a.count || a.name.localeCompare(b.name));
}
