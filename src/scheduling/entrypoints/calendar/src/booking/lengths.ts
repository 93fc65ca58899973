/** How long one can book from a free time on. */
import type { FreeTime, SlotTime } from '~/api/client'
import { type Instant, minutesBetween } from '~/time/zoned'

export const LONGEST = 4 * 60
/** Minutes; who wants more books twice. */

/**
 * The lengths in minutes that can be had from the slot's start on: the slot's own, and
 * one for each free slot of the same schedule that follows without a gap. A seat in a
 * group is as long as the group.
 */
export function lengthsFrom(slot: SlotTime, free: readonly FreeTime[]): number[] {
  const lengths = [minutesBetween(slot.start, slot.end)]
  if (slot.capacity > 1) return lengths
  let end: Instant = slot.end
  for (;;) {
    const next = free.find((one) => one.scheduleId === slot.scheduleId && same(one.start, end))
    if (!next) return lengths
    const length = minutesBetween(slot.start, next.end)
    if (length > LONGEST) return lengths
    lengths.push(length)
    end = next.end
  }
}

/** RFC 3339 writes one instant in several ways. */
const same = (one: Instant, other: Instant): boolean => Date.parse(one) === Date.parse(other)
