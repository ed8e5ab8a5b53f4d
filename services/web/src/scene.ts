// The drawn map: dots from afar, cut-outs as they near, labels at each level.
import { Deck, OrthographicView, type Layer, type OrthographicViewState, type PickingInfo } from "@deck.gl/core";
import { IconLayer, ScatterplotLayer, TextLayer } from "@deck.gl/layers";
import type { Cluster, MapData } from "./data";
import type { Layout, LayoutName } from "./layouts";
import { perSheet, place, sheet, type Size } from "./pictures";

export interface View {
  target: [number, number];
  zoom: number;
}

export interface Look {
  layout: Layout;
  name: LayoutName;
  unit: string;
  shown: Uint8Array; // 1 where a unit passes the filters
  chosen: Set<number>;
}

const FROM_PICTURES = 9; // pixels a picture, below which dots are drawn
const FROM_LARGE = 60;
const FADED = 28;

export class Scene {
  private readonly deck: Deck<OrthographicView>;
  private view: OrthographicViewState = { target: [0, 0], zoom: 0 };
  private readonly bitmaps = new Map<string, ImageBitmap>();
  private readonly dark = matchMedia("(prefers-color-scheme: dark)");
  private look: Look;

  constructor(
    private readonly parent: HTMLElement,
    private readonly data: MapData,
    look: Look,
    private readonly on: { pick: (index: number) => void; label: (cluster: Cluster) => void; move: (view: View) => void },
  ) {
    this.look = look;
    this.deck = new Deck({
      parent: parent as HTMLDivElement,
      views: new OrthographicView({ flipY: true }),
      controller: { inertia: 250, scrollZoom: { smooth: true, speed: 0.02 } },
      initialViewState: this.view,
      getCursor: ({ isHovering }) => (isHovering ? "pointer" : "grab"),
      onViewStateChange: ({ viewState }) => {
        this.view = viewState;
        this.draw();
        this.on.move(this.where());
      },
      onClick: (info: PickingInfo) => this.clicked(info),
      pickingRadius: 4,
    });
    this.dark.addEventListener("change", () => this.draw());
    addEventListener("resize", () => this.draw());
  }

  where(): View {
    const [x, y] = this.view.target as [number, number];
    return { target: [x, y], zoom: Number(this.view.zoom) };
  }

  show(look: Look): void {
    this.look = look;
    this.draw();
  }

  fly(view: View, milliseconds = 700): void {
    this.view = { target: view.target, zoom: view.zoom };
    this.deck.setProps({
      initialViewState: { ...this.view, transitionDuration: milliseconds } as OrthographicViewState,
    });
    this.draw();
    this.on.move(this.where());
  }

  whole(): View {
    const { positions } = this.look.layout;
    let [x1, y1, x2, y2] = [0, 0, 1, 1];
    for (let i = 0; i < positions.length; i += 2) {
      x1 = Math.min(x1, positions[i] ?? 0);
      x2 = Math.max(x2, positions[i] ?? 0);
      y1 = Math.min(y1, positions[i + 1] ?? 0);
      y2 = Math.max(y2, positions[i + 1] ?? 0);
    }
    const room = 1.06;
    const scale = Math.min(
      this.parent.clientWidth / ((x2 - x1) * room + this.look.layout.size),
      this.parent.clientHeight / ((y2 - y1) * room + this.look.layout.size),
    );
    return { target: [(x1 + x2) / 2, (y1 + y2) / 2], zoom: Math.log2(Math.max(scale, 1e-3)) };
  }

  // Units whose place is on the screen.
  inView(): number[] {
    const [x1, y1, x2, y2] = this.bounds(0);
    const found: number[] = [];
    for (let i = 0; i < this.data.count; i++) {
      const [x, y] = this.at(i);
      if (this.visible(i) && x >= x1 && x <= x2 && y >= y1 && y <= y2) found.push(i);
    }
    return found;
  }

  at(index: number): [number, number] {
    const { positions } = this.look.layout;
    return [positions[2 * index] ?? 0, positions[2 * index + 1] ?? 0];
  }

  // A point of the stage (pixels) in common units.
  unproject(x: number, y: number): [number, number] {
    const { target, zoom } = this.where();
    const scale = 2 ** zoom;
    return [target[0] + (x - this.parent.clientWidth / 2) / scale, target[1] + (y - this.parent.clientHeight / 2) / scale];
  }

  private visible(index: number): boolean {
    return this.data.unit[index] === this.look.unit && this.look.shown[index] === 1;
  }

  private bounds(margin: number): [number, number, number, number] {
    const { target, zoom } = this.where();
    const half = [this.parent.clientWidth, this.parent.clientHeight].map((v) => v / 2 / 2 ** zoom + margin);
    return [target[0] - (half[0] ?? 0), target[1] - (half[1] ?? 0), target[0] + (half[0] ?? 0), target[1] + (half[1] ?? 0)];
  }

  private draw(): void {
    const pixels = this.look.layout.size * 2 ** this.where().zoom;
    const layers: (Layer | null)[] = [this.dots(pixels)];
    if (pixels >= FROM_PICTURES) layers.push(...this.pictures(pixels >= FROM_LARGE ? "large" : "small"));
    layers.push(this.ring(), this.labels());
    this.deck.setProps({ layers });
  }

