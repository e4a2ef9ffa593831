import { describeSizes, getSizeQuestions, readNumber } from "@crm_wholesale/day/measurement";

import { beforeEach, describe, expect, test } from "@odoo/hoot";
import { allowTranslations } from "@web/../tests/web_test_helpers";

describe.current.tags("headless");
beforeEach(allowTranslations);

const RANGES = [{ dimension: "width", minimum: 300, maximum: 6000 }];

test("numbers are read with a comma, a point and blanks", () => {
    for (const [text, number] of [
        ["", 0],
        ["0,2", 0.2],
        ["0.2", 0.2],
        ["1 200", 1200],
        [" 1450,5 ", 1450.5],
    ]) {
        expect(readNumber(text)).toBe(number);
    }
    expect(readNumber("1x")).toBe(NaN);
});

test("a size outside its usual range is questioned", () => {
    for (const [width, count] of [
        [0, 0],
        [0.2, 1],
        [299.9, 1],
        [300, 0],
        [6000, 0],
        [6000.1, 1],
    ]) {
        expect(getSizeQuestions({ width, height: 0.2 }, RANGES)).toHaveLength(count);
    }
});

test("the question names size and range", () => {
    expect(String(getSizeQuestions({ width: 0.2 }, RANGES)[0])).toBe(
        "Width 0.2 mm? Usual is 300 to 6000.",
    );
});

test("sizes and pieces in one line", () => {
    expect(describeSizes({ width: 1200, height: 1450, depth: 0, count: 2 })).toBe(
        "1200 × 1450 mm, 2 pcs",
    );
    expect(describeSizes({ width: 0, height: 0, depth: 0, count: 1 })).toBe("");
});
