/**
 * Of a very full day what is in sight is drawn first, and the rest while nobody waits:
 * thousands of entries at once would take seconds. Once drawn they stay, so that scrolling
 * has nothing left to do.
 */
import type { Drawn } from '~/calendar/entries'

/** So many are drawn at once */
const AT_ONCE = 600
/** In each pause a share of what is there follows: every step costs as much as is there. */
const MORE = 0.25
/** Milliseconds after which there is one, though the page never rests */
const PATIENCE = 400

/** Minutes from midnight, and columns from 0 on; the ends are not in it */
export interface Part {
  from: number
  to: number
  first: number
  last: number
}

export interface Sizes {
  /** Minutes from midnight at the top */
  begins: number
  pixelsPerMinute: number
  columns: number
}

/** Where an entry stands: in which column, and at which minutes of its day */
type Standing = (one: Drawn) => { column: number; from: number; to: number }

export class Around {
  private waiting = $state.raw<ReadonlySet<string>>(new Set())
  private key = ''
  private pause: number | null = null

  /** What may be drawn by now; what is new since the beginning need not wait. */
  of<T extends Drawn>(entries: readonly T[]): readonly T[] {
    return this.waiting.size ? entries.filter((one) => !this.waiting.has(one.id)) : entries
  }

  /** Begin with what is in sight, where `key` differs from before: it is another day. */
  begin(key: string, entries: readonly Drawn[], standing: Standing, seen: () => Part): void {
    if (key === this.key) return
    this.key = key
    this.stop()
    this.waiting = new Set(nearest(entries, standing, seen()).slice(AT_ONCE))
    const go = () => {
      const left = entries.filter((one) => this.waiting.has(one.id))
      const more = Math.ceil((entries.length - left.length) * MORE)
      this.waiting = new Set(nearest(left, standing, seen()).slice(more))
      this.later(go)
    }
    this.later(go)
  }

  stop(): void {
    if (this.pause !== null) cancelIdleCallback(this.pause)
    this.pause = null
  }

  private later(go: () => void): void {
    this.pause = this.waiting.size ? requestIdleCallback(go, { timeout: PATIENCE }) : null
  }
}

/** Return the ids, those in sight first. */
export function nearest(entries: readonly Drawn[], standing: Standing, seen: Part): string[] {
  const [high, wide] = [seen.to - seen.from || 1, seen.last - seen.first || 1]
  const away = (one: Drawn): number => {
    const { column, from, to } = standing(one)
    const over = Math.max(0, from - seen.to, seen.from - to) / high
    return over + Math.max(0, column - seen.last, seen.first - column - 1) / wide
  }
  return entries
    .map((one) => ({ id: one.id, away: away(one) }))
    .sort((one, other) => one.away - other.away)
    .map((one) => one.id)
}

/** Return what of the grid one sees; before it has a size, its top left corner. */
export function inSight(main: HTMLElement | null, { begins, pixelsPerMinute, columns }: Sizes): Part {
  if (!main) return { from: begins, to: begins + 12 * 60, first: 0, last: 8 }
  const head = main.querySelector<HTMLElement>('.ec-header')?.offsetHeight ?? 0
  const side = main.querySelector<HTMLElement>('.ec-sidebar')?.offsetWidth ?? 0
  const wide = Math.max(1, (main.scrollWidth - side) / columns)
  const from = begins + main.scrollTop / pixelsPerMinute
  return {
    from,
    to: from + (main.clientHeight - head) / pixelsPerMinute,
    first: main.scrollLeft / wide,
    last: (main.scrollLeft + main.clientWidth - side) / wide,
  }
}
