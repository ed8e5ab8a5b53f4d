// One open map: what is shown and chosen, and everything a visitor can do with it.
import { computed, effect, signal } from "@preact/signals";
import { readAddress, thin, writeAddress } from "./address";
import { Choice } from "./choice";
import { labOf, nearestColours } from "./data/colour";
import { Details, type LivePhotos } from "./data/details";
import { apply, EVERYTHING, isActive, type Filter, type Tally } from "./data/filters";
import { layoutOf, rowsOf, type Layout, type LayoutName } from "./data/layouts";
import type { Cluster, Guest, Kind, MapData } from "./data/map";
import { Pictures } from "./data/pictures";
import type { Camera } from "./draw/camera";
import { listen } from "./draw/gestures";
import { Labels, labelsOf, type Label } from "./draw/labels";
import { CHOSEN, FADED, Ground, HIDDEN, SELECTED, SHOWN } from "./draw/ground";
import { openWebGl, Scene } from "./draw/scene";
import { isPhone, isStill, Looking } from "./looking";
import { palette } from "./theme";
import { toast } from "./toast";

const WANTED_COLOURS = 60;

export class Explorer {
  readonly kind = signal<Kind>("garment");
  readonly layoutName = signal<LayoutName>("map");
  readonly filter = signal<Filter>(EVERYTHING);
  readonly tally = signal<Tally | null>(null);
  readonly lassoing = signal(false);
  readonly filtersOpen = signal(!isPhone());
  readonly listOpen = signal(false);
  readonly inView = signal<number[]>([]);
  readonly blind = signal(false); // nothing can be drawn: the list holds everything
  readonly complete = signal(false);
  readonly guestsCame = signal(0);
  readonly hovered = signal<{ index: number; x: number; y: number } | null>(null);
  readonly loop = signal<[number, number][]>([]);
  readonly active = computed(() => isActive(this.filter.value));
  readonly details: Details;
  readonly pictures: Pictures;
  readonly choice: Choice;
  scene: Ground | null = null;
  looking: Looking | null = null;
  private layout: Layout | null = null;
  private lab: Float32Array | null = null;
  private labels: Labels | null = null;
  private readonly completed: (() => void)[] = [];
  private waiting = 0;
  private moving = false;
  private readonly asked = readAddress(location.hash); // before the page writes its own
  private readonly disposers: (() => void)[] = [];

  constructor(
    readonly data: MapData,
    readonly place: { collection: string | null; version: string | null },
    live: LivePhotos | null,
  ) {
    this.details = new Details(data, live);
    this.pictures = new Pictures(data);
    this.choice = new Choice(this.details, {
      chosen: (index) => this.setKind(data.kindOf(index)),
      changed: () => {
        this.paint();
        this.later();
      },
      fly: (index) => this.looking?.flyTo(index),
    });
    const [first] = data.kinds();
    this.kind.value = first ?? "garment";
  }

  // Begins to draw; the first picture needs nothing but the points.
  attach(canvas: HTMLCanvasElement, labels: HTMLElement): void {
    const address = this.asked;
    if (address.unit !== null && this.data.kinds().includes(address.unit)) this.kind.value = address.unit;
    this.layout = layoutOf(this.data, this.kind.value, "map", this.colours);
    this.scene = this.newScene(canvas, this.layout);
    const looking = new Looking(this.scene, this.data, {
      filters: () => this.filtersOpen.value,
      panel: () => this.choice.any,
      moved: () => this.later(),
    });
    this.looking = looking;
    if (!this.blind.value) this.labels = new Labels(labels, (cluster, kind) => looking.flyToCluster(cluster, kind));
    this.listen(canvas, this.scene, looking);
    this.paint();
    looking.turn();
    looking.goHome(0);
    if (address.view !== null) looking.move(address.view, 0);
    this.disposers.push(effect(() => this.scene?.setPalette(palette.value)));
    this.scene.ask();
  }

  dispose(): void {
    clearTimeout(this.waiting);
    this.disposers.forEach((end) => end());
    this.scene?.dispose();
    this.scene = this.looking = null;
  }

  readonly colours = (): Float32Array => {
    if (this.lab?.length !== 3 * this.data.count) this.lab = labOf(this.data);
    return this.lab!;
  };

  setLayout(name: LayoutName): void {
    this.layoutName.value = name;
    this.relayout(true);
    this.looking?.goHome();
  }

