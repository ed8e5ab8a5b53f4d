// The drawn map: dots from afar, cut-outs as they near; every unit is a row of typed arrays.
import { createProgramInfo, setUniforms, type ProgramInfo } from "twgl.js";
import type { Layout } from "../data/layouts";
import type { Level, MapData } from "../data/map";
import { BLOCK, Blocks } from "../data/places";
import { Ground, type Told } from "./ground";
import { FROM_UNITS, Overview } from "./overview";
import { GuestSheets } from "./guests";
import { DOTS_FRAGMENT, DOTS_VERTEX, SPRITES_FRAGMENT, SPRITES_VERTEX } from "./shaders";
import { Sheets, type Sheet } from "./sheets";
import type { Palette } from "./palette";

const FROM_PICTURES = 5; // pixels a picture below which only dots are drawn
const FADE = 220;
const MOVE = 900;
const NONE = [0, 0, 0, 0];

interface Run {
  first: number;
  count: number;
}

// What a scene draws with; null where the browser gives none.
export function openWebGl(canvas: HTMLCanvasElement): WebGL2RenderingContext | null {
  return canvas.getContext("webgl2", { alpha: true, antialias: false, depth: false, premultipliedAlpha: true });
}

export class Scene extends Ground {
  private dotProgram: ProgramInfo | null = null;
  private spriteProgram: ProgramInfo | null = null;
  private readonly buffers: Record<"from" | "to" | "state" | "colour", WebGLBuffer>;
  private readonly sheets: Sheets;
  private readonly overview: Overview;
  private readonly guests: GuestSheets;
  private readonly levels: Level[];
  private blocks: Blocks;
  private seen = new Uint8Array(0);
  private faded = false;
  private moved = -Infinity; // when the layout changed
  private turnedBefore = false; // before it did

  constructor(
    private readonly gl: WebGL2RenderingContext,
    canvas: HTMLCanvasElement,
    data: MapData,
    layout: Layout,
    private palette: Palette,
    on: Told,
  ) {
    super(canvas, data, layout, on);
    this.overview = new Overview(gl);
    this.buffers = { from: gl.createBuffer(), to: gl.createBuffer(), state: gl.createBuffer(), colour: gl.createBuffer() };
    this.sheets = new Sheets(gl, data, () => this.ask(), on.broken);
    this.guests = new GuestSheets(gl, () => this.ask());
    this.levels = data.about.levels;
    this.blocks = this.newBlocks();
    this.grown();
    canvas.addEventListener("webglcontextlost", (event) => event.preventDefault());
    canvas.addEventListener("webglcontextrestored", () => location.reload());
  }

  // Tells the card of units that came.
  override grown(): void {
    super.grown();
    const { gl } = this;
    this.put("from", this.layout.positions);
    this.put("to", this.layout.positions);
    this.put("colour", this.data.rgb);
    this.put("state", this.states);
    this.guests.take(this.data.guests);
    gl.bindBuffer(gl.ARRAY_BUFFER, null);
  }

  override setLayout(layout: Layout, animate: boolean): void {
    const before = this.layout.positions;
    super.setLayout(layout, animate);
    this.put("from", animate && before.length === layout.positions.length ? before : layout.positions);
    this.put("to", layout.positions);
    this.moved = animate ? performance.now() : -Infinity;
    this.turnedBefore = this.camera.turned;
    this.blocks = this.newBlocks();
    this.overview.spoil();
  }

  override setStates(states: Uint8Array, faded: boolean): void {
    super.setStates(states, faded);
    this.overview.spoil();
    this.faded = faded;
    this.put("state", states);
  }

  override setPalette(palette: Palette): void {
    this.palette = palette;
    this.overview.spoil();
    this.ask();
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

  override retryPictures(): void {
    this.sheets.retry();
    this.ask();
  }

  // The view as it is now, at the screen's own resolution, unturned.
  async snapshot(): Promise<ImageBitmap> {
    const now = performance.now();
    this.measure();
    const drawing = this.camera.unturned(() => {
      this.drawAll(now);
      return createImageBitmap(this.canvas);
    });
    this.draw(now); // the screen never shows the other
    return drawing;
  }

  override dispose(): void {
    super.dispose();
    this.sheets.dispose();
    this.gl.getExtension("WEBGL_lose_context")?.loseContext();
  }

  private newBlocks(): Blocks {
    const { first, count } = this.data.unit(this.layout.kind);
    const blocks = new Blocks(this.layout, first, count);
    this.seen = new Uint8Array(blocks.count);
    return blocks;
  }

  protected override draw(now: number): boolean {
    this.measure();
    return this.drawAll(now);
  }

  // Whether a fade or a move goes on.
  private drawAll(now: number): boolean {
    const { gl, canvas, camera } = this;
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
    const time = t * t * (3 - 2 * t);
    const uniforms = {
      u_time: time,
      u_turn: this.turning(time),
      u_centre: [camera.view.x, camera.view.y],
      u_scale: [(2 * camera.scale) / camera.width, (-2 * camera.scale) / camera.height],
      u_accent: this.palette.accent,
    };
    let fading = false;
    if (t >= 1 && this.isFar()) this.drawOverview(uniforms, ratio);
    else for (const pass of this.faded ? [0, 1] : [2]) fading = this.drawPass({ ...uniforms, u_pass: pass }, now, ratio) || fading;
    this.sheets.end();
    return fading || now - this.moved < MOVE;
  }

  // The map's turn at a time of the move, as columns of a matrix.
  private turning(time: number): number[] {
    const [before, after] = [Number(this.turnedBefore), Number(this.camera.turned)];
    const angle = (Math.PI / 2) * (before + (after - before) * time);
    const [along, across] = [Math.cos(angle), Math.sin(angle)];
    return [along, across, -across, along];
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
    const { shade, halo, shadeFrom } = this.palette;
    const edges = pixels >= shadeFrom ? { u_shade: shade, u_halo: halo } : { u_shade: NONE, u_halo: NONE };
    setUniforms(this.sprites, { ...uniforms, ...edges, u_size: this.pictureSize() });
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
    const all = this.data.guests.length;
    const sheets = pixels < FROM_PICTURES ? [] : this.guests.sheets();
    const drawn = Math.max(0, ...sheets.map(({ first, count }) => first + count));
    if (drawn < all) this.drawDots(uniforms, [{ first: this.data.base + drawn, count: all - drawn }], Math.max(pixels, 6));
    if (drawn === 0) return;
    this.useSprites(uniforms, pixels);
    for (const { first, count, texture, columns, cell } of sheets) {
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
