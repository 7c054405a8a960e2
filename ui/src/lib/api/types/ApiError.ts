// Written by hand after the contract; ts-rs will write this file.
export type ApiError = { code: string, about: string | null, };
