/** Names something that is done once, however often it is sent. (`crypto.randomUUID` is not there where the page came over plain HTTP.) */
export const drawOnce = (): string => Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, '0')).join('');
