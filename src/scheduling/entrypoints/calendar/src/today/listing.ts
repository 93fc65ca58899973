/** Which appointments a list shows, and how they are put together. Pure. */
import type { BookedTime, SlotTime, Status } from '~/api/client'
import { isBefore, type Instant } from '~/time/zoned'

/** In the order of a visit's life */
export const STATUSES: readonly Status[] = [
  'proposed',
  'pending',
  'booked',
  'confirmed',
  'arrived',
  'in-progress',
  'completed',
  'no-show',
  'cancelled',
]

/** Without case and accents: who types `nunez` means Núñez. */
export const plain = (text: string): string =>
  text.normalize('NFD').replace(/\p{Diacritic}/gu, '').toLocaleLowerCase()

/** Whether each word that was typed is in the name; Burmese writes words without spaces. */
export function isNamed(name: string, typed: string): boolean {
  const parts = plain(name).split(/[\s\-']+/)
  return plain(typed)
    .split(/[\s\-']+/)
    .filter(Boolean)
    .every((word) => parts.some((part) => part.includes(word)))
}

/** Still there: neither a hold that has run out nor what should never have been. */
export const stands = (one: BookedTime, now: Instant): boolean =>
  one.status !== 'entered-in-error' &&
  !(one.status === 'pending' && one.holdExpiresAt !== null && !isBefore(now, one.holdExpiresAt))

export function countsOf(appointments: readonly BookedTime[]): Map<Status, number> {
  const counts = new Map<Status, number>()
  for (const status of STATUSES) {
    const count = appointments.filter((one) => one.status === status).length
    if (count) counts.set(status, count)
  }
  return counts
}

export interface Group<T> {
  practitionerId: string
  name: string
  items: T[]
}

/** By practitioner, those in the order of their names. */
export function grouped<T extends { practitionerId: string }>(
  items: readonly T[],
  nameOf: (one: T) => string,
): Group<T>[] {
  const groups = new Map<string, Group<T>>()
  for (const one of items) {
    const { practitionerId } = one
    let group = groups.get(practitionerId)
    if (!group) groups.set(practitionerId, (group = { practitionerId, name: nameOf(one), items: [] }))
    group.items.push(one)
  }
  return [...groups.values()].sort((one, other) => one.name.localeCompare(other.name))
}

export const byStart = (one: { start: Instant }, other: { start: Instant }): number =>
  isBefore(one.start, other.start) ? -1 : isBefore(other.start, one.start) ? 1 : 0

/** What can still be booked. */
export const freeOf = (slots: readonly SlotTime[], now: Instant): SlotTime[] =>
  slots.filter((one) => one.status === 'free' && one.remaining > 0 && !isBefore(one.start, now)).sort(byStart)

/** The step that the desk takes next with an appointment, one click away. */
export function nextStep(one: BookedTime): 'check-in' | 'start' | 'complete' | null {
  if (one.status === 'booked' || one.status === 'confirmed') return 'check-in'
  if (one.status === 'arrived') return 'start'
  if (one.status === 'in-progress') return 'complete'
  return null
}
