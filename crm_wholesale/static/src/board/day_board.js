import { Component, onWillStart, useRef, useState } from "@odoo/owl";
import { ConfirmationDialog } from "@web/core/confirmation_dialog/confirmation_dialog";
import { deserializeDate, serializeDate } from "@web/core/l10n/dates";
import { _t } from "@web/core/l10n/translation";
import { registry } from "@web/core/registry";
import { KeepLast } from "@web/core/utils/concurrency";
import { useService } from "@web/core/utils/hooks";
import { Layout } from "@web/search/layout";
import { standardActionServiceProps } from "@web/webclient/actions/action_service";

/** A visit that is dropped starts at a full quarter of an hour. */
const STEP = 15;
const COLORS = {
    draft: "secondary",
    scheduled: "info",
    confirmed: "primary",
    en_route: "warning",
    in_progress: "warning",
    done: "success",
    no_show: "danger",
};

/** Who is where on one day: a row for each measurer, a block for each visit. */
export class DayBoard extends Component {
    static template = "crm_wholesale.DayBoard";
    static components = { Layout };
    static props = { ...standardActionServiceProps };

    setup() {
        this.action = useService("action");
        this.dialog = useService("dialog");
        this.orm = useService("orm");
        this.keepLast = new KeepLast();
        this.display = { controlPanel: {} };
        this.root = useRef("root");
        this.state = useState({ board: null, dragged: null });
        onWillStart(() => this.load(this.props.state?.day));
    }

    async load(day = false) {
        this.state.board = await this.keepLast.add(
            this.orm.call("crm.visit", "get_board", [], { day }),
        );
    }

    /** @param {number} days how many days later; without it today */
    go(days) {
        const day = deserializeDate(this.state.board.day).plus({ days });
        return this.load(days ? serializeDate(day) : false);
    }

    openVisit(block) {
        return this.action.doAction({
            type: "ir.actions.act_window",
            res_model: "crm.visit",
            res_id: block.id,
            views: [[false, "form"]],
        });
    }

    findSlot(block) {
        return this.action.doActionButton({
            type: "object",
            name: "action_find_slot",
            resModel: "crm.visit",
            resId: block.id,
            onClose: () => this.load(this.state.board.day),
        });
    }

    get first() {
        return this.state.board.hours[0].minute;
    }

    get span() {
        return this.state.board.hours.at(-1).minute - this.first;
    }

    /** Where something stands in its row, as parts of the row's width. */
    getPlace(start, stop) {
        const from = Math.max(start - this.first, 0) / this.span;
        const to = Math.min(stop - this.first, this.span) / this.span;
        return `--from: ${from}; --width: ${to - from};`;
    }

    getBlockClass(block) {
        return block.id ? `text-bg-${COLORS[block.state]}` : "o_crm_board_busy";
    }

    getTitle(block) {
        return [block.time, block.label || _t("Busy"), block.place, block.state_label]
            .filter(Boolean)
            .join("\n");
    }

    // Dragging

    onDragStart(ev, block) {
        const grabbed = ev.currentTarget.classList.contains("o_crm_board_block") ? ev.offsetX : 0;
        this.state.dragged = { block, grabbed };
        ev.dataTransfer.effectAllowed = "move";
    }

    onDragOver(ev) {
        if (this.state.dragged) {
            ev.preventDefault();
        }
    }

    async onDrop(ev, row) {
        const { block, grabbed } = this.state.dragged;
        this.state.dragged = null;
        const track = ev.currentTarget.getBoundingClientRect();
        const part = (ev.clientX - grabbed - track.left) / track.width;
        const minute = Math.round((this.first + part * this.span) / STEP) * STEP;
        await this.place(block, row.id, minute);
    }

    /** Moves a visit, or takes it out of the queue; asks first where the measurer should not go. */
    async place(block, measurerId, minute, despite = false) {
        const { day } = this.state.board;
        try {
            const conflict = await this.orm.call("crm.visit", "place_on_board", [block.id], {
                day,
                minute,
                measurer_id: measurerId,
                despite,
            });
            if (conflict) {
                this.dialog.add(ConfirmationDialog, {
                    body: conflict,
                    confirmLabel: _t("Book All the Same"),
                    confirm: () => this.place(block, measurerId, minute, true),
                    cancel: () => {},
                });
            }
        } finally {
            await this.load(day);
        }
    }
}

registry.category("actions").add("crm_wholesale.day_board", DayBoard);
