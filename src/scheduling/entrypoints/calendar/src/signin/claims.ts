/**
 * What the access token says of its bearer. It is read to hide and disable what the
 * server would refuse anyway, never to allow anything.
 */
export type Scope =
  | 'scheduling:read'
  | 'scheduling:book'
  | 'scheduling:manage'
  | 'scheduling:override'
  | 'scheduling:admin'

export interface Claims {
  subject: string
  name: string | null
  tenantId: string
  practitionerId: string | null
  scopes: ReadonlySet<string>
  /** Seconds since 1970 */
  expires: number
}

export function claimsOf(token: string): Claims {
  const payload = token.split('.')[1]
  if (!payload) throw new Error('the access token is no JWT')
  const bytes = Uint8Array.from(
    atob(payload.replaceAll('-', '+').replaceAll('_', '/')),
    (character) => character.charCodeAt(0),
  )
  const said = JSON.parse(new TextDecoder().decode(bytes)) as Record<string, unknown>
  const text = (name: string) => (typeof said[name] === 'string' ? (said[name] as string) : null)
  return {
    subject: text('sub') ?? '',
    name: text('name'),
    tenantId: text('tenant_id') ?? '',
    practitionerId: text('practitioner_id'),
    scopes: new Set((text('scope') ?? '').split(' ')),
    expires: typeof said.exp === 'number' ? said.exp : 0,
  }
}
