// What is chosen: a unit with the neighbours that one walks through, or a group.
import { signal } from "@preact/signals";
import type { Details } from "./data/details";
import { toast } from "./toast";

export interface Group {
  title: string;
  rows: number[];
  lasso: [number, number][] | null;
  colour: string | null;
}

export interface Told {
  chosen: (index: number) => void; // before it is
  changed: () => void;
  fly: (index: number) => void;
}

export class Choice {
  readonly selected = signal(-1);
  readonly group = signal<Group | null>(null);
  readonly anchor = signal<{ index: number; near: number[] }>({ index: -1, near: [] });
  private trail: number[] = [];

  constructor(
    private readonly details: Details,
    private readonly on: Told,
  ) {}

  // Whether there is anything that a panel shows.
  get any(): boolean {
    return this.selected.value >= 0 || this.group.value !== null;
  }

  // Opens a unit's panel; the neighbours of `anchor` are what the arrow keys walk through.
  select(index: number, how: { fly?: boolean; walk?: boolean } = {}): void {
    this.on.chosen(index);
    this.selected.value = index;
    if (this.group.value?.colour == null && this.group.value?.lasso == null) this.group.value = null;
    if (how.walk !== true) {
      this.trail.push(index);
      this.anchor.value = { index, near: [] };
      this.details
        .of(index)
        .then((detail) => {
          if (this.anchor.value.index === index) this.anchor.value = { index, near: detail.near };
        })
        .catch((error: unknown) => toast(String(error instanceof Error ? error.message : error)));
    }
    this.on.changed();
    if (how.fly === true) this.on.fly(index);
  }

  // Steps through the anchor's neighbours: the anchor itself is number 0.
  step(by: number): void {
    const { index, near } = this.anchor.value;
    if (near.length === 0) return;
    const line = [index, ...near];
    const at = line.indexOf(this.selected.value);
    this.select(line[(at + by + line.length) % line.length]!, { fly: true, walk: true });
  }

  // Takes the walked-to unit as the new anchor, or goes back to the one before.
  dive(): void {
    if (this.selected.value >= 0) this.select(this.selected.value, { fly: true });
  }

  back(): void {
    this.trail.pop();
    const before = this.trail.pop();
    if (before !== undefined) this.select(before, { fly: true });
  }

  close(): void {
    this.selected.value = -1;
    this.group.value = null;
    this.anchor.value = { index: -1, near: [] };
    this.trail = [];
    this.on.changed();
  }

  // Back from a unit to the group that it was opened from, or to the map.
  closeUnit(): void {
    if (this.group.value === null) this.close();
    else {
      this.selected.value = -1;
      this.on.changed();
    }
  }

  choose(group: Group): void {
    this.selected.value = -1;
    this.group.value = group;
    this.on.changed();
  }
}
