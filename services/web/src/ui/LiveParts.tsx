// What only the live form has: collections, a visitor's photo, the operations view.
import type { JSX } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import type { Explorer } from "../explorer";
import { keepToken } from "../live/api";
import type { Live } from "../live/live";
import { visit, type FoundUnit, type Visit } from "../live/visitor";
import { Icon } from "./icons";
import { Mosaic, Picture } from "./Picture";
import { Toggle } from "./Tools";

export function CollectionPicker({ live }: { live: Live }): JSX.Element {
  return (
    <select aria-label="Collection" value={live.collection.value} onChange={(event) => void live.change(event.currentTarget.value)}>
      {live.collections.value.map(({ name }) => (
        <option key={name} value={name}>
          {name}
        </option>
      ))}
    </select>
  );
}

export function LiveTools({ live, explorer }: { live: Live; explorer: Explorer | null }): JSX.Element {
  const failures = live.operations.value?.failures.length ?? 0;
  return (
    <>
      {explorer !== null && (
        <label class="icon-button colour" title="Find your own photo's garments">
          <Icon name="photo" />
          <input
            type="file"
            accept="image/*,.heic,.heif,.avif"
            aria-label="Choose a photo whose garments are found on the map"
            onChange={(event) => {
              const [file] = event.currentTarget.files ?? [];
              if (file !== undefined) void live.take(file);
              event.currentTarget.value = "";
            }}
          />
        </label>
      )}
      <span class={failures > 0 ? "alarm-box" : ""}>
        <Toggle
          name="pulse"
          label={failures > 0 ? `Operations: ${String(failures)} photos refused` : "Operations"}
          on={live.operationsOpen.value}
          act={() => (live.operationsOpen.value = !live.operationsOpen.value)}
        />
      </span>
    </>
  );
}

export function Away({ live }: { live: Live }): JSX.Element | null {
  if (!live.away.value) return null;
  return (
    <p class="away" role="alert">
      The server does not answer. What is here stays; it goes on by itself when the server is back.
    </p>
  );
}

// The whole window takes a dropped photo.
export function DropZone({ live }: { live: Live }): JSX.Element | null {
  const [over, setOver] = useState(false);
  useEffect(() => {
    const drag = (event: DragEvent): void => {
      if (event.dataTransfer?.types.includes("Files") !== true) return;
      event.preventDefault();
      setOver(event.type !== "dragleave" || event.relatedTarget !== null);
    };
    const drop = (event: DragEvent): void => {
      event.preventDefault();
      setOver(false);
      const [file] = event.dataTransfer?.files ?? [];
      if (file !== undefined) void live.take(file);
    };
    const types = ["dragenter", "dragover", "dragleave"] as const;
    types.forEach((type) => addEventListener(type, drag));
    addEventListener("drop", drop);
    return () => {
      types.forEach((type) => removeEventListener(type, drag));
      removeEventListener("drop", drop);
    };
  }, [live]);
  if (!over) return null;
  return (
    <div class="drop" aria-hidden="true">
      <p>Drop a photo to see where its garments lie</p>
    </div>
  );
}

const STEPS = ["sending", "cutting out", "comparing", "done"] as const;

export function VisitPanel({ live, explorer }: { live: Live; explorer: Explorer }): JSX.Element | null {
  const shown = visit.value;
  if (shown === null) return null;
  const close = (): void => {
    if (shown.kept === "") explorer.dismiss(shown.units.map((unit) => unit.id));
    visit.value = null;
  };
  return (
    <section class="card visit" aria-label="Your photo">
      <header class="panel-head">
        <h2>Your photo</h2>
        <button type="button" class="icon-button" aria-label="Close your photo" onClick={close}>
          <Icon name="close" />
        </button>
      </header>
      <p class="quiet file">{shown.file.name}</p>
      <Progress shown={shown} />
      {shown.sentence !== "" && <p class={shown.stage === "failed" ? "trouble" : "quiet"}>{shown.sentence}</p>}
      <ul class="found">
        {shown.units.map((unit) => (
          <Found key={unit.id} explorer={explorer} unit={unit} />
        ))}
      </ul>
      {shown.stage === "done" && (
        <p class="keep">
          {shown.kept === "" ? (
            <>
              <span class="quiet">Nothing of it is kept.</span>
              <button type="button" class="button" onClick={() => void live.keep()}>
                Add it to {live.collection.value}
              </button>
            </>
          ) : (
            <span role="status">In the collection: {shown.kept}.</span>
          )}
        </p>
      )}
    </section>
  );
}

function Progress({ shown }: { shown: Visit }): JSX.Element | null {
  if (shown.stage === "done" || shown.stage === "failed") return null;
  const at = STEPS.indexOf(shown.stage);
  return (
    <div>
      <progress aria-label="Progress" max={STEPS.length - 1} value={at + 0.4} />
      <p class="quiet" role="status">{{ sending: "Sending it", "cutting out": "Cutting out its garments", comparing: "Comparing them with this map" }[shown.stage]} …</p>
    </div>
  );
}

function Found({ explorer, unit }: { explorer: Explorer; unit: FoundUnit }): JSX.Element | null {
  const index = explorer.data.find(unit.id);
  if (index < 0) return null;
  const near = unit.near.slice(0, 5).map((id) => explorer.data.find(id)).filter((row) => row >= 0);
  return (
    <li>
      <button type="button" class="own" aria-current={explorer.choice.selected.value === index ? "true" : undefined} onClick={() => explorer.choice.select(index, { fly: true })}>
        <Picture explorer={explorer} index={index} pixels={64} />
        <span>
          {unit.category}
          <small>on the map</small>
        </span>
      </button>
      <Mosaic explorer={explorer} rows={near} pixels={48} pick={(row) => explorer.choice.select(row, { fly: true })} />
    </li>
  );
}

export function TokenDialog({ live }: { live: Live }): JSX.Element {
  const dialog = useRef<HTMLDialogElement>(null);
  const [text, setText] = useState("");
  useEffect(() => {
    if (live.askToken.value) dialog.current?.showModal();
    else dialog.current?.close();
  }, [live.askToken.value]);
  return (
    <dialog ref={dialog} class="card" aria-label="Token" onClose={() => (live.askToken.value = false)}>
      <h2>Writing needs a token</h2>
      <p class="quiet">Whoever runs this explorer has it. It is kept until this tab is closed.</p>
      <input type="password" aria-label="Token" value={text} onInput={(event) => setText(event.currentTarget.value)} />
      <p class="keep">
        <button type="button" class="button" onClick={() => (live.askToken.value = false)}>Cancel</button>
        <button
          type="button"
          class="button strong"
          onClick={() => {
            keepToken(text.trim());
            live.tokenGiven();
          }}
        >
          Go on
        </button>
      </p>
    </dialog>
  );
}
