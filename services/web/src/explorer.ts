// One open map: what is shown and chosen, and everything a visitor can do with it.
import { computed, effect, signal } from "@preact/signals";
import { readAddress, thin, writeAddress } from "./address";
import { labOf, nearestColours } from "./data/colour";
import { Details, type LivePhotos } from "./data/details";
import { apply, EVERYTHING, isActive, type Filter, type Tally } from "./data/filters";
import { layoutOf, rowsOf, type Layout, type LayoutName } from "./data/layouts";
import type { Cluster, Guest, Kind, MapData } from "./data/map";
import { Pictures } from "./data/pictures";
import type { Camera, View } from "./draw/camera";
import { listen } from "./draw/gestures";
import { Labels, labelsOf, type Label } from "./draw/labels";
import { CHOSEN, FADED, Ground, HIDDEN, SELECTED, SHOWN, type Padding } from "./draw/ground";
import { openWebGl, Scene } from "./draw/scene";
import { palette } from "./theme";
import { toast } from "./toast";

export interface Group {
  title: string;
  rows: number[];
  lasso: [number, number][] | null;
  colour: string | null;
}

const WANTED_COLOURS = 60;
const CLOSE_UP = 150; // pixels of a picture that is flown to

export class Explorer {
  readonly kind = signal<Kind>("garment");
  readonly layoutName = signal<LayoutName>("map");
  readonly filter = signal<Filter>(EVERYTHING);
  readonly tally = signal<Tally | null>(null);
  readonly selected = signal(-1);
  readonly group = signal<Group | null>(null);
  readonly lassoing = signal(false);
  readonly filtersOpen = signal(!isPhone());
  readonly listOpen = signal(false);
  readonly inView = signal<number[]>([]);
  readonly blind = signal(false); // nothing can be drawn: the list holds everything
  readonly complete = signal(false);
  readonly guestsCame = signal(0);
  readonly hovered = signal<{ index: number; x: number; y: number } | null>(null);
  readonly loop = signal<[number, number][]>([]);
  readonly anchor = signal<{ index: number; near: number[] }>({ index: -1, near: [] });
  readonly active = computed(() => isActive(this.filter.value));
  readonly details: Details;
  readonly pictures: Pictures;
  scene: Ground | null = null;
  private layout: Layout | null = null;
  private lab: Float32Array | null = null;
  private labels: Labels | null = null;
  private trail: number[] = [];
  private readonly completed: (() => void)[] = [];
  private waiting = 0;
  private moving = false;
  private fitted: "main" | "whole" | null = null; // what the view was fitted to, until it is moved
  private readonly asked = readAddress(location.hash); // before the page writes its own
  private readonly disposers: (() => void)[] = [];

  constructor(
    readonly data: MapData,
    readonly place: { collection: string | null; version: string | null },
    live: LivePhotos | null,
  ) {
    this.details = new Details(data, live);
    this.pictures = new Pictures(data);
    const [first] = data.kinds();
    this.kind.value = first ?? "garment";
  }

  // Begins to draw; the first picture needs nothing but the points.
  attach(canvas: HTMLCanvasElement, labels: HTMLElement): void {
    const address = this.asked;
    if (address.unit !== null && this.data.kinds().includes(address.unit)) this.kind.value = address.unit;
    this.layout = layoutOf(this.data, this.kind.value, "map", this.colours);
    this.scene = this.newScene(canvas, this.layout);
    if (!this.blind.value) this.labels = new Labels(labels, (cluster, kind) => this.flyToCluster(cluster, kind));
    this.listen(canvas);
    this.paint();
    this.scene.turn(this.room());
    this.goHome(0);
    if (address.view !== null) this.move(address.view, 0);
    this.disposers.push(effect(() => this.scene?.setPalette(palette.value)));
    this.scene.ask();
  }

  dispose(): void {
    clearTimeout(this.waiting);
    this.disposers.forEach((end) => end());
    this.scene?.dispose();
    this.scene = null;
  }

  readonly colours = (): Float32Array => {
    if (this.lab?.length !== 3 * this.data.count) this.lab = labOf(this.data);
    return this.lab!;
  };

  setLayout(name: LayoutName): void {
    this.layoutName.value = name;
    this.relayout(true);
    this.goHome();
  }

