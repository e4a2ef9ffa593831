import { getDataURLFromFile } from "@web/core/utils/urls";

export const MAX_PHOTO_SIZE = 1600;
const JPEG_QUALITY = 0.8;

/**
 * Makes a photo small enough for a telephone line: upright as it was taken, its longer side at
 * most {@link MAX_PHOTO_SIZE} pixels, and without the place and the device that cameras write
 * into it.
 *
 * @param {File} file a picture that the browser can show
 * @returns {Promise<{name: string, data: string}>} a JPEG in base64
 */
export async function shrinkPhoto(file) {
    const bitmap = await createImageBitmap(file, { imageOrientation: "from-image" });
    const scale = Math.min(1, MAX_PHOTO_SIZE / Math.max(bitmap.width, bitmap.height));
    const canvas = document.createElement("canvas");
    canvas.width = Math.max(1, Math.round(bitmap.width * scale));
    canvas.height = Math.max(1, Math.round(bitmap.height * scale));
    const context = canvas.getContext("2d");
    context.fillStyle = "white"; // what is transparent would become black
    context.fillRect(0, 0, canvas.width, canvas.height);
    context.drawImage(bitmap, 0, 0, canvas.width, canvas.height);
    bitmap.close();
    const blob = await new Promise((resolve) => canvas.toBlob(resolve, "image/jpeg", JPEG_QUALITY));
    const url = await getDataURLFromFile(blob);
    return { name: file.name.replace(/\.\w+$/, "") + ".jpg", data: url.split(",", 2)[1] };
}
