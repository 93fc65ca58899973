/** Which days are counted, and the figures put in the order in which they are drawn. Pure. */
import { addDays, type Day, weekOf } from '~/time/zoned'

export const PERIODS = ['week', 'four-weeks', 'month', 'custom'] as const
export type Period = (typeof PERIODS)[number]

export interface Days {
  from: Day
  /** Exclusive, as the API counts */
  to: Day
}

/** The most that the API counts at once */
export const MOST_DAYS = 366

const first = (day: Day): Day => `${day.slice(0, 8)}01`

/** The days of a period that today is in, or that ends with today; whole weeks and months. */
export function daysOf(period: Exclude<Period, 'custom'>, today: Day): Days {
  if (period === 'week') return { from: weekOf(today), to: addDays(weekOf(today), 7) }
  if (period === 'four-weeks') return { from: addDays(today, -27), to: addDays(today, 1) }
  return { from: first(today), to: first(addDays(first(today), 31)) }
}

export const lengthOf = ({ from, to }: Days): number =>
  Math.round((Date.parse(`${to}T00:00:00Z`) - Date.parse(`${from}T00:00:00Z`)) / 86_400_000)

export interface DayFigures {
  date: Day
  byStatus: Partial<Record<string, number>>
}

export interface Rate {
  /** The day, or the Monday of the week */
  day: Day
  missed: number
  kept: number
  /** null where nobody was expected: 0 of 0 is no rate */
  rate: number | null
}

/** Days are read one by one up to a month; of longer periods weeks, else it is all noise. */
export const isByWeek = (days: Days): boolean => lengthOf(days) > 31

export function ratesOf(byDay: readonly DayFigures[], byWeek: boolean): Rate[] {
  const rates = new Map<Day, Rate>()
  for (const { date, byStatus } of byDay) {
    const day = byWeek ? weekOf(date) : date
    let rate = rates.get(day)
    if (!rate) rates.set(day, (rate = { day, missed: 0, kept: 0, rate: null }))
    rate.missed += byStatus['no-show'] ?? 0
    rate.kept += byStatus.completed ?? 0
    const expected = rate.missed + rate.kept
    rate.rate = expected ? rate.missed / expected : null
  }
  return [...rates.values()]
}

/** All 24 hours in their order, also those without anything. */
export function hoursOf(busiest: readonly { hour: number; count: number }[]): number[] {
  const counts = Array.from({ length: 24 }, () => 0)
  for (const { hour, count } of busiest) counts[hour] = count
  return counts
}
