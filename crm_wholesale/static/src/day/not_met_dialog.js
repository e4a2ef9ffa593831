import { Component, useState } from "@odoo/owl";
import { Dialog } from "@web/core/dialog/dialog";
import { _t } from "@web/core/l10n/translation";
import { useService } from "@web/core/utils/hooks";
import { shrinkPhoto } from "./photo";

/** Records that nobody was met, with a photo of the place. */
export class NotMetDialog extends Component {
    static template = "crm_wholesale.NotMetDialog";
    static components = { Dialog };
    static props = { visit: Object, confirm: Function, close: Function };

    setup() {
        this.notification = useService("notification");
        this.state = useState({ photo: null });
    }

    async onPhotoChosen(ev) {
        try {
            this.state.photo = await shrinkPhoto(ev.target.files[0]);
        } catch {
            this.notification.add(_t("This file is no photo."), { type: "danger" });
        }
    }

    onConfirm() {
        this.props.confirm(this.state.photo);
        this.props.close();
    }
}
