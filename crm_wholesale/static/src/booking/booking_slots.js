import { Component, onWillUnmount, useEffect, useRef, useState } from "@odoo/owl";
import { deserializeDateTime, serializeDateTime } from "@web/core/l10n/dates";
import { _t } from "@web/core/l10n/translation";
import { rpcBus } from "@web/core/network/rpc";
import { registry } from "@web/core/registry";
import { KeepLast } from "@web/core/utils/concurrency";
import { useService } from "@web/core/utils/hooks";
import { useRecordObserver } from "@web/model/relational_model/utils";
import { standardWidgetProps } from "@web/views/widgets/standard_widget_props";

/** The fields of the booking on which the free slots depend. */
const SLOT_FIELDS = [
    ...["type_id", "duration", "urgent", "window_hours", "earliest", "latest", "tz"],
    ...["zip", "city", "country_id", "latitude", "longitude"],
];

/** The free slots for the visit that is being booked: the best ones large, then all by day. */
export class BookingSlots extends Component {
    static template = "crm_wholesale.BookingSlots";
    static props = { ...standardWidgetProps };

    setup() {
        this.orm = useService("orm");
        this.keepLast = new KeepLast();
        this.root = useRef("root");
        this.parts = { morning: _t("Morning"), afternoon: _t("Afternoon"), evening: _t("Evening") };
        this.filters = useState({ measurer_id: false, part: false, week: 0 });
        this.state = useState({ answer: null, reasons: null, loading: true, focused: null });
        let asked;
        useRecordObserver((record) => {
            const question = JSON.stringify(SLOT_FIELDS.map((name) => record.data[name]));
            if (question !== asked) {
                asked = question;
                this.load();
            }
        });
        useEffect(
            (answered) => answered && this.slots[0]?.focus(),
            () => [Boolean(this.state.answer)],
        );
        const loadAfterRefusal = ({ detail }) => {
            if (detail.error && detail.data.params?.method === "action_book") {
                this.load();
            }
        };
        rpcBus.addEventListener("RPC:RESPONSE", loadAfterRefusal);
        onWillUnmount(() => rpcBus.removeEventListener("RPC:RESPONSE", loadAfterRefusal));
    }

    /** The buttons of all slots shown, in order. */
    get slots() {
        return [...this.root.el.querySelectorAll(".o_crm_slot")];
    }

    get chosen() {
        return this.props.record.data.start && this.props.record.data;
    }

    isChosen(slot) {
        return (
            this.chosen &&
            this.chosen.measurer_id?.id === slot.measurer.id &&
            serializeDateTime(this.chosen.start) === slot.start
        );
    }

    /** Why the chosen slot is a good one, where it is one of those shown. */
    get reason() {
        const { suggestions, nearest, days } = this.state.answer;
        const listed = days.flatMap((day) => Object.values(day.parts).flat());
        return [...suggestions, ...nearest, ...listed].find((slot) => this.isChosen(slot))?.reason;
    }

    async load() {
        this.state.loading = true;
        this.state.reasons = null;
        const answer = await this.keepLast.add(this.ask("get_slots", { ...this.filters }));
        Object.assign(this.state, { answer, loading: false, focused: null });
    }

    /** Asks the server about what stands on the screen, saved or not. */
    async ask(method, kwargs) {
        const { record } = this.props;
        const values = await record.getChanges({ withReadonly: true });
        const ids = record.resId ? [record.resId] : [];
        return this.orm.call(record.resModel, method, [ids, values], kwargs);
    }

    filter(values) {
        Object.assign(this.filters, { week: 0, ...values });
        this.load();
    }

    /** @param {Event} ev a click; by the keyboard it leads on to the button that books */
    async choose(ev, slot) {
        await this.props.record.update({
            measurer_id: slot.measurer,
            start: deserializeDateTime(slot.start),
        });
        if (ev.detail === 0) {
            this.root.el.closest(".modal")?.querySelector("button[name=action_book]")?.focus();
        }
    }

    async toggleReasons() {
        if (this.state.reasons) {
            this.state.reasons = null;
            return;
        }
        const start = this.chosen
            ? serializeDateTime(this.chosen.start)
            : this.state.answer.suggestions[0]?.start;
        this.state.reasons = await this.ask("get_reasons", {
            start: start || false,
            week: this.filters.week,
        });
    }

    /** Moves the focus through the slots: along the row, and to the nearest in the next row. */
    onKeydown(ev) {
        const here = ev.target.closest(".o_crm_slot");
        if (!here) {
            return;
        }
        const { slots } = this;
        const index = slots.indexOf(here);
        const target = {
            ArrowRight: () => slots[index + 1],
            ArrowLeft: () => slots[index - 1],
            ArrowDown: () => this.findNearest(here, slots.slice(index + 1)),
            ArrowUp: () => this.findNearest(here, slots.slice(0, index)),
            Home: () => slots[0],
            End: () => slots.at(-1),
        }[ev.key]?.();
        if (target) {
            ev.preventDefault();
            ev.stopPropagation();
            target.focus();
        }
    }

    /** The slot of another row that is nearest to ``here``, rows first. */
    findNearest(here, slots) {
        const from = here.getBoundingClientRect();
        const getDistance = (slot) => {
            const to = slot.getBoundingClientRect();
            return [Math.abs(to.top - from.top), Math.abs(to.left - from.left)];
        };
        const others = slots.filter((slot) => getDistance(slot)[0] > from.height / 2);
        return others
            .map((slot) => [slot, ...getDistance(slot)])
            .sort((one, other) => one[1] - other[1] || one[2] - other[2])[0]?.[0];
    }

    onFocusin(ev) {
        this.state.focused = ev.target.closest(".o_crm_slot")?.dataset.key || this.state.focused;
    }

    /** Of all slots the Tab key reaches one: the last that had the focus, else the first. */
    getTabindex(key) {
        const { suggestions, nearest } = this.state.answer;
        const first = [...suggestions, ...nearest][0];
        return key === (this.state.focused || `best ${first.start}`) ? 0 : -1;
    }
}

registry.category("view_widgets").add("crm_visit_booking_slots", { component: BookingSlots });
