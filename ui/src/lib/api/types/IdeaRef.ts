// Written by hand after the contract; ts-rs will write this file.
export type IdeaRef = { id: string, plate: number | null, title: string, };
