// Far views of many dots: rasterised once into a texture, drawn as one quad a frame.
// A hundred thousand points a frame cost a software renderer, or a weak card, far more than one picture.
import { createProgramInfo, setUniforms, type ProgramInfo } from "twgl.js";
import type { Layout } from "../data/layouts";
import type { Palette } from "./palette";

export const FROM_UNITS = 20_000; // fewer are drawn as points
const MANY = 300_000;

const VERTEX = `#version 300 es
precision highp float;
uniform vec4 u_box; // x1, y1, x2, y2 in the page's units
uniform vec2 u_centre;
uniform vec2 u_scale;
uniform mat2 u_turn;
out vec2 v_at;
void main() {
  v_at = vec2(gl_VertexID & 1, gl_VertexID >> 1);
  gl_Position = vec4(u_turn * (mix(u_box.xy, u_box.zw, v_at) - u_centre) * u_scale, 0.0, 1.0);
}`;

const FRAGMENT = `#version 300 es
precision highp float;
in vec2 v_at;
uniform sampler2D u_picture;
out vec4 colour;
void main() {
  colour = texture(u_picture, v_at);
}`;

export class Overview {
  private readonly program: ProgramInfo;
  private texture: WebGLTexture | null = null;
  private box: [number, number, number, number] = [0, 0, 1, 1];
  private texels = 1; // a unit of the page
  private fresh = false;

  constructor(private readonly gl: WebGL2RenderingContext) {
    this.program = createProgramInfo(gl, [VERTEX, FRAGMENT]);
  }

  // Something changed that it shows.
  spoil(): void {
    this.fresh = false;
  }

  // Whether its dots are still sharp at a scale (pixels a unit).
  sharp(scale: number, count: number, layout: Layout): boolean {
    const [x1, y1, x2, y2] = layout.bounds;
    return scale <= (1.15 * sideOf(count)) / Math.max(x2 - x1, y2 - y1);
  }

  draw(uniforms: Record<string, unknown>, of: { layout: Layout; first: number; count: number; states: Uint8Array; rgb: Uint8Array; palette: Palette }): void {
    const { gl } = this;
    if (!this.fresh) this.paint(of);
    gl.useProgram(this.program.program);
    setUniforms(this.program, { ...uniforms, u_box: this.box, u_picture: this.texture });
    for (let place = 0; place < 4; place++) gl.disableVertexAttribArray(place);
    gl.drawArrays(gl.TRIANGLE_STRIP, 0, 4);
  }

  private paint({ layout, first, count, states, rgb, palette }: Parameters<Overview["draw"]>[1]): void {
    const side = sideOf(count);
    const [x1, y1, x2, y2] = layout.bounds;
    const span = Math.max(x2 - x1, y2 - y1) * 1.01;
    this.box = [(x1 + x2 - span) / 2, (y1 + y2 - span) / 2, (x1 + x2 + span) / 2, (y1 + y2 + span) / 2];
    this.texels = side / span;
    const pixels = new Uint32Array(side * side);
    const plain = Math.max(1, Math.round(layout.size * 0.8 * this.texels));
    const accent = word(palette.accent[0] * 255, palette.accent[1] * 255, palette.accent[2] * 255, 255);
    for (const pass of [1, 2, 3]) {
      for (let i = first; i < first + count; i++) {
        const state = states[i]!;
        if (Math.min(state, 3) !== pass) continue;
        const [red, green, blue] = [rgb[3 * i]!, rgb[3 * i + 1]!, rgb[3 * i + 2]!];
        const colour = pass === 1 ? word(red * 0.1, green * 0.1, blue * 0.1, 26) : pass === 2 ? word(red, green, blue, 255) : accent;
        const wide = pass === 3 ? plain * 2 + 4 : plain;
        const x = Math.round((layout.positions[2 * i]! - this.box[0]) * this.texels - wide / 2);
        const y = Math.round((layout.positions[2 * i + 1]! - this.box[1]) * this.texels - wide / 2);
        dot(pixels, side, x, y, wide, colour);
      }
    }
    this.upload(pixels, side);
    this.fresh = true;
  }

  private upload(pixels: Uint32Array, side: number): void {
    const { gl } = this;
    this.texture ??= gl.createTexture();
    gl.bindTexture(gl.TEXTURE_2D, this.texture);
    gl.texImage2D(gl.TEXTURE_2D, 0, gl.RGBA, side, side, 0, gl.RGBA, gl.UNSIGNED_BYTE, new Uint8Array(pixels.buffer));
    gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_WRAP_S, gl.CLAMP_TO_EDGE);
    gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_WRAP_T, gl.CLAMP_TO_EDGE);
    gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_MAX_LEVEL, 3);
    gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_MIN_FILTER, gl.LINEAR_MIPMAP_LINEAR);
    gl.generateMipmap(gl.TEXTURE_2D);
  }
}

function sideOf(count: number): number {
  return count > MANY ? 4096 : 2048;
}

function word(red: number, green: number, blue: number, alpha: number): number {
  return ((alpha << 24) | (Math.round(blue) << 16) | (Math.round(green) << 8) | Math.round(red)) >>> 0;
}

// A round dot, its corners left out where it is large enough to have some.
function dot(pixels: Uint32Array, side: number, x: number, y: number, wide: number, colour: number): void {
  for (let row = 0; row < wide; row++) {
    const cut = wide < 4 ? 0 : row === 0 || row === wide - 1 ? Math.ceil(wide / 4) : 0;
    const at = y + row;
    if (at < 0 || at >= side) continue;
    pixels.fill(colour, at * side + Math.max(x + cut, 0), at * side + Math.min(x + wide - cut, side));
  }
}
