// The page: puts data, scene, filters and panel together, and keeps the address true.
import { distance, fromHex, toLab } from "./colour";
import { BadMap, loadMap, type MapData } from "./data";
import { apply, build, type Filter } from "./filters";
import { layoutOf, type LayoutName } from "./layouts";
import { showGarment, showGroup } from "./panel";
import { Scene, type Look } from "./scene";

function find<T extends Element>(id: string): T {
  const found = document.getElementById(id);
  if (found === null) throw new Error(`no element ${id}`);
  return found as unknown as T;
}

const stage = find<HTMLElement>("stage");
const panel = find<HTMLElement>("panel");
const message = find<HTMLElement>("message");

function tell(text: string): void {
  message.textContent = text;
  message.hidden = text === "";
}

async function start(): Promise<void> {
  const data = await loadMap();
  const counts = data.about.counts;
  find<HTMLElement>("counts").textContent = [
    `${(counts["garments"] ?? 0).toLocaleString()} garments`,
    ...((counts["looks"] ?? 0) > 0 ? [`${(counts["looks"] ?? 0).toLocaleString()} looks`] : []),
    `${(counts["photos"] ?? 0).toLocaleString()} photos`,
  ].join(", ");
  find<HTMLElement>("fallback").hidden = true;
  if (data.count === 0) {
    tell("No garments were found on these photos.");
    return;
  }
  new Page(data).begin();
}

class Page {
  private readonly filter: Filter = { categories: new Set(), text: "", facets: new Map() };
  private readonly search = new URLSearchParams(location.hash.slice(1));
  private readonly scene: Scene;
  private look: Look;
  private near: number[] = [];
  private selected = -1;
  private waiting = 0;

  constructor(private readonly data: MapData) {
    const units = new Set(data.unit);
    const unit = this.search.get("unit") ?? "garment";
    this.filter.text = this.search.get("q") ?? "";
    for (const name of (this.search.get("category") ?? "").split("|").filter(Boolean)) this.filter.categories.add(name);
    for (const [key, value] of this.search) if (key.startsWith("m.")) this.filter.facets.set(key.slice(2), value);
    const name = (this.search.get("layout") ?? "map") as LayoutName;
    this.look = {
      layout: layoutOf(data, name),
      name,
      unit: units.has(unit) ? unit : (data.unit[0] ?? "garment"),
      shown: apply(data, this.filter),
      chosen: new Set(),
    };
    this.scene = new Scene(stage, data, this.look, {
      pick: (index) => this.pick(index),
      label: () => undefined,
      move: () => this.later(),
    });
    find<HTMLElement>("unit-box").hidden = units.size < 2;
  }

  begin(): void {
    this.controls();
    this.keyboard();
    this.lasso();
    this.rebuildFilters();
    const [x, y, zoom] = ["x", "y", "zoom"].map((key) => this.search.get(key));
    if (x != null && y != null && zoom != null) this.scene.fly({ target: [Number(x), Number(y)], zoom: Number(zoom) }, 0);
    else this.scene.fly(this.scene.whole(), 0);
    const id = this.search.get("id");
    if (id !== null) {
      const index = Array.from(this.data.ids, String).indexOf(id);
      if (index >= 0) this.pick(index);
      else tell(`There is no garment ${id} on this map.`);
    }
    document.documentElement.dataset["ready"] = "yes";
  }

  private controls(): void {
    const layout = find<HTMLSelectElement>("layout");
    layout.value = this.look.name;
    layout.addEventListener("change", () => {
      const name = layout.value as LayoutName;
      this.change({ name, layout: layoutOf(this.data, name) });
      this.scene.fly(this.scene.whole());
    });
    const unit = find<HTMLSelectElement>("unit");
    unit.value = this.look.unit;
    unit.addEventListener("change", () => {
      this.change({ unit: unit.value });
      this.rebuildFilters();
    });
    const text = find<HTMLInputElement>("search");
    text.value = this.filter.text;
    text.addEventListener("input", () => {
      this.filter.text = text.value;
      this.refilter();
    });
    find<HTMLInputElement>("colour").addEventListener("input", (event) => {
      this.nearColour((event.target as HTMLInputElement).value);
    });
    find<HTMLButtonElement>("reset").addEventListener("click", () => {
      this.filter.categories.clear();
      this.filter.facets.clear();
      this.filter.text = text.value = "";
      this.close();
      this.rebuildFilters();
      this.refilter();
      this.scene.fly(this.scene.whole());
    });
    find<HTMLElement>("listing").addEventListener("toggle", () => this.list());
  }

  private change(part: Partial<Look>): void {
    this.look = { ...this.look, ...part };
    this.scene.show(this.look);
    this.later();
  }

  private rebuildFilters(): void {
    build(find("filters"), this.data, this.look.unit, this.filter, () => this.refilter());
  }

  private refilter(): void {
    this.change({ shown: apply(this.data, this.filter) });
    const left = this.look.shown.reduce((sum, v, i) => sum + (this.data.unit[i] === this.look.unit ? v : 0), 0);
    tell(left === 0 ? "Nothing fits these filters." : "");
  }

  private pick(index: number): void {
    this.selected = index;
    this.change({ chosen: new Set([index]) });
    void showGarment(panel, this.data, index, (other) => this.visit(other), () => this.close())
      .then((near) => {
        if (this.selected === index) this.near = near;
      })
      .catch((error: unknown) => tell(error instanceof BadMap ? error.message : "Its neighbours cannot be read."));
  }

