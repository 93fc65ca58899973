/**
 * What is shown, as the address says it: `#/day?clinic=…&date=2026-11-20&with=…`. So a
 * reload, a bookmark and the browser's back button come to the same page.
 */
import { isDay, type Day } from '~/time/zoned'

export const VIEWS = ['day', 'week', 'today', 'waitlist', 'statistics'] as const
export type View = (typeof VIEWS)[number]

class Route {
  view = $state<View>('day')
  clinic = $state<string | null>(null)
  /** null: today, whatever day that is at the clinic */
  date = $state<Day | null>(null)
  /** Practitioners; empty: all */
  practitioners = $state<readonly string[]>([])
  /** An appointment that is open: links of notifications lead to it. */
  appointment = $state<string | null>(null)

  open(): void {
    this.read()
    addEventListener('hashchange', () => this.read())
  }

  go(to: Partial<Pick<Route, 'view' | 'clinic' | 'date' | 'practitioners' | 'appointment'>>): void {
    const { view, clinic, date, practitioners, appointment } = { ...this.snapshot(), ...to }
    const asked = new URLSearchParams()
    if (clinic) asked.set('clinic', clinic)
    if (date) asked.set('date', date)
    if (practitioners.length) asked.set('with', practitioners.join(','))
    if (appointment) asked.set('appointment', appointment)
    const text = asked.toString().replaceAll('%2C', ',')
    location.hash = `/${view}${text ? `?${text}` : ''}`
    this.read()
  }

  private snapshot() {
    const { view, clinic, date, practitioners, appointment } = this
    return { view, clinic, date, practitioners, appointment }
  }

  private read(): void {
    const [path = '', query = ''] = location.hash.slice(1).split('?')
    const asked = new URLSearchParams(query)
    const date = asked.get('date')
    const practitioners = (asked.get('with') ?? '').split(',').filter(Boolean)
    this.view = VIEWS.find((view) => `/${view}` === path) ?? 'day'
    this.clinic = asked.get('clinic')
    this.date = date && isDay(date) ? date : null
    if (practitioners.join() !== this.practitioners.join()) this.practitioners = practitioners
    this.appointment = asked.get('appointment')
  }
}

export const route = new Route()
