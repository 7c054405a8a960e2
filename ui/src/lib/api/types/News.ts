// Written by hand after the contract; ts-rs will write this file.
import type { ProgressWhat } from "./ProgressWhat";

export type News = { "event": "changed", group: string } | { "event": "contacts" } | { "event": "joined", group: string, code: string } | { "event": "door" } | { "event": "progress", what: ProgressWhat, step: string };
