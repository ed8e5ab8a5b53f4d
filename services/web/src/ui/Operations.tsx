// The operations view: stages with rates, queues, failures with their reasons, retry.
import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import { requestMap, retryFailures, type Operations as Told } from "../live/api";
import type { Live } from "../live/live";
import { toast } from "../toast";
import { Icon } from "./icons";

const EVERY = 2500;
const WHEN = new Intl.DateTimeFormat("en-GB", { dateStyle: "medium", timeStyle: "short" });
const STAGES: [string, string, string][] = [
  ["offered", "Offered", ""],
  ["ingested", "Read", "ingested"],
  ["segmented", "Cut out", "segmented"],
  ["embedded", "Compared", "embedded"],
];

export function Operations({ live }: { live: Live }): JSX.Element | null {
  const open = live.operationsOpen.value;
  useEffect(() => {
    if (!open) return undefined;
    void live.refreshOperations();
    const timer = setInterval(() => void live.refreshOperations(), EVERY);
    return () => clearInterval(timer);
  }, [live, open]);
  if (!open) return null;
  const told = live.operations.value;
  return (
    <section class="card operations" aria-label="Operations">
      <header class="panel-head">
        <h2>Operations</h2>
        <button type="button" class="icon-button" aria-label="Close operations" onClick={() => (live.operationsOpen.value = false)}>
          <Icon name="close" />
        </button>
      </header>
      {told === null ? <p class="quiet">Asking …</p> : <Body live={live} told={told} />}
    </section>
  );
}

function Body({ live, told }: { live: Live; told: Told }): JSX.Element {
  const collection = live.collection.value;
  const most = Math.max(told.stages["offered"] ?? 0, 1);
  return (
    <>
      {!told.ready && <p class="trouble" role="status">The broker or the object store does not answer.</p>}
      <section>
        <h3>Photos of {collection}</h3>
        <dl class="stages">
          {STAGES.map(([name, title, rate]) => (
            <div key={name}>
              <dt>{title}</dt>
              <dd>
                <meter min={0} max={most} value={told.stages[name] ?? 0} aria-label={`${title}: ${String(told.stages[name] ?? 0)} of ${String(most)}`} />
                <span class="number">{(told.stages[name] ?? 0).toLocaleString("en")}</span>
                <span class="rate">{rate === "" ? "" : `${String(told.rates[rate] ?? 0)} a minute`}</span>
              </dd>
            </div>
          ))}
        </dl>
        <button type="button" class="button" onClick={() => void live.guarded(async () => { await requestMap(collection); toast("A new map is asked for. It appears here when it is built.", 4); })}>
          Build a new map
        </button>
      </section>
      <section>
        <h3>Queues</h3>
        <table>
          <thead>
            <tr><th scope="col">Queue</th><th scope="col">Waiting</th><th scope="col">Takers</th><th scope="col">Dead</th></tr>
          </thead>
          <tbody>
            {told.queues.map((queue) => (
              <tr key={queue.name}>
                <th scope="row">{queue.name}</th>
                <td>{queue.waiting.toLocaleString("en")}</td>
                <td class={queue.consumers === 0 ? "trouble" : ""}>{queue.consumers}</td>
                <td>{queue.dead.toLocaleString("en")}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </section>
      <Failures live={live} told={told} />
    </>
  );
}

function Failures({ live, told }: { live: Live; told: Told }): JSX.Element {
  const [busy, setBusy] = useState(false);
  const retry = (): void => {
    setBusy(true);
    void live
      .guarded(async () => {
        const sent = await retryFailures(live.collection.value, "");
        toast(`${String(sent)} ${sent === 1 ? "photo is" : "photos are"} sent again.`, 4);
        await live.refreshOperations();
      })
      .finally(() => setBusy(false));
  };
  return (
    <section>
      <div class="section-head">
        <h3>Refused photos</h3>
        {told.failures.length > 0 && (
          <button type="button" class="button" disabled={busy} onClick={retry}>
            Retry all
          </button>
        )}
      </div>
      {told.failures.length === 0 && <p class="quiet">None.</p>}
      <ul class="failures">
        {told.failures.map((failure) => (
          <li key={failure.stage + failure.photo_id}>
            <strong>{failure.file_name === "" ? failure.photo_id.slice(0, 16) : failure.file_name}</strong>
            <span>{failure.reason}</span>
            <small>{failure.stage}, {WHEN.format(new Date(failure.at))}</small>
          </li>
        ))}
      </ul>
    </section>
  );
}
