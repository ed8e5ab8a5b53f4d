// Search, categories, and a facet for every metadata column.
import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { isoDate } from "../data/export";
import { BINS, type FacetTally, type Filter } from "../data/filters";
import type { Facet } from "../data/map";
import type { Explorer } from "../explorer";
import { Icon } from "./icons";

const FIRST_VALUES = 8;

export function Filters({ explorer }: { explorer: Explorer }): JSX.Element | null {
  const filter = explorer.filter.value;
  const tally = explorer.tally.value;
  const change = (part: Partial<Filter>): void => explorer.refilter({ ...filter, ...part });
  if (!explorer.filtersOpen.value) return null;
  return (
    <section class="card filters" aria-label="Filters">
      <div class="search">
        <Icon name="search" />
        <input
          id="search"
          type="search"
          aria-label="Search categories, files and metadata"
          placeholder="Search"
          value={filter.text}
          onInput={(event) => change({ text: event.currentTarget.value })}
        />
      </div>
      <button type="button" class="icon-button close only-small" aria-label="Close filters" onClick={() => (explorer.filtersOpen.value = false)}>
        <Icon name="close" />
      </button>
      {tally === null ? (
        <p class="quiet">Reading the columns …</p>
      ) : (
        <>
          <Values
            title="Category"
            values={tally.categories}
            chosen={filter.categories}
            change={(categories) => change({ categories })}
          />
          {tally.facets.map((one) => (
            <FacetOf key={one.facet.name} tally={one} filter={filter} change={change} />
          ))}
          {explorer.active.value && (
            <button type="button" class="text-button" onClick={() => explorer.reset()}>
              Clear all filters
            </button>
          )}
        </>
      )}
    </section>
  );
}

function FacetOf({ tally, filter, change }: { tally: FacetTally; filter: Filter; change: (part: Partial<Filter>) => void }): JSX.Element | null {
  const { facet } = tally;
  if (facet.coded !== undefined) {
    const [only, ...others] = tally.values;
    if (only !== undefined && others.length === 0 && facet.coded.codes.every((code) => code === 0)) return <Same title={facet.name} value={only.name} />;
    return (
      <Values
        title={facet.name}
        values={tally.values}
        chosen={filter.choices.get(facet.name) ?? new Set()}
        change={(values) => {
          const choices = new Map(filter.choices);
          if (values.size === 0) choices.delete(facet.name);
          else choices.set(facet.name, values);
          change({ choices });
        }}
      />
    );
  }
  if (facet.numbers === undefined || !Number.isFinite(tally.most)) return null;
  if (tally.most === tally.least) return facet.numbers.some(Number.isNaN) ? null : <Same title={facet.name} value={say(facet, tally.least)} />;
  return <Range tally={tally} filter={filter} change={change} />;
}

// A column with one value for all photos: worth knowing, but nothing to choose.
function Same({ title, value }: { title: string; value: string }): JSX.Element {
  return (
    <p class="same">
      <span>{title}</span> {value}
    </p>
  );
}

function say(facet: Facet, value: number): string {
  return facet.kind === "date" ? isoDate(value) : value.toLocaleString("en", { maximumFractionDigits: 2 });
}

function Values(props: {
  title: string;
  values: { name: string; count: number }[];
  chosen: ReadonlySet<string>;
  change: (chosen: Set<string>) => void;
}): JSX.Element {
  const { title, values, chosen, change } = props;
  const [all, setAll] = useState(false);
  const most = Math.max(...values.map((v) => v.count), 1);
  const shown = all ? values : values.filter((v, i) => i < FIRST_VALUES || chosen.has(v.name));
  const toggle = (name: string): void => {
    const next = new Set(chosen);
    if (!next.delete(name)) next.add(name);
    change(next);
  };
  return (
    <fieldset>
      <legend>{title}</legend>
      <ul class="values">
        {shown.map(({ name, count }) => (
          <li key={name}>
            <button type="button" aria-pressed={chosen.has(name)} class="value" onClick={() => toggle(name)}>
              <span class="bar" style={{ width: `${String((100 * count) / most)}%` }} />
              <span class="name">{name}</span>
              <span class="count">{count.toLocaleString("en")}</span>
            </button>
          </li>
        ))}
      </ul>
      {values.length > FIRST_VALUES && (
        <button type="button" class="text-button" onClick={() => setAll(!all)}>
          {all ? "Fewer" : `All ${String(values.length)}`}
        </button>
      )}
    </fieldset>
  );
}

// A histogram with two handles: numbers, or days.
function Range({ tally, filter, change }: { tally: FacetTally; filter: Filter; change: (part: Partial<Filter>) => void }): JSX.Element {
  const { facet, least, most, bins } = tally;
  const [low, high] = filter.ranges.get(facet.name) ?? [least, most];
  const step = facet.kind === "date" || Number.isInteger(least + most) ? 1 : (most - least) / 200;
  const set = (from: number, to: number): void => {
    const ranges = new Map(filter.ranges);
    if (from <= least && to >= most) ranges.delete(facet.name);
    else ranges.set(facet.name, [Math.min(from, to), Math.max(from, to)]);
    change({ ranges });
  };
  const tallest = Math.max(...bins, 1);
  return (
    <fieldset>
      <legend>{facet.name}</legend>
      <svg class="histogram" viewBox={`0 0 ${String(BINS)} 20`} preserveAspectRatio="none" aria-hidden="true">
        {bins.map((count, i) => {
          const from = least + ((most - least) * i) / BINS;
          const within = from + (most - least) / BINS >= low && from <= high;
          const tall = count === 0 ? 0 : Math.max((20 * count) / tallest, 0.8);
          return <rect key={i} class={within ? "in" : ""} x={i + 0.08} width={0.84} y={20 - tall} height={tall} />;
        })}
      </svg>
      <div class="range">
        <input type="range" aria-label={`${facet.name} from`} aria-valuetext={say(facet, low)} min={least} max={most} step={step} value={low} onInput={(e) => set(Number(e.currentTarget.value), high)} />
        <input type="range" aria-label={`${facet.name} to`} aria-valuetext={say(facet, high)} min={least} max={most} step={step} value={high} onInput={(e) => set(low, Number(e.currentTarget.value))} />
      </div>
      <p class="ends">
        <span>{say(facet, low)}</span>
        <span>{say(facet, high)}</span>
      </p>
    </fieldset>
  );
}
