import { _t } from "@web/core/l10n/translation";

export const SIZES = ["width", "height", "depth"];

/** Returns the number typed with a comma or a point: 0 for nothing, NaN for no number. */
export function readNumber(text) {
    return Number(text.replace(/\s/g, "").replace(",", "."));
}

/** Returns the names of dimensions; translated when asked, not when loaded. */
export function getDimensionLabels() {
    return { width: _t("Width"), height: _t("Height"), depth: _t("Depth") };
}

/**
 * Returns a question for each size outside its usual range.
 *
 * @param {Object} values sizes in millimetres; 0 is not measured
 * @param {{dimension: string, minimum: number, maximum: number}[]} ranges
 */
export function getSizeQuestions(values, ranges) {
    const labels = getDimensionLabels();
    return ranges
        .filter(({ dimension, minimum, maximum }) => {
            const size = values[dimension];
            return size && (size < minimum || size > maximum);
        })
        .map(({ dimension, minimum, maximum }) =>
            _t("%(dimension)s %(size)s mm? Usual is %(minimum)s to %(maximum)s.", {
                dimension: labels[dimension],
                size: values[dimension],
                minimum,
                maximum,
            }),
        );
}

/** Returns sizes and pieces in one line: "1200 × 1450 mm, 2 pcs". */
export function describeSizes(values) {
    const sizes = SIZES.map((name) => values[name]).filter(Boolean);
    const parts = [sizes.length ? _t("%s mm", sizes.join(" × ")) : ""];
    if (values.count > 1) {
        parts.push(_t("%s pcs", values.count));
    }
    return parts.filter(Boolean).join(", ");
}