  private dots(pixels: number): Layer {
    const { look, data } = this;
    return new ScatterplotLayer({
      id: "dots",
      data: { length: data.count },
      visible: pixels < 2 * FROM_PICTURES,
      getPosition: (_: unknown, { index }: { index: number }) => this.at(index),
      getFillColor: (_: unknown, { index }: { index: number }) => [
        data.rgb[3 * index] ?? 0,
        data.rgb[3 * index + 1] ?? 0,
        data.rgb[3 * index + 2] ?? 0,
        data.unit[index] !== look.unit ? 0 : look.shown[index] === 1 ? 230 : FADED,
      ],
      getRadius: look.layout.size * 0.33,
      radiusMinPixels: 1.5,
      stroked: true,
      getLineColor: [128, 124, 120, 90],
      lineWidthMinPixels: 0.5,
      lineWidthMaxPixels: 0.5,
      pickable: true,
      transitions: { getPosition: 900 },
      updateTriggers: { getPosition: look.name, getFillColor: [look.shown, look.unit] },
    });
  }

  // One layer an atlas that has units on the screen.
  private pictures(size: Size): Layer[] {
    const each = perSheet(this.data.about, size);
    const bounds = this.bounds(this.look.layout.size);
    const layers: Layer[] = [];
    for (let first = 0, number = 0; first < this.data.count; first += each, number++) {
      const members = this.membersOnScreen(first, Math.min(first + each, this.data.count), bounds);
      if (members.length > 0) {
        const layer = this.icons(size, number, members);
        if (layer !== null) layers.push(layer);
      }
    }
    return layers;
  }

  private membersOnScreen(first: number, end: number, bounds: [number, number, number, number]): number[] {
    const members: number[] = [];
    for (let i = first; i < end; i++) {
      const [x, y] = this.at(i);
      const there = x >= bounds[0] && x <= bounds[2] && y >= bounds[1] && y <= bounds[3];
      if (there && this.data.unit[i] === this.look.unit) members.push(i);
    }
    return members;
  }

  private icons(size: Size, number: number, members: number[]): Layer | null {
    const key = `${size}-${String(number)}`;
    const bitmap = this.bitmaps.get(key);
    if (bitmap === undefined) {
      void sheet(size, number).then((loaded) => {
        this.bitmaps.set(key, loaded);
        this.draw();
      });
      return null;
    }
    const { look, data } = this;
    return new IconLayer<number>({
      id: key,
      data: members,
      iconAtlas: bitmap as unknown as string,
      iconMapping: this.mapping(size, members),
      getIcon: (index) => String(index),
      getPosition: (index) => this.at(index),
      getSize: look.layout.size,
      sizeUnits: "common",
      getColor: (index) => [255, 255, 255, look.shown[index] === 1 ? 255 : FADED],
      pickable: true,
      alphaCutoff: 0.02,
      updateTriggers: { getPosition: look.name, getColor: look.shown, getSize: look.name },
      textureParameters: { minFilter: "linear", magFilter: "linear", mipmapFilter: "none", lodMaxClamp: 0 },
      parameters: { depthCompare: "always" },
      loadOptions: { image: { type: "imagebitmap" } },
      visible: data.count > 0,
    });
  }

  private mapping(size: Size, members: number[]): Record<string, { x: number; y: number; width: number; height: number }> {
    return Object.fromEntries(
      members.map((index) => {
        const { x, y, cell } = place(this.data.about, size, index);
        return [String(index), { x, y, width: cell, height: cell, mask: false }];
      }),
    );
  }

  private ring(): Layer {
    return new ScatterplotLayer<number>({
      id: "ring",
      data: [...this.look.chosen],
      getPosition: (index) => this.at(index),
      getRadius: this.look.layout.size * 0.62,
      filled: false,
      stroked: true,
      getLineColor: this.dark.matches ? [240, 160, 140] : [138, 51, 36],
      lineWidthUnits: "pixels",
      getLineWidth: 2.5,
      updateTriggers: { getPosition: this.look.name, getRadius: this.look.name },
    });
  }

  private labels(): Layer | null {
    if (this.look.name !== "map") return null;
    const all = this.data.about.clusters[this.look.unit] ?? [];
    const { zoom } = this.where();
    const level = zoom < 0.6 ? 0 : zoom < 1.8 ? 1 : 2;
    const scale = this.scale();
    return new TextLayer<Cluster>({
      id: "labels",
      data: all.filter((cluster) => cluster.level === level),
      getPosition: (cluster) => [cluster.x * scale, (cluster.y - cluster.radius * 0.8) * scale],
      getText: (cluster) => cluster.label,
      getSize: 14,
      fontFamily: "system-ui, sans-serif",
      fontWeight: 600,
      characterSet: "auto",
      getColor: this.dark.matches ? [245, 240, 234] : [50, 44, 40],
      fontSettings: { sdf: true, radius: 12 },
      outlineWidth: 4,
      outlineColor: this.dark.matches ? [26, 25, 24, 255] : [250, 248, 245, 255],
      pickable: true,
      parameters: { depthCompare: "always" },
    });
  }

  // From the map's own units to common units.
  private scale(): number {
    const { positions } = this.look.layout;
    for (let i = 0; i < this.data.count; i++) {
      const x = this.data.x[i] ?? 0;
      if (Math.abs(x) > 1e-6) return (positions[2 * i] ?? 0) / x;
    }
    return 1;
  }

  private clicked(info: PickingInfo): void {
    if (info.layer?.id === "labels" && info.object !== undefined) {
      const cluster = info.object as Cluster;
      const scale = this.scale();
      const zoom = Math.log2(this.parent.clientHeight / (cluster.radius * 2.6 * scale + 1));
      this.fly({ target: [cluster.x * scale, cluster.y * scale], zoom: Math.min(zoom, 4) });
      this.on.label(cluster);
    } else if (info.layer?.id === "dots" && info.index >= 0) {
      this.on.pick(info.index);
    } else if (typeof info.object === "number") {
      this.on.pick(info.object);
    }
  }
}
