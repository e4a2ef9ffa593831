import { Component, onWillUnmount, useExternalListener, useRef, useState } from "@odoo/owl";
import { AutoComplete } from "@web/core/autocomplete/autocomplete";
import { ConfirmationDialog } from "@web/core/confirmation_dialog/confirmation_dialog";
import { _t } from "@web/core/l10n/translation";
import { useService } from "@web/core/utils/hooks";
import { useDebounced } from "@web/core/utils/timing";
import { getDimensionLabels, getSizeQuestions, readNumber, SIZES } from "./measurement";
import { shrinkPhoto } from "./photo";

/**
 * One measurement being entered. What is typed is handed on at once, to be kept in the browser;
 * "Save" asks back about sizes that are not usual.
 */
export class MeasurementForm extends Component {
    static template = "crm_wholesale.MeasurementForm";
    static components = { AutoComplete };
    static props = {
        line: Object,
        ranges: Array,
        former: { type: [Object, { value: false }], optional: true },
        searchProducts: Function,
        onChange: Function,
        onSave: Function,
        onBack: Function,
        onDiscard: Function,
    };

    setup() {
        this.dialog = useService("dialog");
        this.notification = useService("notification");
        this.placeRef = useRef("place");
        this.sizes = SIZES;
        this.labels = getDimensionLabels();
        this.state = useState({
            fields: { ...this.props.line.fields },
            photos: [...this.props.line.photos],
            problem: this.props.line.refusal,
            questions: [],
        });
        this.keepSoon = useDebounced(() => this.keep(), 200);
        onWillUnmount(() => this.isClosed || this.keep());
        useExternalListener(window, "pagehide", () => this.keep());
    }

    get sources() {
        return [
            {
                placeholder: _t("Searching…"),
                options: async (request) =>
                    (await this.props.searchProducts(request)).map((product) => ({
                        label: product.name,
                        onSelect: () => this.onProductSelected(product),
                    })),
            },
        ];
    }

    get values() {
        const { place, note, product, count } = this.state.fields;
        const sizes = SIZES.map((name) => [name, readNumber(this.state.fields[name])]);
        return {
            place: place.trim(),
            note: note.trim(),
            product_id: product ? product.id : false,
            count: readNumber(count),
            ...Object.fromEntries(sizes),
        };
    }

    keep(values = {}) {
        const { fields, photos } = this.state;
        this.props.onChange({ fields: { ...fields }, photos: [...photos], ...values });
    }

    onProductSelected(product) {
        this.state.fields.product = product;
        this.keep();
    }

    onProductChanged({ inputValue }) {
        if (!inputValue) {
            this.onProductSelected(false);
        }
    }

    onTyped(name, value) {
        this.state.fields[name] = value;
        this.state.questions = [];
        this.keepSoon();
    }

    async onPhotosChosen(ev) {
        for (const file of ev.target.files) {
            try {
                this.state.photos.push(await shrinkPhoto(file));
            } catch {
                this.notification.add(_t("“%s” is no photo.", file.name), { type: "danger" });
            }
        }
        ev.target.value = "";
        this.keep();
    }

    onPhotoRemoved(index) {
        this.state.photos.splice(index, 1);
        this.keep();
    }

    /** Saves, unless something is missing or is still to be asked. */
    onSave(isConfirmed) {
        const values = this.values;
        this.state.problem = this.getProblem(values);
        if (this.state.problem) {
            return;
        }
        this.state.questions = getSizeQuestions(values, this.props.ranges);
        if (this.state.questions.length && !isConfirmed) {
            return;
        }
        values.confirmed_odd = Boolean(this.state.questions.length);
        this.close();
        this.keep({ values, isReady: true });
        this.props.onSave();
    }

    getProblem(values) {
        if (!values.place) {
            return _t("Say where this was measured.");
        }
        for (const name of SIZES) {
            if (!(values[name] >= 0)) {
                return _t("%s is no size.", this.labels[name]);
            }
        }
        if (!(values.count >= 1) || !Number.isInteger(values.count)) {
            return _t("Enter how many pieces there are: at least one.");
        }
        return "";
    }

    onCorrect() {
        this.state.questions = [];
        this.placeRef.el.closest("form").querySelector("input[inputmode=decimal]").focus();
    }

    onBack() {
        this.close();
        this.keep();
        this.props.onBack();
    }

    onDiscard() {
        this.dialog.add(ConfirmationDialog, {
            title: _t("Discard the measurement?"),
            body: _t("What you have typed here is not kept."),
            confirmLabel: _t("Discard"),
            confirm: () => {
                this.close();
                this.props.onDiscard();
            },
            cancelLabel: _t("Keep"),
            cancel: () => {},
        });
    }

    close() {
        this.isClosed = true;
        this.keepSoon.cancel();
    }
}
