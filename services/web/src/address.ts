// What the address tells: view, layout, unit, filters, selection, collection.
import type { Filter } from "./data/filters";
import { LAYOUTS, type LayoutName } from "./data/layouts";
import type { Kind } from "./data/map";
import type { View } from "./draw/camera";

export interface Address {
  view: View | null;
  layout: LayoutName;
  unit: Kind | null;
  filter: Filter;
  id: string | null;
  lasso: [number, number][] | null;
  colour: string | null;
  collection: string | null;
  version: string | null;
}

const MOST_CORNERS = 48;

export function readAddress(hash: string): Address {
  const search = new URLSearchParams(hash.replace(/^#/, ""));
  const number = (name: string): number => Number(search.get(name) ?? NaN);
  const view = { x: number("x"), y: number("y"), zoom: number("z") };
  const layout = search.get("layout") ?? "map";
  const colour = search.get("colour");
  const unit = search.get("unit");
  return {
    view: Object.values(view).every(Number.isFinite) ? view : null,
    layout: layout in LAYOUTS ? (layout as LayoutName) : "map",
    unit: unit === "garment" || unit === "look" ? unit : null,
    filter: readFilter(search),
    id: search.get("id"),
    lasso: readLasso(search.get("lasso")),
    colour: colour !== null && /^[0-9a-f]{6}$/i.test(colour) ? `#${colour}` : null,
    collection: search.get("collection"),
    version: search.get("map"),
  };
}

export function writeAddress(address: Address): string {
  const search = new URLSearchParams();
  const set = (name: string, value: string | null): void => {
    if (value !== null && value !== "") search.set(name, value);
  };
  set("collection", address.collection);
  set("map", address.version);
  set("layout", address.layout === "map" ? null : address.layout);
  set("unit", address.unit);
  if (address.view !== null) {
    set("x", address.view.x.toFixed(1));
    set("y", address.view.y.toFixed(1));
    set("z", address.view.zoom.toFixed(2));
  }
  set("q", address.filter.text);
  for (const name of address.filter.categories) search.append("category", name);
  for (const [facet, values] of address.filter.choices) for (const value of values) search.append(`is.${facet}`, value);
  for (const [facet, [low, high]] of address.filter.ranges) set(`in.${facet}`, `${String(low)}..${String(high)}`);
  set("id", address.id);
  set("colour", address.colour?.slice(1) ?? null);
  set("lasso", address.lasso === null ? null : thin(address.lasso).map(([x, y]) => `${x.toFixed(1)},${y.toFixed(1)}`).join("_"));
  return `#${search.toString()}`;
}

function readFilter(search: URLSearchParams): Filter {
  const choices = new Map<string, Set<string>>();
  const ranges = new Map<string, [number, number]>();
  for (const [key, value] of search) {
    if (key.startsWith("is.")) choices.set(key.slice(3), (choices.get(key.slice(3)) ?? new Set()).add(value));
    if (!key.startsWith("in.")) continue;
    const [low, high] = value.split("..").map(Number);
    if (low !== undefined && high !== undefined && Number.isFinite(low) && Number.isFinite(high)) ranges.set(key.slice(3), [low, high]);
  }
  return { text: search.get("q") ?? "", categories: new Set(search.getAll("category")), choices, ranges };
}

function readLasso(text: string | null): [number, number][] | null {
  if (text === null) return null;
  const corners = text.split("_").map((pair) => pair.split(",").map(Number) as [number, number]);
  return corners.length > 2 && corners.every((pair) => pair.length === 2 && pair.every(Number.isFinite)) ? corners : null;
}

// Every n-th corner of a long line: also what the page itself selects by, so that both agree.
export function thin(line: [number, number][]): [number, number][] {
  const step = Math.max(1, Math.ceil(line.length / MOST_CORNERS));
  return line.filter((_, i) => i % step === 0).map(([x, y]) => [Number(x.toFixed(1)), Number(y.toFixed(1))]);
}
