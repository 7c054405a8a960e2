import decodeQR from 'qr/decode.js';
import { KiezError } from '$lib/api';

/** The text of a code on a picture. Looks at it in a few sizes: photographs are larger than the reader likes. */
export async function readCode(file: Blob): Promise<string> {
  let picture: ImageBitmap;
  try {
    picture = await createImageBitmap(file);
  } catch {
    throw new KiezError('no-code-in-image');
  }
  try {
    for (const longest of [1000, 600, 1600]) {
      const scale = Math.min(1, longest / Math.max(picture.width, picture.height));
      const canvas = document.createElement('canvas');
      canvas.width = Math.max(1, Math.round(picture.width * scale));
      canvas.height = Math.max(1, Math.round(picture.height * scale));
      const pen = canvas.getContext('2d', { willReadFrequently: true });
      if (!pen) break;
      pen.fillStyle = '#fff';
      pen.fillRect(0, 0, canvas.width, canvas.height);
      pen.drawImage(picture, 0, 0, canvas.width, canvas.height);
      try {
        return decodeQR(pen.getImageData(0, 0, canvas.width, canvas.height));
      } catch {
        /* Not in this size. */
      }
    }
  } finally {
    picture.close();
  }
  throw new KiezError('no-code-in-image');
}
