// The panel beside the map: one garment, or a lassoed group. Text never becomes HTML.
import { neighbours, type MapData } from "./data";
import { picture } from "./pictures";

type Pick = (index: number) => void;

function element<K extends keyof HTMLElementTagNameMap>(
  name: K,
  text = "",
  attributes: Record<string, string> = {},
): HTMLElementTagNameMap[K] {
  const made = document.createElement(name);
  made.textContent = text;
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  return made;
}

function describe(data: MapData, index: number): string {
  return `${data.category[index] ?? ""}, ${String(data.fileNames.get(index))}`;
}

export function pictures(data: MapData, list: number[], pick: Pick): HTMLUListElement {
  const all = element("ul", "", { class: "pictures" });
  for (const index of list) {
    const button = element("button", "", { type: "button", title: describe(data, index) });
    button.append(picture(data.about, index, describe(data, index)));
    button.addEventListener("click", () => pick(index));
    const item = element("li");
    item.append(button);
    all.append(item);
  }
  return all;
}

function closeButton(close: () => void): HTMLButtonElement {
  const button = element("button", "Close", { type: "button", class: "close" });
  button.addEventListener("click", close);
  return button;
}

function facts(rows: [string, string][]): HTMLDListElement {
  const list = element("dl");
  for (const [name, value] of rows) list.append(element("dt", name), element("dd", value));
  return list;
}

export async function showGarment(
  panel: HTMLElement,
  data: MapData,
  index: number,
  pick: Pick,
  close: () => void,
): Promise<number[]> {
  const hero = picture(data.about, index, describe(data, index));
  hero.className = "hero";
  const rows: [string, string][] = [
    ["photo", String(data.fileNames.get(index))],
    ["group", data.label[index] ?? ""],
    ["id", String(data.ids.get(index))],
    ...data.facets
      .filter((facet) => facet.values[index] !== null)
      .map((facet): [string, string] => [facet.name, String(facet.values[index])]),
    ...Object.entries(data.about.models).map(([kind, model]): [string, string] => [
      kind,
      model === null ? "none" : `${model.name} ${model.version}`,
    ]),
  ];
  const photo = String(data.photoIds.get(index));
  const others = Array.from({ length: data.count }, (_, i) => i).filter(
    (i) => i !== index && String(data.photoIds.get(i)) === photo,
  );
  panel.replaceChildren(closeButton(close), element("h2", data.category[index] ?? ""), hero, facts(rows));
  if (others.length > 0) panel.append(element("h2", "Worn with it"), pictures(data, others, pick));
  panel.hidden = false;
  const near = await neighbours(data, index, 20);
  panel.append(element("h2", "Most alike"), pictures(data, near, pick));
  return near;
}

export function showGroup(panel: HTMLElement, data: MapData, list: number[], title: string, pick: Pick, close: () => void): void {
  const counts = new Map<string, number>();
  for (const index of list) counts.set(data.category[index] ?? "", (counts.get(data.category[index] ?? "") ?? 0) + 1);
  const ranked = [...counts].sort((a, b) => b[1] - a[1]).map(([name, n]): [string, string] => [name, String(n)]);
  const save = element("button", "Save as CSV", { type: "button" });
  save.addEventListener("click", () => download(toCsv(data, list)));
  panel.replaceChildren(
    closeButton(close),
    element("h2", `${title}: ${list.length.toLocaleString()}`),
    facts(ranked),
    save,
    element("h2", "Pictures"),
    pictures(data, list.slice(0, 120), pick),
  );
  panel.hidden = false;
}

function toCsv(data: MapData, list: number[]): string {
  const quote = (value: unknown): string => `"${String(value ?? "").replaceAll('"', '""')}"`;
  const names = ["id", "file_name", "category", "group", "x", "y", ...data.facets.map((f) => f.name)];
  const rows = list.map((i) => [
    data.ids.get(i),
    data.fileNames.get(i),
    data.category[i],
    data.label[i],
    data.x[i],
    data.y[i],
    ...data.facets.map((f) => f.values[i]),
  ]);
  return [names, ...rows].map((row) => row.map(quote).join(",")).join("\r\n");
}

function download(text: string): void {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([text], { type: "text/csv" }));
  link.download = "garments.csv";
  link.click();
  URL.revokeObjectURL(link.href);
}
