/** Free times, as the server has them now. */
import { answered, api, type FreeTime, type SlotTime } from '~/api/client'
import { LONGEST } from '~/booking/lengths'
import { addMinutes } from '~/time/zoned'

/** The slot of a free time as it stands now. */
export const slotOf = (free: FreeTime): Promise<SlotTime> =>
  answered(api.GET('/v1/slots/{id}', { params: { path: { id: free.slotId } } }))

/** What is free of the practitioner after the slot, in time for a long visit. */
export async function freeAfter(slot: SlotTime): Promise<FreeTime[]> {
  const { items } = await answered(
    api.GET('/v1/availability', {
      params: {
        query: {
          practitionerId: slot.practitionerId,
          locationId: slot.locationId,
          from: slot.start,
          to: addMinutes(slot.start, LONGEST),
          limit: 200,
        },
      },
    }),
  )
  return items
}
