// The live form: collections, maps as they are built, units as they are placed, a server that comes and goes.
import { signal } from "@preact/signals";
import { readAddress } from "../address";
import { MapData } from "../data/map";
import { BadMap, Source } from "../data/source";
import { Explorer } from "../explorer";
import { toast } from "../toast";
import { describeCollection, LiveDetails, listCollections, NeedsToken, putPhoto, readOperations, readPlaced, type Operations } from "./api";
import { isPicture, search, visit } from "./visitor";

interface News {
  stages: Record<string, number>;
  photos: Record<string, string>;
  placed: Record<string, string[]>;
  maps: string[];
}

const STAGES: Record<string, string> = { ingested: "read", segmented: "cut out", embedded: "compared", placed: "on the map" };

export class Live {
  readonly collections = signal<{ name: string; newest: string }[]>([]);
  readonly collection = signal("");
  readonly away = signal(false);
  readonly operations = signal<Operations | null>(null);
  readonly operationsOpen = signal(false);
  readonly askToken = signal(false);
  readonly explorer = signal<Explorer | null>(null);
  readonly sentence = signal("");
  private version = "";
  private details: LiveDetails | null = null;
  private events: EventSource | null = null;
  private again: (() => void) | null = null;

  constructor(readonly mostBytes: number) {}

  async start(): Promise<void> {
    const address = readAddress(location.hash);
    this.collections.value = await listCollections();
    const first = this.collections.value.find((one) => one.newest !== "") ?? this.collections.value[0];
    const wanted = address.collection ?? first?.name;
    if (wanted === undefined) throw new BadMap("There is no collection yet. Publish some photos, and their map appears here.");
    await this.open(wanted, address.version ?? "");
  }

  // Opens a collection's newest map, or a map by name.
  async open(collection: string, version = ""): Promise<void> {
    this.collection.value = collection;
    this.listen(collection);
    const about = await describeCollection(collection);
    const chosen = version === "" ? about.newest : version;
    void this.refreshOperations();
    if (chosen === "") {
      this.show(null, "This collection has no map yet. It appears here as soon as it is built.");
      return;
    }
    await this.openMap(collection, chosen, version !== "");
  }

  async change(collection: string): Promise<void> {
    history.replaceState(null, "", "#");
    await this.guarded(() => this.open(collection));
  }

  // Runs what may fail; tells why in one sentence, and asks for the token where it is wanted.
  async guarded(act: () => Promise<void>): Promise<void> {
    try {
      await act();
    } catch (error) {
      if (error instanceof NeedsToken) {
        this.again = () => void this.guarded(act);
        this.askToken.value = true;
      } else toast(error instanceof Error ? error.message : String(error));
    }
  }

  tokenGiven(): void {
    this.askToken.value = false;
    this.again?.();
    this.again = null;
  }

  async take(file: File): Promise<void> {
    const explorer = this.explorer.value;
    if (explorer === null || this.details === null) return;
    if (!isPicture(file)) return toast(`${file.name} is no picture.`);
    if (file.size > this.mostBytes) return toast(`${file.name} has ${String(Math.ceil(file.size / 2 ** 20))} MB; ${String(this.mostBytes >> 20)} are allowed.`);
    if (file.size === 0) return toast(`${file.name} is empty.`);
    explorer.filtersOpen.value = explorer.listOpen.value = false; // the photo's garments take their place
    const place = { collection: this.collection.value, version: this.version };
    await this.guarded(() => search(explorer, this.details!, place, file));
  }

  // Puts the visitor's photo into the collection for good.
  async keep(): Promise<void> {
    const kept = visit.value;
    if (kept === null) return;
    await this.guarded(async () => {
      visit.value = { ...kept, kept: "sent" };
      const photo = await putPhoto(this.collection.value, kept.file).catch((error: unknown) => {
        visit.value = { ...kept, kept: "" };
        throw error;
      });
      if (visit.value?.file === kept.file) visit.value = { ...visit.value, photo };
    });
  }

  async refreshOperations(): Promise<void> {
    try {
      this.operations.value = await readOperations(this.collection.value);
    } catch {
      // the banner tells of a server that is away
    }
  }

  private async openMap(collection: string, version: string, pinned: boolean): Promise<void> {
    const base = `maps/${encodeURIComponent(collection)}/${encodeURIComponent(version)}/`;
    const data = await MapData.load(new Source(base));
    if (data.count === 0) {
      this.show(null, "No garments were found on this collection's photos.");
      return;
    }
    this.version = version;
    this.details = new LiveDetails(collection, version);
    const explorer = new Explorer(data, { collection, version: pinned ? version : null }, this.details);
    this.show(explorer, "");
    explorer.onComplete(() => void this.welcome([]));
  }

  private show(explorer: Explorer | null, sentence: string): void {
    this.explorer.value = explorer;
    this.sentence.value = sentence;
  }

  private async welcome(photos: string[]): Promise<void> {
    const explorer = this.explorer.value;
    try {
      explorer?.welcome(await readPlaced(this.collection.value, this.version, photos));
    } catch (error) {
      toast(error instanceof Error ? error.message : String(error));
    }
  }

  private listen(collection: string): void {
    this.events?.close();
    this.events = new EventSource(`api/collections/${encodeURIComponent(collection)}/events`);
    this.events.addEventListener("hello", () => {
      if (!this.away.value) return;
      this.away.value = false;
      toast("The server is back.", 3);
      this.explorer.value?.scene?.retryPictures();
      void this.guarded(() => this.comeBack(collection));
    });
    this.events.addEventListener("news", (event) => this.heard(JSON.parse((event as MessageEvent<string>).data) as News));
    this.events.onerror = () => (this.away.value = true);
  }

  // After an absence: a newer map, or units that were placed meanwhile.
  private async comeBack(collection: string): Promise<void> {
    const about = await describeCollection(collection);
    if (about.newest !== "" && about.newest !== this.version && this.explorer.value?.place.version == null) await this.openMap(collection, about.newest, false);
    else await this.welcome([]);
  }

  private heard(news: News): void {
    const placed = news.placed[this.version];
    if (placed !== undefined) void this.welcome(placed.slice(0, 200));
    const newest = news.maps.at(-1);
    if (newest !== undefined && newest !== this.version && this.explorer.value?.place.version == null) {
      toast("A new map of this collection is ready.", 4);
      void this.guarded(() => this.openMap(this.collection.value, newest, false));
    }
    const own = visit.value;
    const stage = own === null ? undefined : news.photos[own.photo];
    if (own !== null && own.kept !== "" && stage !== undefined) visit.value = { ...own, kept: STAGES[stage] ?? stage };
    if (this.operationsOpen.value) void this.refreshOperations();
  }
}
