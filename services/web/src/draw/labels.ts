// Names of groups as buttons over the map: readable, focusable, and never on top of each other.
import type { Layout } from "../data/layouts";
import type { Cluster, Kind, MapData } from "../data/map";
import type { Camera, View } from "./camera";

export interface Label {
  text: string;
  x: number;
  y: number;
  size: number; // pixels
  count: number;
  cluster: Cluster | null;
  kind: Kind;
}

const SIZES = [27, 21, 17];
const SMALL_SCREEN = 700; // pixels below which labels are smaller
const MOST = 28;
const TOP = 86; // below the masthead and the tools

export class Labels {
  private readonly pool: HTMLButtonElement[] = [];
  private at: View | null = null;
  private shownFor = "";

  constructor(
    private readonly box: HTMLElement,
    private readonly fly: (cluster: Cluster, kind: Kind) => void,
  ) {}

  clear(): void {
    this.at = null;
  }

  // Places labels anew when the zoom changes or the view has moved far; else shifts all at once.
  show(camera: Camera, layout: Layout, clusters: readonly Cluster[], data: MapData): void {
    const { at } = this;
    const name = `${layout.name} ${layout.kind} ${String(camera.width)} ${String(camera.height)} ${String(camera.turned)}`;
    if (at !== null && at.zoom === camera.view.zoom && this.shownFor === name) {
      const [x, y] = camera.toScreen(at.x, at.y);
      const [dx, dy] = [x - camera.width / 2, y - camera.height / 2];
      if (Math.abs(dx) < 90 && Math.abs(dy) < 90) {
        this.box.style.transform = `translate(${dx.toFixed(1)}px, ${dy.toFixed(1)}px)`;
        return;
      }
    }
    this.at = camera.view;
    this.shownFor = name;
    this.box.style.transform = "";
    const placed = labelsOf(camera, layout, clusters, data, TOP);
    placed.forEach((label, n) => this.put(n, label));
    for (let n = placed.length; n < this.pool.length; n++) this.pool[n]!.hidden = true;
  }

  private put(n: number, label: Label): void {
    const button = this.pool[n] ?? this.make();
    if (button.textContent !== label.text) button.textContent = label.text;
    button.title = `${label.count.toLocaleString("en")} of these`;
    button.style.fontSize = `${String(label.size)}px`;
    button.style.transform = `translate(${label.x.toFixed(1)}px, ${label.y.toFixed(1)}px) translate(-50%, -50%)`;
    button.disabled = label.cluster === null;
    button.hidden = false;
    button.onclick = () => {
      if (label.cluster !== null) this.fly(label.cluster, label.kind);
    };
  }

  private make(): HTMLButtonElement {
    const button = document.createElement("button");
    button.type = "button";
    this.pool.push(button);
    this.box.append(button);
    return button;
  }
}

// Labels with their places on the screen, none over another and none above `top` (pixels).
export function labelsOf(camera: Camera, layout: Layout, clusters: readonly Cluster[], data: MapData, top: number): Label[] {
  const taken: [number, number, number, number][] = [];
  const placed: Label[] = [];
  for (const label of layout.name === "map" ? ofClusters(clusters, layout, camera, data) : ofHeadings(layout)) {
    const [trueX, trueY] = camera.toScreen(label.x, label.y);
    const [halfWide, halfHigh] = [label.text.length * label.size * 0.2 + 10, label.size * 0.66];
    if (trueX < -60 || trueY < -60 || trueX > camera.width + 60 || trueY > camera.height + 60) continue;
    const x = Math.min(Math.max(trueX, halfWide), Math.max(camera.width - halfWide, halfWide));
    const y = Math.max(trueY, top, halfHigh);
    if (taken.some(([tx, ty, tw, th]) => Math.abs(x - tx) < halfWide + tw && Math.abs(y - ty) < halfHigh + th)) continue;
    if (placed.some((other) => other.text === label.text && Math.hypot(other.x - x, other.y - y) < 260)) continue;
    taken.push([x, y, halfWide, halfHigh]);
    placed.push({ ...label, x, y });
    if (placed.length >= MOST) break;
  }
  return placed;
}

// The level whose groups are of a readable size on the screen, the largest groups first.
function ofClusters(clusters: readonly Cluster[], layout: Layout, camera: Camera, data: MapData): Label[] {
  const whole = Math.log2(Math.min(camera.width, camera.height) / 2000);
  const near = camera.view.zoom - whole;
  const level = near < 1.1 ? 0 : near < 2.3 ? 1 : 2;
  if (near > 5.5) return [];
  return clusters
    .filter((cluster) => cluster.level === level && cluster.count > 1)
    .sort((a, b) => b.count - a.count)
    .map((cluster) => {
      const lift = cluster.radius * (level === 0 ? 0.55 : 0.8);
      const [x, y] = data.place(layout.kind, cluster.x + lift * camera.up[0], cluster.y + lift * camera.up[1]);
      const size = SIZES[level]! * (camera.width < SMALL_SCREEN ? 0.74 : 1);
      return { text: cluster.label, x, y, size, count: cluster.count, cluster, kind: layout.kind };
    });
}

function ofHeadings(layout: Layout): Label[] {
  return layout.headings.map((h) => ({ text: h.text, x: h.x, y: h.y, size: 22, count: h.count, cluster: null, kind: layout.kind }));
}