  setKind(kind: Kind): void {
    if (kind === this.kind.value) return;
    this.kind.value = kind;
    this.choice.close();
    this.relayout(false);
    this.refilter(this.filter.value);
    this.looking?.goHome(0);
  }

  refilter(filter: Filter): void {
    this.filter.value = filter;
    if (this.complete.value) this.tally.value = apply(this.data, this.kind.value, filter);
    this.paint();
    this.later();
  }

  reset(): void {
    this.choice.close();
    this.refilter(EVERYTHING);
    this.looking?.goHome();
  }

  nearColour(hex: string): void {
    const rows = rowsOf(this.data, this.kind.value).filter((row) => this.tally.value?.shown[row] !== 0);
    const near = nearestColours(this.colours(), rows, hex, WANTED_COLOURS);
    this.choice.choose({ title: "Nearest to this colour", rows: near, lasso: null, colour: hex });
  }

  // The units inside a loop of the page's own units.
  lasso(line: [number, number][]): void {
    const corners = thin(line);
    const rows = this.scene!.inside(corners);
    if (rows.length === 0) toast("No garment lies inside this loop.");
    else this.choice.choose({ title: "In this loop", rows: rows.sort((a, b) => a - b), lasso: corners, colour: null });
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
    this.choice.close();
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
    const { selected, group } = this.choice;
    return writeAddress({
      view: this.scene?.camera.view ?? null,
      layout: this.layoutName.value,
      unit: this.data.kinds().length > 1 ? this.kind.value : null,
      filter: this.filter.value,
      id: selected.value >= 0 && this.complete.value ? this.data.idOf(selected.value) : null,
      lasso: group.value?.lasso ?? null,
      colour: group.value?.colour ?? null,
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
      resized: () => this.looking?.resized(),
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
      if (address.view === null) this.looking?.goHome(0);
    }
    this.refilter(address.filter);
    if (address.lasso !== null) this.lasso(address.lasso);
    if (address.colour !== null) this.nearColour(address.colour);
    if (address.id !== null) {
      const index = this.data.find(address.id);
      if (index < 0) toast(`There is no garment ${address.id} on this map.`);
      else this.choice.select(index, { fly: address.view === null });
    }
    document.documentElement.dataset["ready"] = "yes";
    this.completed.forEach((act) => act());
    setTimeout(() => this.scene?.prepare(), 50);
  }

  private relayout(animate: boolean, grown = false): void {
    this.layout = layoutOf(this.data, this.kind.value, this.layoutName.value, this.colours);
    if (grown) this.scene?.grown();
    this.scene?.setLayout(this.layout, animate && !isStill());
    if (!grown) this.looking?.turn(); // what is looked at does not turn because a photo came
    this.labels?.clear();
  }

  // What each unit looks like: hidden, faded, shown, chosen, selected.
  private paint(): void {
    const { selected, group, anchor } = this.choice;
    const states = new Uint8Array(this.data.count);
    const shown = this.tally.value?.shown;
    for (const row of rowsOf(this.data, this.kind.value)) states[row] = shown === undefined || shown[row] === 1 ? SHOWN : FADED;
    for (const row of group.value?.rows ?? []) if (states[row] !== HIDDEN) states[row] = CHOSEN;
    const { index, near } = anchor.value;
    if (selected.value !== index && near.length > 0 && states[index] !== undefined) states[index] = CHOSEN;
    if (selected.value >= 0) states[selected.value] = SELECTED;
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

  private settle(): void {
    const index = this.choice.selected.value;
    const at = index >= 0 && this.scene !== null ? this.scene.camera.toScreen(...this.scene.at(index)) : null;
    if (at === null) delete document.documentElement.dataset["selectedAt"];
    else document.documentElement.dataset["selectedAt"] = at.map((v) => v.toFixed(1)).join(",");
    if (this.complete.value) history.replaceState(null, "", this.address());
    if (this.blind.value) this.inView.value = this.scene?.listed() ?? [];
    else if (this.listOpen.value) this.inView.value = this.scene?.inView(200) ?? [];
  }

  private listen(canvas: HTMLCanvasElement, scene: Ground, looking: Looking): void {
    listen(canvas, scene.camera, {
      changed: () => {
        this.hovered.value = null;
        looking.dragged();
      },
      click: (x, y) => {
        const index = scene.pick(x, y);
        if (index >= 0) this.choice.select(index);
        else if (this.choice.selected.value >= 0) this.choice.closeUnit();
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
