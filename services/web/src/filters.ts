// What is shown: categories, search text, metadata.
import type { Facet, MapData } from "./data";

export interface Filter {
  categories: Set<string>; // empty: all
  text: string;
  facets: Map<string, string>; // name to value, or "low..high" for numbers
}

const MOST_VALUES = 60;

export function apply(data: MapData, filter: Filter): Uint8Array {
  const shown = new Uint8Array(data.count);
  const words = filter.text.toLowerCase().split(/\s+/).filter(Boolean);
  for (let i = 0; i < data.count; i++) {
    const fits =
      (filter.categories.size === 0 || filter.categories.has(data.category[i] ?? "")) &&
      (words.length === 0 || contains(data, i, words)) &&
      data.facets.every((facet) => fitsFacet(facet, i, filter.facets.get(facet.name)));
    shown[i] = fits ? 1 : 0;
  }
  return shown;
}

function contains(data: MapData, index: number, words: string[]): boolean {
  const text = [data.category[index], data.label[index], data.fileNames.get(index), ...data.facets.map((f) => f.values[index])]
    .join(" ")
    .toLowerCase();
  return words.every((word) => text.includes(word));
}

function fitsFacet(facet: Facet, index: number, wanted: string | undefined): boolean {
  if (wanted === undefined || wanted === "") return true;
  const value = facet.values[index];
  if (value === null || value === undefined) return false;
  if (typeof value !== "number") return String(value) === wanted;
  const [low = "", high = ""] = wanted.split("..");
  return (low === "" || value >= Number(low)) && (high === "" || value <= Number(high));
}

export function build(box: HTMLElement, data: MapData, unit: string, filter: Filter, changed: () => void): void {
  box.replaceChildren();
  heading(box, "Category");
  const counts = new Map<string, number>();
  data.category.forEach((name, i) => {
    if (data.unit[i] === unit) counts.set(name, (counts.get(name) ?? 0) + 1);
  });
  for (const [name, count] of [...counts].sort((a, b) => b[1] - a[1])) box.append(chip(name, count, filter, changed));
  for (const facet of data.facets) {
    heading(box, facet.name);
    box.append(facet.values.some((v) => typeof v === "number") ? range(facet, filter, changed) : choice(facet, filter, changed));
  }
}

function heading(box: HTMLElement, text: string): void {
  const made = document.createElement("h2");
  made.textContent = text;
  box.append(made);
}

function chip(name: string, count: number, filter: Filter, changed: () => void): HTMLButtonElement {
  const button = document.createElement("button");
  button.type = "button";
  button.className = "chip";
  const number = document.createElement("span");
  number.textContent = count.toLocaleString();
  button.append(document.createTextNode(name), number);
  button.setAttribute("aria-pressed", String(filter.categories.has(name)));
  button.addEventListener("click", () => {
    if (!filter.categories.delete(name)) filter.categories.add(name);
    button.setAttribute("aria-pressed", String(filter.categories.has(name)));
    changed();
  });
  return button;
}

function choice(facet: Facet, filter: Filter, changed: () => void): HTMLElement {
  const counts = new Map<string, number>();
  for (const value of facet.values) if (value !== null) counts.set(String(value), (counts.get(String(value)) ?? 0) + 1);
  const select = document.createElement("select");
  select.setAttribute("aria-label", facet.name);
  select.append(new Option("all", ""));
  for (const [value, count] of [...counts].sort((a, b) => b[1] - a[1]).slice(0, MOST_VALUES)) {
    select.append(new Option(`${value} (${String(count)})`, value));
  }
  select.value = filter.facets.get(facet.name) ?? "";
  select.addEventListener("change", () => {
    filter.facets.set(facet.name, select.value);
    changed();
  });
  return select;
}

function range(facet: Facet, filter: Filter, changed: () => void): HTMLElement {
  const numbers = facet.values.filter((v): v is number => typeof v === "number");
  const input = document.createElement("input");
  input.setAttribute("aria-label", `${facet.name}, from..to`);
  const low = numbers.reduce((a, b) => Math.min(a, b), Infinity);
  const high = numbers.reduce((a, b) => Math.max(a, b), -Infinity);
  input.placeholder = `${String(low)}..${String(high)}`;
  input.value = filter.facets.get(facet.name) ?? "";
  input.addEventListener("change", () => {
    filter.facets.set(facet.name, input.value);
    changed();
  });
  return input;
}
