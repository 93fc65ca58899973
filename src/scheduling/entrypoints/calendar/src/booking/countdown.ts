/** Of a countdown, what is worth a word. */
const TOLD = [60, 30, 0] as const
/** Seconds left at which a screen reader hears of it: not each second. */

export type Told = (typeof TOLD)[number]

/** What is to be said now that so many seconds are left; null: nothing. */
export const toldOf = (before: number, now: number): Told | null =>
  [...TOLD].reverse().find((mark) => now <= mark && mark < before) ?? null