  setKind(kind: Kind): void {
    if (kind === this.kind.value) return;
    this.kind.value = kind;
    this.close();
    this.relayout(false);
    this.refilter(this.filter.value);
    this.goHome(0);
  }

  refilter(filter: Filter): void {
    this.filter.value = filter;
    if (this.complete.value) this.tally.value = apply(this.data, this.kind.value, filter);
    this.paint();
    this.later();
  }

  reset(): void {
    this.close();
    this.refilter(EVERYTHING);
    this.goHome();
  }

  goHome(milliseconds = 800): void {
    this.fit("main", milliseconds);
  }

  // Goes home; from there, to lone islands too.
  showWhole(): void {
    this.fit(this.fitted === "main" ? "whole" : "main", 800);
  }

  private fit(to: "main" | "whole", milliseconds: number): void {
    if (this.scene === null) return;
    const room = this.room();
    const panel = !isPhone() && (this.selected.value >= 0 || this.group.value !== null);
    this.move(this.scene[to](panel ? { ...room, right: 402 } : room), milliseconds);
    this.fitted = to;
  }

  move(view: View, milliseconds: number): void {
    this.fitted = null;
    const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
    this.scene?.camera.fly(view, still ? 0 : milliseconds);
    this.scene?.ask();
    this.later();
  }

  zoom(by: number): void {
    const { camera } = this.scene!;
    this.move({ ...camera.view, zoom: camera.view.zoom + by }, 250);
  }

  panBy(dx: number, dy: number): void {
    const { camera } = this.scene!;
    this.fitted = null;
    camera.pan(dx, dy);
    this.scene!.ask();
    this.later();
  }

  // Opens a unit's panel; the neighbours of `anchor` are what the arrow keys walk through.
  select(index: number, how: { fly?: boolean; walk?: boolean } = {}): void {
    if (this.data.kindOf(index) !== this.kind.value) this.setKind(this.data.kindOf(index));
    this.selected.value = index;
    if (this.group.value?.colour == null && this.group.value?.lasso == null) this.group.value = null;
    if (how.walk !== true) {
      this.trail.push(index);
      this.anchor.value = { index, near: [] };
      this.details
        .of(index)
        .then((detail) => {
          if (this.anchor.value.index === index) this.anchor.value = { index, near: detail.near };
        })
        .catch((error: unknown) => toast(String(error instanceof Error ? error.message : error)));
    }
    this.paint();
    if (how.fly === true) this.flyTo(index);
    this.later();
  }

  // Steps through the anchor's neighbours: the anchor itself is number 0.
  step(by: number): void {
    const { index, near } = this.anchor.value;
    if (near.length === 0) return;
    const line = [index, ...near];
    const at = line.indexOf(this.selected.value);
    this.select(line[(at + by + line.length) % line.length]!, { fly: true, walk: true });
  }

  // Takes the walked-to unit as the new anchor, or goes back to the one before.
  dive(): void {
    if (this.selected.value >= 0) this.select(this.selected.value, { fly: true });
  }

  back(): void {
    this.trail.pop();
    const before = this.trail.pop();
    if (before !== undefined) this.select(before, { fly: true });
  }

  flyTo(index: number): void {
    const scene = this.scene!;
    const [x, y] = scene.at(index);
    const zoom = Math.max(scene.camera.view.zoom, scene.zoomFor(CLOSE_UP));
    const { wide, high } = this.panelShift();
    this.move(scene.camera.viewOf({ x, y }, -wide, -high, zoom), 750);
  }

  close(): void {
    this.selected.value = -1;
    this.group.value = null;
    this.anchor.value = { index: -1, near: [] };
    this.trail = [];
    this.paint();
    this.later();
  }

  // Back from a unit to the group that it was opened from, or to the map.
  closeUnit(): void {
    if (this.group.value === null) this.close();
    else {
      this.selected.value = -1;
      this.paint();
      this.later();
    }
  }

  choose(group: Group): void {
    this.selected.value = -1;
    this.group.value = group;
    this.paint();
    this.later();
  }

  nearColour(hex: string): void {
    const rows = rowsOf(this.data, this.kind.value).filter((row) => this.tally.value?.shown[row] !== 0);
    const near = nearestColours(this.colours(), rows, hex, WANTED_COLOURS);
    this.choose({ title: "Nearest to this colour", rows: near, lasso: null, colour: hex });
  }

