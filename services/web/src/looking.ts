// Where one looks: home and away, with the room that panels leave.
import type { Cluster, Kind, MapData } from "./data/map";
import type { View } from "./draw/camera";
import type { Ground, Padding } from "./draw/ground";

const CLOSE_UP = 150; // pixels of a picture that is flown to

export interface Around {
  filters: () => boolean; // whether they are open
  panel: () => boolean;
  moved: () => void;
}

export class Looking {
  private fitted: "main" | "whole" | null = null; // what the view was fitted to, until it is moved

  constructor(
    private readonly scene: Ground,
    private readonly data: MapData,
    private readonly around: Around,
  ) {}

  goHome(milliseconds = 800): void {
    this.fit("main", milliseconds);
  }

  // Goes home; from there, to lone islands too.
  showWhole(): void {
    this.fit(this.fitted === "main" ? "whole" : "main", 800);
  }

  move(view: View, milliseconds: number): void {
    this.fitted = null;
    this.scene.camera.fly(view, isStill() ? 0 : milliseconds);
    this.scene.ask();
    this.around.moved();
  }

  zoom(by: number): void {
    const { view } = this.scene.camera;
    this.move({ ...view, zoom: view.zoom + by }, 250);
  }

  panBy(dx: number, dy: number): void {
    this.scene.camera.pan(dx, dy);
    this.dragged();
  }

  // The camera was moved by hand.
  dragged(): void {
    this.fitted = null;
    this.scene.ask();
    this.around.moved();
  }

  flyTo(index: number): void {
    const { scene } = this;
    const [x, y] = scene.at(index);
    const zoom = Math.max(scene.camera.view.zoom, scene.zoomFor(CLOSE_UP));
    const { wide, high } = this.panelShift();
    this.move(scene.camera.viewOf({ x, y }, -wide, -high, zoom), 750);
  }

  flyToCluster(cluster: Cluster, kind: Kind): void {
    const [x, y] = this.data.place(kind, cluster.x, cluster.y);
    const [reach] = this.data.place(kind, cluster.x + cluster.radius, cluster.y);
    const { camera } = this.scene;
    const room = Math.min(camera.width, camera.height) * 0.36;
    const zoom = Math.min(Math.log2(room / Math.max(Math.abs(reach - x), 4)), camera.most);
    this.move({ x, y, zoom: Math.max(zoom, camera.view.zoom + 0.7) }, 900);
  }

  // Turns the map where its layout and the window ask for it.
  turn(): void {
    this.scene.turn(this.room());
  }

  resized(): void {
    this.turn();
    if (this.fitted !== null) this.fit(this.fitted, 0);
    this.around.moved();
  }

  private fit(to: "main" | "whole", milliseconds: number): void {
    const room = this.room();
    this.move(this.scene[to](!isPhone() && this.around.panel() ? { ...room, right: 402 } : room), milliseconds);
    this.fitted = to;
  }

  // What the map has no room under; a panel that opens and closes does not count.
  private room(): Padding {
    if (isPhone()) return { left: 14, right: 14, top: 96, bottom: 116 };
    return { left: this.around.filters() ? 300 : 28, right: 28, top: 104, bottom: 44 };
  }

  // How far from the middle a unit is shown, so that no panel covers it.
  private panelShift(): { wide: number; high: number } {
    return isPhone() ? { wide: 0, high: this.scene.camera.height * 0.27 } : { wide: 60, high: 0 };
  }
}

export function isPhone(): boolean {
  return matchMedia("(max-width: 900px)").matches;
}

// Whether the visitor wants nothing to move by itself.
export function isStill(): boolean {
  return matchMedia("(prefers-reduced-motion: reduce)").matches;
}
