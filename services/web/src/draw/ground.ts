// Where every unit lies and what is looked at: all of the map but its drawing.
import { reading, rowsOf, type Layout } from "../data/layouts";
import type { MapData } from "../data/map";
import { Cells, within, type Box } from "../data/places";
import { Camera, type View } from "./camera";
import type { Palette } from "./palette";

export const HIDDEN = 0;
export const FADED = 1;
export const SHOWN = 2;
export const CHOSEN = 3;
export const SELECTED = 4;

const SHRINK = 0.3; // pictures of the similarity map grow slower than the map, so that they come apart
const CLEARLY = 1.15; // how many times as large a map must become to be turned, or to leave lone islands out

// Pixels at the window's sides that other things cover.
export interface Padding {
  left: number;
  right: number;
  top: number;
  bottom: number;
}

export interface Told {
  frame: (camera: Camera, moving: boolean) => void;
  first: () => void;
  resized: () => void;
  broken: (sentence: string) => void;
}

// By itself it draws nothing: so it serves browsers that cannot.
export class Ground {
  readonly camera = new Camera();
  protected states: Uint8Array;
  protected begun = false;
  private cells: Cells | null = null;
  private asked = 0;
  private last = 0;

  constructor(
    readonly canvas: HTMLCanvasElement,
    protected readonly data: MapData,
    protected layout: Layout,
    private readonly on: Told,
  ) {
    this.states = new Uint8Array(data.count);
    new ResizeObserver(() => this.resized()).observe(canvas);
    this.measure();
  }

  // Makes room for units that came.
  grown(): void {
    const states = new Uint8Array(this.data.count);
    states.set(this.states.subarray(0, states.length));
    this.states = states;
  }

  setLayout(layout: Layout, _animate: boolean): void {
    this.layout = layout;
    this.cells = null;
    this.measure();
    this.ask();
  }

  setStates(states: Uint8Array, _faded: boolean): void {
    this.states = states;
    this.ask();
  }

  setPalette(_palette: Palette): void {}

  retryPictures(): void {}

  // The view of everything.
  whole(padding: Padding): View {
    return this.viewOf(this.layout.bounds, padding);
  }

  // The view of nearly everything, where lone islands would make it clearly smaller; else of everything.
  main(padding: Padding): View {
    return this.viewOf(this.mainBox(padding), padding);
  }

  // Turns the similarity map where that shows it clearly larger, about the middle of the screen; the other
  // layouts are read in rows.
  turn(padding: Padding): void {
    this.camera.turned = this.turns(this.mainBox(padding), padding);
    this.ask();
  }

  // Side of a picture in the page's units at a zoom.
  pictureSize(zoom = this.camera.view.zoom): number {
    if (this.layout.name !== "map") return this.layout.size;
    return this.layout.size * Math.min(Math.max(2 ** (-SHRINK * (zoom - this.usual())), 0.4), 1.15);
  }

  // The zoom at which a picture has so many pixels.
  zoomFor(pixels: number): number {
    const plain = Math.log2(pixels / this.layout.size);
    return this.layout.name === "map" ? (plain - SHRINK * this.usual()) / (1 - SHRINK) : plain;
  }

  at(index: number): [number, number] {
    return [this.layout.positions[2 * index] ?? 0, this.layout.positions[2 * index + 1] ?? 0];
  }

  pick(x: number, y: number): number {
    const [worldX, worldY] = this.camera.toWorld(x, y);
    const reach = Math.max(this.pictureSize() / 2, 7 / this.camera.scale);
    return this.index().nearest(worldX, worldY, reach, (i) => (this.states[i] ?? 0) >= SHOWN);
  }

  inView(most: number): number[] {
    return this.index().within(this.camera.box(), (i) => (this.states[i] ?? 0) >= SHOWN, most);
  }

  // What is shown inside a loop.
  inside(corners: [number, number][]): number[] {
    const [xs, ys] = [corners.map(([x]) => x), corners.map(([, y]) => y)];
    const box: Box = [Math.min(...xs), Math.min(...ys), Math.max(...xs), Math.max(...ys)];
    return this.index().within(box, (i) => (this.states[i] ?? 0) >= SHOWN && within(this.at(i), corners));
  }

  // Everything that is shown, in the order of the layout.
  listed(): number[] {
    return reading(this.layout, this.data).filter((i) => (this.states[i] ?? 0) >= SHOWN);
  }

  // Makes ready what the first pointer would wait for.
  prepare(): void {
    this.index();
  }

  ask(): void {
    if (this.asked === 0) this.asked = requestAnimationFrame((now) => this.frame(now));
  }

  dispose(): void {
    cancelAnimationFrame(this.asked);
  }

  // Draws; whether there is more to draw.
  protected draw(_now: number): boolean {
    return false;
  }

  protected usual(): number {
    return Math.log2(Math.min(this.camera.width, this.camera.height) / 2000);
  }

  protected index(): Cells {
    this.cells ??= new Cells(this.layout, rowsOf(this.data, this.layout.kind));
    return this.cells;
  }

  protected measure(): void {
    const { canvas, camera } = this;
    camera.width = Math.max(canvas.clientWidth, 1);
    camera.height = Math.max(canvas.clientHeight, 1);
    const usual = this.usual();
    camera.least = usual - 1.5;
    camera.most = Math.max(Math.log2(520 / Math.max(this.layout.size, 1e-3)), usual + 1);
  }

  private mainBox(padding: Padding): Box {
    this.measure();
    const { main, bounds } = this.layout;
    const scale = (box: Box): number => this.fitting(box, padding, this.turns(box, padding));
    return scale(main) >= CLEARLY * scale(bounds) ? main : bounds;
  }

  private turns(box: Box, padding: Padding): boolean {
    return this.layout.name === "map" && this.fitting(box, padding, true) >= CLEARLY * this.fitting(box, padding, false);
  }

  private viewOf(box: Box, padding: Padding): View {
    this.measure();
    const zoom = Math.log2(this.fitting(box, padding, this.camera.turned));
    const middle = { x: (box[0] + box[2]) / 2, y: (box[1] + box[3]) / 2 };
    return this.camera.viewOf(middle, (padding.left - padding.right) / 2, (padding.top - padding.bottom) / 2, zoom);
  }

  // Pixels a unit at which a box has room.
  private fitting([x1, y1, x2, y2]: Box, { left, right, top, bottom }: Padding, turned: boolean): number {
    const room = [Math.max(this.camera.width - left - right, 60), Math.max(this.camera.height - top - bottom, 60)] as const;
    const [wide, high] = turned ? [room[1], room[0]] : room;
    return Math.min(wide / Math.max(x2 - x1, 1e-3), high / Math.max(y2 - y1, 1e-3));
  }

  private resized(): void {
    this.on.resized();
    this.ask();
  }

  private frame(now: number): void {
    this.asked = 0;
    const more = this.camera.tick(now, Math.min(now - this.last, 50));
    this.last = now;
    const drawing = this.draw(now);
    this.on.frame(this.camera, more);
    if (more || drawing) this.ask();
    if (!this.begun) {
      this.begun = true;
      this.ask();
      performance.mark("first-picture");
      this.on.first();
    }
  }
}