  // Picks a unit and brings it into view.
  private visit(index: number): void {
    this.pick(index);
    const { zoom } = this.scene.where();
    const enough = Math.log2(70 / this.look.layout.size);
    this.scene.fly({ target: this.scene.at(index), zoom: Math.max(zoom, enough) });
  }

  private close(): void {
    panel.hidden = true;
    this.selected = -1;
    this.near = [];
    this.change({ chosen: new Set() });
  }

  private group(list: number[], title: string): void {
    this.selected = -1;
    this.change({ chosen: new Set(list.slice(0, 2000)) });
    showGroup(panel, this.data, list, title, (index) => this.visit(index), () => this.close());
  }

  private nearColour(hex: string): void {
    const wanted = fromHex(hex);
    const far = (i: number): number =>
      distance(wanted, toLab(this.data.rgb[3 * i] ?? 0, this.data.rgb[3 * i + 1] ?? 0, this.data.rgb[3 * i + 2] ?? 0));
    const all = Array.from({ length: this.data.count }, (_, i) => i).filter((i) => this.data.unit[i] === this.look.unit);
    const distances = new Map(all.map((i) => [i, far(i)]));
    all.sort((a, b) => (distances.get(a) ?? 0) - (distances.get(b) ?? 0));
    this.group(all.slice(0, 60), "Nearest to this colour");
  }

  private keyboard(): void {
    addEventListener("keydown", (event) => {
      const typing = event.target instanceof HTMLInputElement || event.target instanceof HTMLSelectElement;
      if (event.key === "Escape") this.close();
      else if (event.key === "/" && !typing) {
        event.preventDefault();
        find<HTMLInputElement>("search").focus();
      } else if (!typing && this.selected >= 0 && this.near.length > 0) {
        if (event.key === "ArrowRight" || event.key === "ArrowDown") this.visit(this.near[0] ?? this.selected);
        else if (event.key === "ArrowLeft" || event.key === "ArrowUp") history.back();
        else return;
        event.preventDefault();
      }
    });
  }

  private lasso(): void {
    const button = find<HTMLButtonElement>("lasso");
    const line = find<SVGPolylineElement>("loop").querySelector("polyline");
    let points: [number, number][] | null = null;
    const on = (): boolean => button.getAttribute("aria-pressed") === "true";
    button.addEventListener("click", () => {
      button.setAttribute("aria-pressed", String(!on()));
      stage.classList.toggle("lasso", on());
    });
    const local = (event: PointerEvent): [number, number] => {
      const box = stage.getBoundingClientRect();
      return [event.clientX - box.left, event.clientY - box.top];
    };
    const swallow = (event: PointerEvent): void => {
      event.stopPropagation();
      event.preventDefault();
    };
    stage.addEventListener("pointerdown", (event) => {
      if (!on()) return;
      points = [local(event)];
      swallow(event);
    }, { capture: true });
    stage.addEventListener("pointermove", (event) => {
      if (points === null) return;
      points.push(local(event));
      line?.setAttribute("points", points.map((p) => p.join(",")).join(" "));
      swallow(event);
    }, { capture: true });
    addEventListener("pointerup", () => {
      if (points === null) return;
      const polygon = points.map(([x, y]) => this.scene.unproject(x, y));
      points = null;
      line?.setAttribute("points", "");
      button.click();
      const inside = Array.from({ length: this.data.count }, (_, i) => i).filter(
        (i) => this.data.unit[i] === this.look.unit && this.look.shown[i] === 1 && within(this.scene.at(i), polygon),
      );
      if (inside.length > 0) this.group(inside, "Lassoed");
    });
  }

  // Address and list follow a little later, once for many changes.
  private later(): void {
    clearTimeout(this.waiting);
    this.waiting = window.setTimeout(() => {
      this.writeAddress();
      this.list();
    }, 250);
  }

  private writeAddress(): void {
    const { target, zoom } = this.scene.where();
    const state = new URLSearchParams({
      x: target[0].toFixed(1),
      y: target[1].toFixed(1),
      zoom: zoom.toFixed(2),
      layout: this.look.name,
      unit: this.look.unit,
    });
    if (this.filter.text !== "") state.set("q", this.filter.text);
    if (this.filter.categories.size > 0) state.set("category", [...this.filter.categories].join("|"));
    for (const [name, value] of this.filter.facets) if (value !== "") state.set(`m.${name}`, value);
    if (this.selected >= 0) state.set("id", String(this.data.ids.get(this.selected)));
    history.replaceState(null, "", `#${state.toString()}`);
  }

  private list(): void {
    if (!find<HTMLDetailsElement>("listing").open) return;
    const items = this.scene.inView().slice(0, 300).map((index) => {
      const item = document.createElement("li");
      const button = document.createElement("button");
      button.type = "button";
      button.textContent = `${this.data.category[index] ?? ""}, ${String(this.data.fileNames.get(index))}`;
      button.addEventListener("click", () => this.visit(index));
      item.append(button);
      return item;
    });
    find<HTMLElement>("list").replaceChildren(...items);
  }
}

function within([x, y]: [number, number], polygon: [number, number][]): boolean {
  let inside = false;
  for (let i = 0, j = polygon.length - 1; i < polygon.length; j = i++) {
    const [xi, yi] = polygon[i] ?? [0, 0];
    const [xj, yj] = polygon[j] ?? [0, 0];
    if (yi > y !== yj > y && x < ((xj - xi) * (y - yi)) / (yj - yi) + xi) inside = !inside;
  }
  return inside;
}

start().catch((error: unknown) => {
  tell(error instanceof BadMap ? error.message : `The page cannot show this map: ${String(error)}`);
});
