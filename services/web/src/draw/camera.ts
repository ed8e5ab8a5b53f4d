// Where the page looks: pan, zoom, pinch, flights; all in the page's own units.
export interface View {
  x: number;
  y: number;
  zoom: number; // pixels a unit, as a power of two
}

export class Camera {
  view: View = { x: 0, y: 0, zoom: 0 };
  width = 1;
  height = 1;
  least = -6;
  most = 8;
  private flight: { from: View; to: View; began: number; lasts: number } | null = null;
  private drift: { x: number; y: number } | null = null;

  get scale(): number {
    return 2 ** this.view.zoom;
  }

  toWorld(x: number, y: number): [number, number] {
    return [this.view.x + (x - this.width / 2) / this.scale, this.view.y + (y - this.height / 2) / this.scale];
  }

  toScreen(x: number, y: number): [number, number] {
    return [(x - this.view.x) * this.scale + this.width / 2, (y - this.view.y) * this.scale + this.height / 2];
  }

  box(margin = 0): [number, number, number, number] {
    const [halfX, halfY] = [this.width / 2 / this.scale + margin, this.height / 2 / this.scale + margin];
    return [this.view.x - halfX, this.view.y - halfY, this.view.x + halfX, this.view.y + halfY];
  }

  stop(): void {
    this.flight = this.drift = null;
  }

  pan(dx: number, dy: number): void {
    this.view = { ...this.view, x: this.view.x - dx / this.scale, y: this.view.y - dy / this.scale };
  }

  // Zooms about a point of the screen, which stays where it is.
  zoomAt(x: number, y: number, by: number): void {
    const [worldX, worldY] = this.toWorld(x, y);
    const zoom = this.limit(this.view.zoom + by);
    const scale = 2 ** zoom;
    this.view = { x: worldX - (x - this.width / 2) / scale, y: worldY - (y - this.height / 2) / scale, zoom };
  }

  throw(speedX: number, speedY: number): void {
    if (Math.hypot(speedX, speedY) > 0.15) this.drift = { x: speedX, y: speedY };
  }

  fly(to: View, milliseconds: number): void {
    const target = { ...to, zoom: this.limit(to.zoom) };
    this.drift = null;
    if (milliseconds <= 0) {
      this.flight = null;
      this.view = target;
    } else this.flight = { from: this.view, to: target, began: performance.now(), lasts: milliseconds };
  }

  // Moves on; whether there is more to come.
  tick(now: number, elapsed: number): boolean {
    if (this.drift !== null) {
      this.pan(this.drift.x * elapsed, this.drift.y * elapsed);
      const left = Math.exp(-elapsed / 160);
      this.drift = { x: this.drift.x * left, y: this.drift.y * left };
      if (Math.hypot(this.drift.x, this.drift.y) < 0.02) this.drift = null;
    }
    if (this.flight !== null) this.step(now);
    return this.drift !== null || this.flight !== null;
  }

  private step(now: number): void {
    const { from, to, began, lasts } = this.flight!;
    const t = Math.min(Math.max((now - began) / lasts, 0), 1);
    const eased = t < 0.5 ? 4 * t ** 3 : 1 - (-2 * t + 2) ** 3 / 2;
    const [a, b] = [2 ** from.zoom, 2 ** to.zoom];
    const zoom = from.zoom + (to.zoom - from.zoom) * eased;
    // the middle moves as the scale does, so that the goal grows out of one place
    const along = Math.abs(a - b) < 1e-6 ? eased : (1 / 2 ** zoom - 1 / a) / (1 / b - 1 / a);
    this.view = { x: from.x + (to.x - from.x) * along, y: from.y + (to.y - from.y) * along, zoom };
    if (t >= 1) {
      this.view = to;
      this.flight = null;
    }
  }

  private limit(zoom: number): number {
    return Math.min(Math.max(zoom, this.least), this.most);
  }
}
