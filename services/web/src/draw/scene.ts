// The drawn map: dots from afar, cut-outs as they near; every unit is a row of typed arrays.
import { createProgramInfo, setUniforms, type ProgramInfo } from "twgl.js";
import { rowsOf, type Layout } from "../data/layouts";
import type { Level, MapData } from "../data/map";
import { BLOCK, Blocks, Cells } from "../data/places";
import { Camera, type View } from "./camera";
import { FROM_UNITS, Overview } from "./overview";
import { GuestSheets } from "./guests";
import { DOTS_FRAGMENT, DOTS_VERTEX, SPRITES_FRAGMENT, SPRITES_VERTEX } from "./shaders";
import { Sheets, type Sheet } from "./sheets";
import type { Palette } from "./palette";

export const HIDDEN = 0;
export const FADED = 1;
export const SHOWN = 2;
export const CHOSEN = 3;
export const SELECTED = 4;

const FROM_PICTURES = 5; // pixels a picture below which only dots are drawn
const FADE = 220;
const MOVE = 900;
const SHRINK = 0.3; // pictures of the similarity map grow slower than the map, so that they come apart

interface Run {
  first: number;
  count: number;
}

export class NoWebGl extends Error {}

export class Scene {
  readonly camera = new Camera();
  private readonly gl: WebGL2RenderingContext;
  private dotProgram: ProgramInfo | null = null;
  private spriteProgram: ProgramInfo | null = null;
  private readonly buffers: Record<"from" | "to" | "state" | "colour", WebGLBuffer>;
  private readonly sheets: Sheets;
  private readonly overview: Overview;
  private readonly guests: GuestSheets;
  private readonly levels: Level[];
  private blocks: Blocks;
  private seen = new Uint8Array(0);
  private cells: Cells | null = null;
  private states: Uint8Array;
  private faded = false;
  private moved = -Infinity; // when the layout changed
  private asked = 0;
  private last = 0;
  private begun = false;

  constructor(
    readonly canvas: HTMLCanvasElement,
    private readonly data: MapData,
    private layout: Layout,
    private palette: Palette,
    private readonly on: { frame: (camera: Camera, moving: boolean) => void; first: () => void; broken: (sentence: string) => void },
  ) {
    const gl = canvas.getContext("webgl2", { alpha: true, antialias: false, depth: false, premultipliedAlpha: true });
    if (gl === null) throw new NoWebGl("This browser does not give WebGL 2, which draws the map.");
    this.gl = gl;
    this.overview = new Overview(gl);
    this.buffers = { from: gl.createBuffer(), to: gl.createBuffer(), state: gl.createBuffer(), colour: gl.createBuffer() };
    this.sheets = new Sheets(gl, data, () => this.ask(), on.broken);
    this.guests = new GuestSheets(gl, () => this.ask());
    this.levels = data.about.levels;
    this.states = new Uint8Array(data.count);
    this.blocks = this.newBlocks();
    this.grown();
    new ResizeObserver(() => this.ask()).observe(canvas);
    canvas.addEventListener("webglcontextlost", (event) => event.preventDefault());
    canvas.addEventListener("webglcontextrestored", () => location.reload());
    this.measure();
  }

  // Tells the card of units that came.
  grown(): void {
    const { gl } = this;
    this.put("from", this.layout.positions);
    this.put("to", this.layout.positions);
    this.put("colour", this.data.rgb);
    const states = new Uint8Array(this.data.count);
    states.set(this.states.subarray(0, states.length));
    this.states = states;
    this.put("state", states);
    this.guests.take(this.data.guests);
    gl.bindBuffer(gl.ARRAY_BUFFER, null);
  }

  setLayout(layout: Layout, animate: boolean): void {
    const before = this.layout.positions;
    this.layout = layout;
    this.put("from", animate && before.length === layout.positions.length ? before : layout.positions);
    this.put("to", layout.positions);
    this.moved = animate ? performance.now() : -Infinity;
    this.blocks = this.newBlocks();
    this.overview.spoil();
    this.cells = null;
    this.measure();
    this.ask();
  }

  setStates(states: Uint8Array, faded: boolean): void {
    this.states = states;
    this.overview.spoil();
    this.faded = faded;
    this.put("state", states);
    this.ask();
  }

  setPalette(palette: Palette): void {
    this.palette = palette;
    this.overview.spoil();
    this.ask();
  }

