import { Notification } from "@mail/core/common/notification_model";
import { _t } from "@web/core/l10n/translation";
import { patch } from "@web/core/utils/patch";

/** Says in words why a gateway did not take an SMS. */
const notificationPatch = {
    get failureMessage() {
        const label = this.gatewayFailureLabel;
        if (!label) {
            return super.failureMessage;
        }
        return this.failure_reason
            ? _t("%(label)s: %(reason)s", { label, reason: this.failure_reason })
            : label;
    },
    get gatewayFailureLabel() {
        switch (this.failure_type) {
            case "gateway_refused":
                return _t("Refused by the Gateway");
            case "gateway_unreached":
                return _t("Gateway Not Reached");
            case "gateway_setup":
                return _t("Gateway Not Set Up");
            case "gateway_unknown":
                return _t("Result Unknown");
        }
        return "";
    },
};
patch(Notification.prototype, notificationPatch);
