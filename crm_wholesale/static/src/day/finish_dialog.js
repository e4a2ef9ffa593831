import { Component, useState } from "@odoo/owl";
import { Dialog } from "@web/core/dialog/dialog";

/** Asks for the measurer's note before a visit is finished. */
export class FinishDialog extends Component {
    static template = "crm_wholesale.FinishDialog";
    static components = { Dialog };
    static props = { visit: Object, confirm: Function, close: Function };

    setup() {
        this.state = useState({ note: this.props.visit.note });
    }

    onConfirm() {
        this.props.confirm(this.state.note.trim());
        this.props.close();
    }
}
