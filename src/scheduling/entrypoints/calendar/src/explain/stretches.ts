/** Parts of a day and why they can be had or not, told as one tells them: like to like. */
import type { components } from '~/api/schema'
import type { Instant } from '~/time/zoned'

export type Stretch = components['schemas']['StretchView']
export type Reason = components['schemas']['Reason']

/** Neighbours of which the same is to be said */
export interface Part {
  start: Instant
  end: Instant
  offered: boolean
  reasons: Reason[]
  /** Of the slots among them, by start; none where there is no slot */
  slotIds: string[]
}

/** Cut time without a slot at these instants; a slot stays whole, whatever day it ends on. */
export function cutAt(stretches: readonly Stretch[], instants: readonly Instant[]): Stretch[] {
  return instants.reduce<Stretch[]>(
    (all, at) =>
      all.flatMap((one) => {
        const within = Date.parse(one.start) < Date.parse(at) && Date.parse(at) < Date.parse(one.end)
        return within && one.slotId === null ? [{ ...one, end: at }, { ...one, start: at }] : [one]
      }),
    [...stretches],
  )
}

const same = (one: Part, other: Stretch): boolean =>
  one.offered === other.offered &&
  one.slotIds.length > 0 === (other.slotId !== null) &&
  one.reasons.join() === other.reasons.join()

/** Join stretches that follow each other and are alike; `dayOf` keeps days apart. */
export function parts(stretches: readonly Stretch[], dayOf: (at: Instant) => string): Part[] {
  const joined: Part[] = []
  for (const one of stretches) {
    const last = joined.at(-1)
    const ids = one.slotId === null ? [] : [one.slotId]
    const follows = last && Date.parse(one.start) <= Date.parse(last.end) && dayOf(last.start) === dayOf(one.start)
    if (follows && same(last, one)) {
      if (Date.parse(one.end) > Date.parse(last.end)) last.end = one.end
      last.slotIds.push(...ids)
    } else {
      const { start, end, offered, reasons } = one
      joined.push({ start, end, offered, reasons: [...reasons], slotIds: ids })
    }
  }
  return joined
}

export type Remedy = 'exception' | 'extra' | 'unblock' | 'waitlist' | 'settings' | 'directory'

const REMEDIES: Record<Reason, Remedy> = {
  PRACTITIONER_INACTIVE: 'directory',
  LOCATION_INACTIVE: 'directory',
  ROLE_INACTIVE: 'directory',
  NO_RULE: 'extra',
  OUTSIDE_HOURS: 'extra',
  EXCEPTION: 'exception',
  MIN_NOTICE: 'settings',
  BEYOND_HORIZON: 'settings',
  BOOKED: 'waitlist',
  HELD: 'waitlist',
  CAPACITY_FULL: 'waitlist',
  BUFFER: 'settings',
  PATIENT_CONFLICT: 'waitlist',
  RESOURCE_CONFLICT: 'waitlist',
  LIMIT_REACHED: 'settings',
}

/**
 * What would have to be done first: the reasons come in the order of the rules, and the
 * time that has passed is not to be had whatever one does.
 */
export function remedyOf(part: Part, isOver: boolean): Remedy | null {
  const [first] = part.reasons
  if (!first || isOver) return null
  if (first === 'EXCEPTION' && part.slotIds.length === 1) return 'unblock'
  return REMEDIES[first]
}