  // The units inside a loop of the page's own units.
  lasso(line: [number, number][]): void {
    const corners = thin(line);
    const xs = corners.map(([x]) => x);
    const ys = corners.map(([, y]) => y);
    const box: [number, number, number, number] = [Math.min(...xs), Math.min(...ys), Math.max(...xs), Math.max(...ys)];
    const rows = this.scene!.inside(box, (row) => within(this.scene!.at(row), corners));
    if (rows.length === 0) toast("No garment lies inside this loop.");
    else this.choose({ title: "In this loop", rows: rows.sort((a, b) => a - b), lasso: corners, colour: null });
  }

  // Takes units that were placed since the map was built.
  welcome(guests: Guest[]): void {
    if (guests.length === 0 || this.scene === null) return;
    this.data.append(guests);
    this.lab = null;
    this.relayout(false, true);
    this.guestsCame.value++;
    this.refilter(this.filter.value);
  }

  // Lets units go that were shown but not kept.
  dismiss(ids: string[]): void {
    if (ids.length === 0 || this.scene === null) return;
    this.close();
    this.data.dismiss(new Set(ids));
    this.lab = null;
    this.relayout(false, true);
    this.guestsCame.value++;
    this.refilter(this.filter.value);
  }

  // Acts once everything that is read by the whole is there.
  onComplete(act: () => void): void {
    if (this.complete.value) act();
    else this.completed.push(act);
  }

  address(): string {
    const view = this.scene === null ? null : this.scene.camera.view;
    return writeAddress({
      view,
      layout: this.layoutName.value,
      unit: this.data.kinds().length > 1 ? this.kind.value : null,
      filter: this.filter.value,
      id: this.selected.value >= 0 && this.complete.value ? this.data.idOf(this.selected.value) : null,
      lasso: this.group.value?.lasso ?? null,
      colour: this.group.value?.colour ?? null,
      ...this.place,
    });
  }

  later(): void {
    clearTimeout(this.waiting);
    this.waiting = window.setTimeout(() => this.settle(), 180);
  }

  // Names of groups for the view as it is, where nothing covers it.
  labelsNow(): Label[] {
    return this.scene === null || this.layout === null ? [] : labelsOf(this.scene.camera, this.layout, this.clusters(), this.data, 0);
  }

  private newScene(canvas: HTMLCanvasElement, layout: Layout): Ground {
    const told = {
      frame: (camera: Camera, moving: boolean) => this.framed(camera, moving),
      first: () => void this.loadRest(),
      resized: () => this.resized(),
      broken: (sentence: string) => toast(sentence),
    };
    const gl = openWebGl(canvas);
    this.blind.value = gl === null;
    return gl === null ? new Ground(canvas, this.data, layout, told) : new Scene(gl, canvas, this.data, layout, palette.value, told);
  }

  private async loadRest(): Promise<void> {
    try {
      await this.data.loadRest();
    } catch (error) {
      toast(error instanceof Error ? error.message : String(error));
      return;
    }
    this.complete.value = true;
    const address = this.asked;
    if (address.layout !== "map") {
      this.layoutName.value = address.layout;
      this.relayout(false);
      if (address.view === null) this.goHome(0);
    }
    this.refilter(address.filter);
    if (address.lasso !== null) this.lasso(address.lasso);
    if (address.colour !== null) this.nearColour(address.colour);
    if (address.id !== null) {
      const index = this.data.find(address.id);
      if (index < 0) toast(`There is no garment ${address.id} on this map.`);
      else this.select(index, { fly: address.view === null });
    }
    document.documentElement.dataset["ready"] = "yes";
    this.completed.forEach((act) => act());
    setTimeout(() => this.scene?.prepare(), 50);
  }

  private relayout(animate: boolean, grown = false): void {
    const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
    this.layout = layoutOf(this.data, this.kind.value, this.layoutName.value, this.colours);
    if (grown) this.scene?.grown();
    this.scene?.setLayout(this.layout, animate && !still);
    if (!grown) this.scene?.turn(this.room()); // what is looked at does not turn because a photo came
    this.labels?.clear();
  }

