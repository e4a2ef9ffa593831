import { shrinkPhoto } from "@crm_wholesale/day/photo";

import { describe, expect, test } from "@odoo/hoot";

describe.current.tags("headless");

/** Orientation 6 of EXIF: the camera was turned by 90 degrees. */
const TURNED = [
    0xff, 0xe1, 0x00, 0x22, 0x45, 0x78, 0x69, 0x66, 0x00, 0x00, 0x4d, 0x4d, 0x00, 0x2a, 0x00, 0x00,
    0x00, 0x08, 0x00, 0x01, 0x01, 0x12, 0x00, 0x03, 0x00, 0x00, 0x00, 0x01, 0x00, 0x06, 0x00, 0x00,
    0x00, 0x00, 0x00, 0x00,
];

/** Returns a photo of noise, which hardly compresses; its upper left quarter is black. */
async function takePhoto(width, height, segment = []) {
    const canvas = document.createElement("canvas");
    canvas.width = width;
    canvas.height = height;
    const context = canvas.getContext("2d");
    const image = context.createImageData(width, height);
    const noise = new Uint32Array(image.data.buffer);
    for (let index = 0; index < noise.length; index++) {
        noise[index] = 0xff000000 | (Math.random() * 0xffffff) | 0x808080;
    }
    context.putImageData(image, 0, 0);
    context.fillRect(0, 0, width / 2, height / 2);
    const blob = await new Promise((resolve) => canvas.toBlob(resolve, "image/jpeg", 0.95));
    const bytes = new Uint8Array(await blob.arrayBuffer());
    // After the two bytes with which a JPEG begins.
    const parts = [bytes.slice(0, 2), new Uint8Array(segment), bytes.slice(2)];
    return new File(parts, "kitchen.window.jpeg", { type: "image/jpeg" });
}

async function open({ data }) {
    const bytes = Uint8Array.from(atob(data), (char) => char.charCodeAt(0));
    const blob = new Blob([bytes], { type: "image/jpeg" });
    const bitmap = await createImageBitmap(blob);
    return { bytes, width: bitmap.width, height: bitmap.height, bitmap };
}

/** Returns whether the point (in quarters) is dark. */
function isDark(bitmap, x, y) {
    const canvas = document.createElement("canvas");
    canvas.width = bitmap.width;
    canvas.height = bitmap.height;
    const context = canvas.getContext("2d");
    context.drawImage(bitmap, 0, 0);
    const [red] = context.getImageData((bitmap.width * x) / 4, (bitmap.height * y) / 4, 1, 1).data;
    return red < 64;
}

test("a large photo becomes small", async () => {
    const file = await takePhoto(4000, 3000);
    const photo = await shrinkPhoto(file);
    const { bytes, width, height } = await open(photo);
    expect(photo.name).toBe("kitchen.window.jpg");
    expect([width, height]).toEqual([1600, 1200]);
    expect(bytes.length).toBeLessThan(file.size / 5);
});

test("a small photo keeps its size", async () => {
    const { width, height } = await open(await shrinkPhoto(await takePhoto(640, 480)));
    expect([width, height]).toEqual([640, 480]);
});

test("a photo stands upright, and says nothing of the camera", async () => {
    const { bytes, width, height, bitmap } = await open(
        await shrinkPhoto(await takePhoto(2400, 1600, TURNED)),
    );
    expect([width, height]).toEqual([1067, 1600]);
    expect(isDark(bitmap, 3, 1)).toBe(true, { message: "turned to the right" });
    expect(isDark(bitmap, 1, 1)).toBe(false);
    expect(new TextDecoder("latin1").decode(bytes)).not.toInclude("Exif");
});

test("what is no photo is refused", async () => {
    const file = new File(["%PDF-1.7"], "plan.pdf", { type: "application/pdf" });
    await expect(shrinkPhoto(file)).rejects.toThrow();
});