  whole(padding: { left: number; right: number; top: number; bottom: number }): View {
    this.measure();
    const [x1, y1, x2, y2] = this.layout.bounds;
    const [wide, high] = [this.camera.width - padding.left - padding.right, this.camera.height - padding.top - padding.bottom];
    const scale = Math.min(Math.max(wide, 60) / Math.max(x2 - x1, 1e-3), Math.max(high, 60) / Math.max(y2 - y1, 1e-3));
    const zoom = Math.log2(scale);
    const [shiftX, shiftY] = [(padding.left - padding.right) / 2 / scale, (padding.top - padding.bottom) / 2 / scale];
    return { x: (x1 + x2) / 2 - shiftX, y: (y1 + y2) / 2 - shiftY, zoom };
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

  inside(box: [number, number, number, number], fits: (index: number) => boolean): number[] {
    return this.index().within(box, (i) => (this.states[i] ?? 0) >= SHOWN && fits(i));
  }

  // Programs are compiled when they are first needed: the first picture of all does not wait.
  private get dots(): ProgramInfo {
    this.dotProgram ??= createProgramInfo(this.gl, [DOTS_VERTEX, DOTS_FRAGMENT]);
    return this.dotProgram;
  }

  private get sprites(): ProgramInfo {
    this.spriteProgram ??= createProgramInfo(this.gl, [SPRITES_VERTEX, SPRITES_FRAGMENT]);
    return this.spriteProgram;
  }

  // Makes ready what the first pointer would wait for.
  prepare(): void {
    this.index();
  }

  get settled(): boolean {
    return this.asked === 0 && !this.sheets.loading;
  }

  retryPictures(): void {
    this.sheets.retry();
    this.ask();
  }

  ask(): void {
    if (this.asked === 0) this.asked = requestAnimationFrame((now) => this.frame(now));
  }

  // The view as it is now, at the screen's own resolution.
  async snapshot(): Promise<ImageBitmap> {
    this.draw(performance.now());
    return createImageBitmap(this.canvas);
  }

  dispose(): void {
    cancelAnimationFrame(this.asked);
    this.sheets.dispose();
    this.gl.getExtension("WEBGL_lose_context")?.loseContext();
  }

  private usual(): number {
    return Math.log2(Math.min(this.camera.width, this.camera.height) / 2000);
  }

  private newBlocks(): Blocks {
    const { first, count } = this.data.unit(this.layout.kind);
    const blocks = new Blocks(this.layout, first, count);
    this.seen = new Uint8Array(blocks.count);
    return blocks;
  }

  private index(): Cells {
    this.cells ??= new Cells(this.layout, rowsOf(this.data, this.layout.kind));
    return this.cells;
  }

  private measure(): void {
    const { canvas, camera } = this;
    camera.width = Math.max(canvas.clientWidth, 1);
    camera.height = Math.max(canvas.clientHeight, 1);
    const usual = this.usual();
    camera.least = usual - 1.5;
    camera.most = Math.max(Math.log2(520 / Math.max(this.layout.size, 1e-3)), usual + 1);
  }

  private frame(now: number): void {
    this.asked = 0;
    const more = this.camera.tick(now, Math.min(now - this.last, 50));
    this.last = now;
    const fading = this.draw(now);
    this.on.frame(this.camera, more);
    if (more || fading || now - this.moved < MOVE) this.ask();
    if (!this.begun) {
      this.begun = true;
      this.ask();
      performance.mark("first-picture");
      this.on.first();
    }
  }

  // Whether a fade goes on.
  private draw(now: number): boolean {
    const { gl, canvas, camera } = this;
    this.measure();
    const ratio = Math.min(devicePixelRatio, 2);
    const [width, height] = [Math.round(camera.width * ratio), Math.round(camera.height * ratio)];
    if (canvas.width !== width || canvas.height !== height) [canvas.width, canvas.height] = [width, height];
    gl.viewport(0, 0, width, height);
    gl.clearColor(0, 0, 0, 0);
    gl.clear(gl.COLOR_BUFFER_BIT);
    gl.enable(gl.BLEND);
    gl.blendFunc(gl.ONE, gl.ONE_MINUS_SRC_ALPHA);
    this.sheets.begin();
    const t = Math.min(Math.max((now - this.moved) / MOVE, 0), 1);
    const uniforms = {
      u_time: t * t * (3 - 2 * t),
      u_centre: [camera.view.x, camera.view.y],
      u_scale: [(2 * camera.scale) / camera.width, (-2 * camera.scale) / camera.height],
      u_accent: this.palette.accent,
    };
    let fading = false;
    if (t >= 1 && this.isFar()) this.drawOverview(uniforms, ratio);
    else for (const pass of this.faded ? [0, 1] : [2]) fading = this.drawPass({ ...uniforms, u_pass: pass }, now, ratio) || fading;
    this.sheets.end();
    return fading;
  }

  // Whether so many units are so small that one picture of all of them will do.
  private isFar(): boolean {
    const { count } = this.data.unit(this.layout.kind);
    const { scale } = this.camera;
    const small = this.levels.length === 0 || this.pictureSize() * scale < FROM_PICTURES;
    return count > FROM_UNITS && small && this.overview.sharp(scale, count, this.layout);
  }

  private drawOverview(uniforms: Record<string, unknown>, ratio: number): void {
    const { first, count } = this.data.unit(this.layout.kind);
    this.overview.draw(uniforms, { layout: this.layout, first, count, states: this.states, rgb: this.data.rgb, palette: this.palette });
    this.drawGuests({ ...uniforms, u_pass: 2 }, this.pictureSize() * this.camera.scale * ratio);
  }

  private drawPass(uniforms: Record<string, unknown>, now: number, ratio: number): boolean {
    const size = this.pictureSize();
    const pixels = size * this.camera.scale;
    this.blocks.mark(this.camera.box(size), this.seen);
    const { first, count } = this.data.unit(this.layout.kind);
    let fading = false;
    if (pixels < FROM_PICTURES || this.levels.length === 0 || !this.begun) this.drawDots(uniforms, this.seenRuns(first, count), pixels * ratio);
    else fading = this.drawPictures(uniforms, pixels * ratio, now);
    this.drawGuests(uniforms, pixels * ratio);
    return fading;
  }

  private drawPictures(uniforms: Record<string, unknown>, pixels: number, now: number): boolean {
    const wanted = this.levels.findIndex((level) => pixels <= level.cell * 1.35);
    const level = wanted < 0 ? this.levels.length - 1 : wanted;
    const bare: Run[] = [];
    const covered: { run: Run; sheet: Sheet; level: Level; alpha: number; number: number }[] = [];
    let fading = false;
    for (const { run, number } of this.sheetRuns(this.levels[level]!)) {
      let opaque = false;
      const own: typeof covered = [];
      for (let l = level; l >= 0 && !opaque; l--) {
        const at = Math.floor((number * cells(this.levels[level]!)) / cells(this.levels[l]!));
        // a coarser sheet is asked for only where nothing at all is there yet
        const sheet = this.sheets.get(this.levels[l]!, this.layout.kind, at, l === level || l === 0);
        if (sheet === undefined) continue;
        const alpha = Math.min((now - sheet.since) / FADE, 1);
        own.push({ run, sheet, level: this.levels[l]!, alpha: Math.max(alpha, 0.02), number: at });
        opaque = alpha >= 1;
      }
      if (!opaque) {
        bare.push(run);
        fading = fading || own.length > 0;
      }
      covered.push(...own.reverse());
    }
    if (bare.length > 0) this.drawDots(uniforms, bare, pixels * 0.9);
    this.useSprites(uniforms, pixels);
    for (const part of covered) this.drawSprites(part);
    return fading;
  }

  private useSprites(uniforms: Record<string, unknown>, pixels: number): void {
    this.gl.useProgram(this.sprites.program);
    const shade = [...this.palette.shade.slice(0, 3), pixels >= this.palette.shadeFrom ? (this.palette.shade[3] ?? 0) : 0];
    setUniforms(this.sprites, { ...uniforms, u_size: this.pictureSize(), u_shade: shade });
  }

  private drawSprites({ run, sheet, level, alpha, number }: { run: Run; sheet: Sheet; level: Level; alpha: number; number: number }): void {
    const { first } = this.data.unit(this.layout.kind);
    const within = run.first - first - number * cells(level);
    this.drawQuads(run, sheet.texture, { columns: level.columns, cell: level.cell, first: within, alpha });
  }

  private drawQuads(run: Run, texture: WebGLTexture, of: { columns: number; cell: number; first: number; alpha: number }): void {
    const { gl } = this;
    setUniforms(this.sprites, { u_atlas: texture, u_columns: of.columns, u_edge: 0.5 / of.cell, u_first: of.first, u_alpha: of.alpha });
    this.point(run.first, 1);
    gl.drawArraysInstanced(gl.TRIANGLE_STRIP, 0, 4, run.count);
  }

  private drawDots(uniforms: Record<string, unknown>, runs: Run[], pixels: number): void {
    const { gl } = this;
    gl.useProgram(this.dots.program);
    const ratio = Math.min(devicePixelRatio, 2);
    setUniforms(this.dots, { ...uniforms, u_size: Math.max(pixels * 0.8, this.data.base > 300_000 ? 1.4 : 2.4 * ratio), u_rim: this.palette.rim });
    this.point(0, 0);
    for (const run of runs) gl.drawArrays(gl.POINTS, run.first, run.count);
  }

  private drawGuests(uniforms: Record<string, unknown>, pixels: number): void {
    if (this.data.guests.length === 0) return;
    this.drawDots(uniforms, [{ first: this.data.base, count: this.data.guests.length }], Math.max(pixels, 6));
    if (pixels < FROM_PICTURES) return;
    this.useSprites(uniforms, pixels);
    for (const { first, count, texture, columns, cell } of this.guests.sheets()) {
      this.drawQuads({ first: this.data.base + first, count }, texture, { columns, cell, first: 0, alpha: 1 });
    }
  }

  // Runs of units in view, whole blocks joined.
  private seenRuns(first: number, count: number): Run[] {
    const runs: Run[] = [];
    for (let b = 0; b < this.seen.length; b++) {
      if (this.seen[b] === 0) continue;
      const begin = b;
      // a small gap costs less than another call
      for (let gap = 0, next = b + 1; next < this.seen.length && gap < 8; next++) {
        if (this.seen[next] === 1) [b, gap] = [next, 0];
        else gap++;
      }
      runs.push({ first: first + begin * BLOCK, count: Math.min((b + 1 - begin) * BLOCK, count - begin * BLOCK) });
    }
    return runs;
  }

  // For each sheet with units in view, the run from its first to its last of them.
  private sheetRuns(level: Level): { run: Run; number: number }[] {
    const { first, count } = this.data.unit(this.layout.kind);
    const each = cells(level) / BLOCK;
    const runs: { run: Run; number: number }[] = [];
    for (let start = 0, number = 0; start < this.seen.length; start += each, number++) {
      const end = Math.min(start + each, this.seen.length);
      let [from, to] = [-1, -1];
      for (let b = start; b < end; b++) {
        if (this.seen[b] === 0) continue;
        if (from < 0) from = b;
        to = b;
      }
      if (from < 0) continue;
      runs.push({ number, run: { first: first + from * BLOCK, count: Math.min((to + 1 - from) * BLOCK, count - from * BLOCK) } });
    }
    return runs;
  }

  // Points the columns at a first unit: once a unit (divisor 1), or once a vertex.
  private point(first: number, divisor: number): void {
    const { gl, buffers } = this;
    const attribute = (place: number, buffer: WebGLBuffer, set: () => void): void => {
      gl.bindBuffer(gl.ARRAY_BUFFER, buffer);
      gl.enableVertexAttribArray(place);
      set();
      gl.vertexAttribDivisor(place, divisor);
    };
    attribute(0, buffers.from, () => gl.vertexAttribPointer(0, 2, gl.FLOAT, false, 8, 8 * first));
    attribute(1, buffers.to, () => gl.vertexAttribPointer(1, 2, gl.FLOAT, false, 8, 8 * first));
    attribute(2, buffers.state, () => gl.vertexAttribIPointer(2, 1, gl.UNSIGNED_BYTE, 1, first));
    if (divisor === 0) attribute(3, buffers.colour, () => gl.vertexAttribPointer(3, 3, gl.UNSIGNED_BYTE, true, 3, 3 * first));
    else gl.disableVertexAttribArray(3);
  }

  private put(name: "from" | "to" | "state" | "colour", values: Float32Array | Uint8Array): void {
    const { gl } = this;
    gl.bindBuffer(gl.ARRAY_BUFFER, this.buffers[name]);
    gl.bufferData(gl.ARRAY_BUFFER, values, gl.DYNAMIC_DRAW);
  }
}

function cells(level: Level): number {
  return level.columns ** 2;
}