  // What each unit looks like: hidden, faded, shown, chosen, selected.
  private paint(): void {
    const states = new Uint8Array(this.data.count);
    const shown = this.tally.value?.shown;
    for (const row of rowsOf(this.data, this.kind.value)) states[row] = shown === undefined || shown[row] === 1 ? SHOWN : FADED;
    for (const row of this.group.value?.rows ?? []) if (states[row] !== HIDDEN) states[row] = CHOSEN;
    const { index, near } = this.anchor.value;
    if (this.selected.value !== index && near.length > 0 && states[index] !== undefined) states[index] = CHOSEN;
    if (this.selected.value >= 0) states[this.selected.value] = SELECTED;
    this.scene?.setStates(states, this.active.value);
  }

  private framed(camera: Camera, moving: boolean): void {
    if (this.moving && !moving) this.later();
    this.moving = moving;
    if (this.layout !== null) this.labels?.show(camera, this.layout, this.clusters(), this.data);
  }

  private clusters(): Cluster[] {
    return this.data.about.clusters[this.kind.value] ?? [];
  }

  private resized(): void {
    if (this.scene === null) return;
    this.scene.turn(this.room());
    if (this.fitted !== null) this.fit(this.fitted, 0);
    this.later();
  }

  // What the map has no room under; a panel that opens and closes does not count.
  private room(): Padding {
    if (isPhone()) return { left: 14, right: 14, top: 96, bottom: 116 };
    return { left: this.filtersOpen.value ? 300 : 28, right: 28, top: 104, bottom: 44 };
  }

  private flyToCluster(cluster: Cluster, kind: Kind): void {
    const [x, y] = this.data.place(kind, cluster.x, cluster.y);
    const [reach] = this.data.place(kind, cluster.x + cluster.radius, cluster.y);
    const { camera } = this.scene!;
    const room = Math.min(camera.width, camera.height) * 0.36;
    const zoom = Math.min(Math.log2(room / Math.max(Math.abs(reach - x), 4)), camera.most);
    this.move({ x, y, zoom: Math.max(zoom, camera.view.zoom + 0.7) }, 900);
  }

  // How far from the middle a unit is shown, so that no panel covers it.
  private panelShift(): { wide: number; high: number } {
    return isPhone() ? { wide: 0, high: (this.scene?.camera.height ?? 0) * 0.27 } : { wide: 60, high: 0 };
  }

  private settle(): void {
    const at = this.selected.value >= 0 && this.scene !== null ? this.scene.camera.toScreen(...this.scene.at(this.selected.value)) : null;
    if (at === null) delete document.documentElement.dataset["selectedAt"];
    else document.documentElement.dataset["selectedAt"] = at.map((v) => v.toFixed(1)).join(",");
    if (this.complete.value) history.replaceState(null, "", this.address());
    if (this.blind.value) this.inView.value = this.scene?.listed() ?? [];
    else if (this.listOpen.value) this.inView.value = this.scene?.inView(200) ?? [];
  }

  private listen(canvas: HTMLCanvasElement): void {
    const scene = this.scene!;
    listen(canvas, scene.camera, {
      changed: () => {
        this.hovered.value = null;
        this.fitted = null;
        scene.ask();
        this.later();
      },
      click: (x, y) => {
        const index = scene.pick(x, y);
        if (index >= 0) this.select(index);
        else if (this.selected.value >= 0) this.closeUnit();
      },
      hover: (x, y) => {
        const index = scene.pick(x, y);
        canvas.classList.toggle("over", index >= 0);
        if (index !== this.hovered.value?.index) this.hovered.value = index < 0 ? null : { index, x, y };
      },
      lasso: () => this.lassoing.value,
      loop: (points, done) => {
        this.loop.value = done ? [] : [...points];
        if (!done) return;
        this.lassoing.value = false;
        if (points.length > 3) this.lasso(points.map(([x, y]) => scene.camera.toWorld(x, y)));
      },
    });
    canvas.addEventListener("pointerleave", () => (this.hovered.value = null));
  }
}

function isPhone(): boolean {
  return matchMedia("(max-width: 900px)").matches;
}

export function within([x, y]: [number, number], corners: [number, number][]): boolean {
  let inside = false;
  for (let i = 0, j = corners.length - 1; i < corners.length; j = i++) {
    const [xi, yi] = corners[i]!;
    const [xj, yj] = corners[j]!;
    if (yi > y !== yj > y && x < ((xj - xi) * (y - yi)) / (yj - yi) + xi) inside = !inside;
  }
  return inside;
}
