/**
 * What somebody at the desk may do with a visit: by its status, and by what they may.
 * The server decides; this hides what it would refuse.
 */
import type { Appointment, Status } from '~/api/client'
import type { Scope } from '~/signin/claims'
import { dayOf, isBefore, type Instant } from '~/time/zoned'

/** The steps of a visit's life, as the domain has them */
const NEXT: Record<Status, readonly Status[]> = {
  proposed: ['booked', 'pending', 'cancelled'],
  pending: ['booked', 'cancelled'],
  booked: ['arrived', 'confirmed', 'no-show', 'cancelled'],
  confirmed: ['arrived', 'no-show', 'cancelled'],
  arrived: ['in-progress', 'completed', 'no-show', 'cancelled'],
  'in-progress': ['completed'],
  completed: [],
  cancelled: [],
  'no-show': [],
  'entered-in-error': [],
}
const MOVABLE: readonly Status[] = ['pending', 'booked', 'confirmed']
const CLOSED: readonly Status[] = ['cancelled', 'no-show', 'entered-in-error']

export interface Step {
  to: Status
  /** What follows most often: the button that stands out */
  usual: boolean
}

export interface Possible {
  steps: Step[]
  move: boolean
  edit: boolean
  cancel: boolean
  /** Take it out of the books: it should never have been. */
  mistake: boolean
}

type Visit = Pick<Appointment, 'status' | 'start' | 'timezone' | 'holdExpiresAt'>

export function possible(visit: Visit, may: (scope: Scope) => boolean, now: Instant): Possible {
  const { status } = visit
  const books = may('scheduling:book') && !hasRunOut(visit, now)
  const today = dayOf(visit.start, visit.timezone) === dayOf(now, visit.timezone)
  const begun = !isBefore(now, visit.start)
  const next = NEXT[status].filter(
    // Nobody has stayed away from what is still to come: who says so beforehand cancels.
    (to) => to !== 'cancelled' && to !== 'pending' && (to !== 'no-show' || begun),
  )
  const back: Status[] = status === 'no-show' && today && may('scheduling:manage') ? ['arrived'] : []
  const usual = today || status === 'proposed' || status === 'pending' ? next[0] : null
  return {
    steps: books ? [...next, ...back].map((to) => ({ to, usual: to === usual })) : [],
    move: books && MOVABLE.includes(status),
    edit: books && !CLOSED.includes(status),
    cancel: books && NEXT[status].includes('cancelled'),
    mistake: may('scheduling:book') && may('scheduling:manage') && status !== 'entered-in-error',
  }
}

/** A hold that has run out takes no time, though it may not have been swept yet. */
export const hasRunOut = (visit: Pick<Visit, 'status' | 'holdExpiresAt'>, now: Instant): boolean =>
  visit.status === 'pending' && visit.holdExpiresAt !== null && !isBefore(now, visit.holdExpiresAt)
