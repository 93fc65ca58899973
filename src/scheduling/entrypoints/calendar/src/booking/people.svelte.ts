/** Names of practitioners, those of other clinics among them, whom the desk does not know. */
import { SvelteMap } from 'svelte/reactivity'
import { answered, api } from '~/api/client'
import { desk } from '~/app/desk.svelte'

class People {
  private readonly names = new SvelteMap<string, string>()
  private readonly asked = new Set<string>()

  /** The name; the empty text until it is known. */
  nameOf(id: string): string {
    const known = desk.practitioners.find((one) => one.id === id)?.name ?? this.names.get(id)
    if (known === undefined) void this.ask(id)
    return known ?? ''
  }

  private async ask(id: string): Promise<void> {
    if (this.asked.has(id)) return
    this.asked.add(id)
    try {
      const one = await answered(api.GET('/v1/practitioners/{id}', { params: { path: { id } } }))
      this.names.set(id, one.name)
    } catch {
      this.names.set(id, id)
    }
  }
}

export const people = new People()

export const clinicOf = (locationId: string) => desk.clinics.find((one) => one.id === locationId)
export const zoneOf = (locationId: string): string => clinicOf(locationId)?.timezone ?? desk.zone
