// Textures of picture atlases: asked for by what is in view, forgotten by last use.
import type { Kind, Level, MapData } from "../data/map";
import { MOST_AT_A_TIME } from "../data/source";

export interface Sheet {
  texture: WebGLTexture;
  since: number; // when it came, milliseconds
  used: number; // last frame
  bytes: number;
}

const PHONE = matchMedia("(max-width: 720px)");

export class Sheets {
  private readonly held = new Map<string, Sheet>();
  private readonly coming = new Map<string, AbortController>();
  private readonly failed = new Set<string>();
  private wanted: { key: string; level: Level }[] = [];
  private bytes = 0;
  private frame = 0;

  constructor(
    private readonly gl: WebGL2RenderingContext,
    private readonly data: MapData,
    private readonly arrived: () => void,
    private readonly broken: (sentence: string) => void,
  ) {}

  get loading(): boolean {
    return this.coming.size > 0 || this.wanted.length > 0;
  }

  begin(): void {
    this.frame++;
    this.wanted = [];
  }

  // The sheet where it is there; else it is asked for.
  get(level: Level, kind: Kind, number: number, ask: boolean): Sheet | undefined {
    const key = `${level.name}-${kind}-${String(number)}`;
    const sheet = this.held.get(key);
    if (sheet !== undefined) sheet.used = this.frame;
    else if (ask && !this.coming.has(key) && !this.failed.has(key)) this.wanted.push({ key, level });
    return sheet;
  }

  // Starts what this frame asked for, in its order; what nobody asks for any more is not fetched.
  end(): void {
    for (const { key, level } of this.wanted) {
      if (this.coming.size >= MOST_AT_A_TIME) return;
      void this.fetch(key, level);
    }
    this.wanted = [];
  }

  retry(): void {
    this.failed.clear();
  }

  dispose(): void {
    for (const controller of this.coming.values()) controller.abort();
    for (const { texture } of this.held.values()) this.gl.deleteTexture(texture);
    this.held.clear();
  }

  private async fetch(key: string, level: Level): Promise<void> {
    const controller = new AbortController();
    this.coming.set(key, controller);
    try {
      const blob = await this.data.source.blob(`page/${key}.webp`, controller.signal);
      const bitmap = await createImageBitmap(blob, { premultiplyAlpha: "premultiply", colorSpaceConversion: "none" });
      this.keep(key, bitmap, level.cell > 16);
      bitmap.close();
    } catch (error) {
      if (error instanceof DOMException && error.name === "AbortError") return;
      this.failed.add(key);
      const damaged = error instanceof DOMException;
      this.broken(damaged ? `A picture sheet of this map is damaged (${key}).` : error instanceof Error ? error.message : String(error));
    } finally {
      this.coming.delete(key);
      this.arrived();
    }
  }

  private keep(key: string, picture: ImageBitmap, smaller: boolean): void {
    const texture = upload(this.gl, picture, smaller);
    const bytes = picture.width * picture.height * (smaller ? 5.4 : 4);
    this.held.set(key, { texture, since: performance.now(), used: this.frame, bytes });
    this.bytes += bytes;
    const room = (PHONE.matches ? 96 : 288) * 2 ** 20;
    while (this.bytes > room) {
      const [oldest] = [...this.held].reduce((a, b) => (b[1].used < a[1].used ? b : a));
      if (this.held.get(oldest)!.used >= this.frame - 1) break;
      this.gl.deleteTexture(this.held.get(oldest)!.texture);
      this.bytes -= this.held.get(oldest)!.bytes;
      this.held.delete(oldest);
    }
  }
}

export function upload(gl: WebGL2RenderingContext, picture: TexImageSource, smaller: boolean): WebGLTexture {
  const texture = gl.createTexture();
  gl.bindTexture(gl.TEXTURE_2D, texture);
  gl.texImage2D(gl.TEXTURE_2D, 0, gl.RGBA, gl.RGBA, gl.UNSIGNED_BYTE, picture);
  gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_WRAP_S, gl.CLAMP_TO_EDGE);
  gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_WRAP_T, gl.CLAMP_TO_EDGE);
  gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_MAG_FILTER, gl.LINEAR);
  gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_MIN_FILTER, smaller ? gl.LINEAR_MIPMAP_LINEAR : gl.LINEAR);
  if (smaller) {
    gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_MAX_LEVEL, 2);
    gl.generateMipmap(gl.TEXTURE_2D);
  }
  return texture;
}
