/** How one signs in here, as the server says in /calendar/config.json. */
export type SignIn =
  | { kind: 'personas'; personas: Persona[] }
  | {
      kind: 'openid'
      authority: string
      clientId: string
      scope: string
      resource: string | null
    }
  | { kind: 'none' }

export type Persona = 'front-desk' | 'practitioner' | 'administrator'

export async function readConfig(): Promise<{ signIn: SignIn }> {
  const answer = await fetch('/calendar/config.json', { cache: 'no-store' })
  if (!answer.ok) throw new Error(`config.json: ${answer.status}`)
  return (await answer.json()) as { signIn: SignIn }
}
