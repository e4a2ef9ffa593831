import { Activity } from "@mail/core/common/activity_model";
import { fields } from "@mail/core/common/record";

import { toLocaleDateTimeString } from "@web/core/l10n/dates";
import { patch } from "@web/core/utils/patch";

/** @type {import("models").Activity} */
const activityPatch = {
    setup() {
        super.setup(...arguments);
        this.due_at = fields.Datetime();
    },
    get dateDeadlineFormatted() {
        return this.due_at ? toLocaleDateTimeString(this.due_at) : super.dateDeadlineFormatted;
    },
    /** The hour and minute at which the activity is due, for the reader; empty if only a day is. */
    get dueTimeFormatted() {
        return toLocaleDateTimeString(this.due_at, { showDate: false });
    },
    /** The day on which the activity is due, for the reader when it has a minute. */
    get dueDay() {
        return this.due_at ? this.due_at.startOf("day") : this.date_deadline;
    },
};
patch(Activity.prototype, activityPatch);
