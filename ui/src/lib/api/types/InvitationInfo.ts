// Written by hand after the contract; ts-rs will write this file.
export type InvitationInfo = { group: string | null, expires: number | null, ok: boolean, code: string | null, };
