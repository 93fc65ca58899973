/** Sign-in of `scheduling dev`: choose who to be; the server mints a short-lived token. */
import { Refusal } from '~/api/refusal'
import type { Persona } from '~/signin/config'

const REMEMBERED = 'scheduling.persona'

export const rememberedPersona = () => sessionStorage.getItem(REMEMBERED) as Persona | null

export function rememberPersona(persona: Persona | null): void {
  if (persona) sessionStorage.setItem(REMEMBERED, persona)
  else sessionStorage.removeItem(REMEMBERED)
}

export async function personaToken(persona: Persona): Promise<string> {
  const answer = await fetch(`/calendar/personas/${persona}/token`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: '{}',
  }).catch(() => null)
  if (!answer) throw Refusal.unreachable()
  if (!answer.ok) throw await Refusal.from(answer)
  return ((await answer.json()) as { token: string }).token
}
