import { Activity } from "@mail/core/web/activity";
import { computeDelay } from "@mail/utils/common/dates";

import { patch } from "@web/core/utils/patch";

/** @type {Activity} */
const activityPatch = {
    get delay() {
        return computeDelay(this.props.activity.dueDay);
    },
};
patch(Activity.prototype, activityPatch);
