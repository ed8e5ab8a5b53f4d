// Where the page looks: pan, zoom, pinch, flights; all in the page's own units. A turned camera shows the map
// by a quarter turn clockwise: what lies on the left is at the top of the screen. Units and views know nothing of it.
export interface View {
  x: number;
  y: number;
  zoom: number; // pixels a unit, as a power of two
}

export class Camera {
  view: View = { x: 0, y: 0, zoom: 0 };
  width = 1;
  height = 1;
  turned = false;
  least = -6;
  most = 8;
  private flight: { from: View; to: View; began: number; lasts: number } | null = null;
  private drift: { x: number; y: number } | null = null;

  get scale(): number {
    return 2 ** this.view.zoom;
  }

  // The screen's upward direction in the page's units.
  get up(): [number, number] {
    return this.turned ? [-1, 0] : [0, -1];
  }

  toWorld(x: number, y: number): [number, number] {
    const at = this.viewOf(this.view, this.width / 2 - x, this.height / 2 - y);
    return [at.x, at.y];
  }

  toScreen(x: number, y: number): [number, number] {
    const [dx, dy] = [(x - this.view.x) * this.scale, (y - this.view.y) * this.scale];
    return this.turned ? [this.width / 2 - dy, this.height / 2 + dx] : [this.width / 2 + dx, this.height / 2 + dy];
  }

  // The view that shows a place so many pixels right of and below the middle of the screen.
  viewOf(place: { x: number; y: number }, right: number, below: number, zoom = this.view.zoom): View {
    const scale = 2 ** zoom;
    const [dx, dy] = this.turned ? [below, -right] : [right, below];
    return { x: place.x - dx / scale, y: place.y - dy / scale, zoom };
  }

  box(margin = 0): [number, number, number, number] {
    const [wide, high] = this.turned ? [this.height, this.width] : [this.width, this.height];
    const [halfX, halfY] = [wide / 2 / this.scale + margin, high / 2 / this.scale + margin];
    return [this.view.x - halfX, this.view.y - halfY, this.view.x + halfX, this.view.y + halfY];
  }

  stop(): void {
    this.flight = this.drift = null;
  }

  // Moves the map by pixels of the screen.
  pan(dx: number, dy: number): void {
    this.view = this.viewOf(this.view, dx, dy);
  }

  // Zooms about a point of the screen, which stays where it is.
  zoomAt(x: number, y: number, by: number): void {
    const [right, below] = [x - this.width / 2, y - this.height / 2];
    const at = this.viewOf(this.view, -right, -below);
    this.view = this.viewOf(at, right, below, this.limit(this.view.zoom + by));
  }

  // Of the same part of the map, as it lies unturned: the screen's width is the height then.
  unturned<T>(act: () => T): T {
    const { turned, width, height } = this;
    if (!turned) return act();
    [this.turned, this.width, this.height] = [false, height, width];
    try {
      return act();
    } finally {
      [this.turned, this.width, this.height] = [turned, width, height];
    }
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
