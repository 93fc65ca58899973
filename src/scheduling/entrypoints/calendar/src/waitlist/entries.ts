/** Who waits, and for what: as the desk of one clinic looks at it. */
import type { components } from '~/api/schema'
import { type Instant, isBefore, minutesBetween } from '~/time/zoned'

type Schemas = components['schemas']
export type Entry = Schemas['WaitlistEntryView']
export type Offer = Schemas['WaitlistOfferView']
export type EntryStatus = Schemas['WaitlistStatus']
export type FreeTime = Schemas['AvailableSlotView']

/** Steps of the desk's choice; the API takes any whole number. */
export const PRIORITIES = { low: -10, normal: 0, high: 10, urgent: 100 } as const
export type PriorityName = keyof typeof PRIORITIES

export const priorityName = (priority: number): PriorityName | null =>
  (Object.keys(PRIORITIES) as PriorityName[]).find((name) => PRIORITIES[name] === priority) ?? null

/** Whether time at the clinic would do; who names no clinic would go to any. */
export const wantsClinic = (entry: Entry, clinicId: string): boolean =>
  !entry.locationIds.length || entry.locationIds.includes(clinicId)

/** As time is offered: by priority, then who has waited longest. */
export const ranked = (entries: readonly Entry[]): Entry[] =>
  [...entries].sort(
    (one, other) => other.priority - one.priority || (isBefore(one.createdAt, other.createdAt) ? -1 : 1),
  )

/** Minutes that an offer is still kept for, 0 once it has run out. */
export const minutesLeft = (offer: Offer, now: Instant): number => {
  if (!isBefore(now, offer.expiresAt)) return 0
  return Math.max(1, minutesBetween(now, offer.expiresAt))
}

/** What is asked for times that suit a wish: of the clinic at hand where it would do. */
export function wishedTimes(entry: Entry, clinicId: string, now: Instant) {
  return {
    practitionerId: entry.practitionerIds,
    locationId: wantsClinic(entry, clinicId) ? [clinicId] : entry.locationIds,
    ...(entry.serviceType ? { serviceType: entry.serviceType } : {}),
    patientId: entry.patientId,
    from: isBefore(entry.earliest, now) ? now : entry.earliest,
  }
}

/** Of found times, those that end within the wish. */
export const within = (times: readonly FreeTime[], entry: Entry): FreeTime[] =>
  times.filter((one) => !isBefore(entry.latest, one.end) && !isBefore(one.start, entry.earliest))

/** What a booking from the list is called, before somebody says otherwise. */
export const typeFor = (entry: { serviceType: string | null }, services: readonly string[] = []): string =>
  entry.serviceType ?? services[0] ?? ''
