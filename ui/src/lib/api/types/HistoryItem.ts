// Written by hand after the contract; ts-rs will write this file.
import type { HistoryWhat } from "./HistoryWhat";
import type { Person } from "./Person";

export type HistoryItem = { at: number, by: Person | null, what: HistoryWhat, text: string, };
