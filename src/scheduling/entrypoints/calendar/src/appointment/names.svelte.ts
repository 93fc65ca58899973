/** Names of those who are not of this desk: asked for once, shown when they are known. */
import { SvelteMap } from 'svelte/reactivity'
import { answered, api } from '~/api/client'
import { desk } from '~/app/desk.svelte'

class Names {
  private readonly known = new SvelteMap<string, string>()
  private readonly asked = new Set<string>()

  practitioner(id: string): string {
    const here = desk.practitioners.find((one) => one.id === id)
    const params = { path: { id } }
    return here?.name ?? this.of(id, () => answered(api.GET('/v1/practitioners/{id}', { params })))
  }

  clinic(id: string): string {
    const here = desk.clinics.find((one) => one.id === id)
    const params = { path: { id } }
    return here?.name ?? this.of(id, () => answered(api.GET('/v1/locations/{id}', { params })))
  }

  private of(id: string, ask: () => Promise<{ name: string }>): string {
    if (!this.asked.has(id)) {
      this.asked.add(id)
      // Where it cannot be had, the id stands: better than nothing.
      ask().then(
        (one) => this.known.set(id, one.name),
        () => this.known.set(id, id),
      )
    }
    return this.known.get(id) ?? '…'
  }
}

export const names = new Names()
